package parhelion.xen;

import parhelion.abi.Errno;
import parhelion.abi.SchedArgs.SchedPoll;
import parhelion.abi.SchedArgs.SchedRemoteShutdown;
import parhelion.abi.SchedArgs.SchedShutdown;
import parhelion.abi.SchedArgs.SchedWatchdog;
import parhelion.abi.SchedOp;
import parhelion.abi.ShutdownReason;

/** {@code sched_op} and {@code set_timer_op}. */
final class SchedOps {
  private static final int MAX_POLL_PORTS = 128;
  private static final long HUNDRED_MILLIS = 100_000_000L;

  private SchedOps() {}

  static SubOps<SchedOp> roster() {
    return new SubOps<>(SchedOp.class)
        .raw(SchedOp.YIELD, SchedOps::yieldCpu)
        .raw(SchedOp.BLOCK, SchedOps::block)
        .in(SchedOp.SHUTDOWN, SchedShutdown::read, SchedOps::shutdown)
        .in(SchedOp.SHUTDOWN_CODE, SchedShutdown::read, SchedOps::shutdownCode)
        .in(SchedOp.POLL, SchedPoll::read, SchedOps::poll)
        .in(SchedOp.REMOTE_SHUTDOWN, SchedRemoteShutdown::read, SchedOps::remoteShutdown)
        .in(SchedOp.WATCHDOG, SchedWatchdog::read, SchedOps::watchdog)
        .raw(SchedOp.PIN_OVERRIDE, SchedOps::pinOverride);
  }

  private static long yieldCpu(Vcpu v, long arg) {
    v.domain().hypervisor().scheduler().yield(v);
    return 0;
  }

  /** Unmasks events and waits for one; returns at once if one waits already. */
  private static long block(Vcpu v, long arg) {
    v.setUpcallMask(false);
    if (!v.hasDeliverableEvent()) {
      v.block();
    }
    return 0;
  }

  private static long shutdown(Vcpu v, SchedShutdown a) {
    v.domain().shutdown(reason(a.reason()));
    return 0;
  }

  private static long shutdownCode(Vcpu v, SchedShutdown a) {
    v.domain().shutdownCode(reason(a.reason()));
    return 0;
  }

  /** Only the low byte counts; what has no name is taken as a crash. */
  private static ShutdownReason reason(long code) {
    ShutdownReason r = ShutdownReason.of(code & 0xff);
    return r == null ? ShutdownReason.CRASH : r;
  }

  /** Waits, events masked or not, until one of the ports is pending or the time has come. */
  private static long poll(Vcpu v, SchedPoll a) {
    if (a.nrPorts() > MAX_POLL_PORTS) {
      throw new XenError(Errno.EINVAL);
    }
    GuestAccess.checkRange(a.ports(), a.nrPorts() * 4);
    if (v.hasDeliverableEvent()) {
      return 0;
    }
    int port = 0;
    for (int i = 0; i < a.nrPorts(); i++) {
      port = v.guest().getInt(a.ports() + i * 4L);
      if (v.domain().events().isPending(port & 0xffff_ffffL)) {
        return 0;
      }
    }
    v.state.pollPort = a.nrPorts() == 1 ? port : -1;
    if (a.timeout() != 0) {
      v.time().setPoll(a.timeout());
    }
    v.block();
    return 0;
  }

  private static long remoteShutdown(Vcpu v, SchedRemoteShutdown a) {
    Domain d = v.domain().hypervisor().domain(a.domainId());
    if (d == null) {
      throw new XenError(Errno.ESRCH);
    }
    if (!v.domain().isPrivileged()) {
      throw new XenError(Errno.EPERM);
    }
    d.shutdown(reason(a.reason()));
    return 0;
  }

  private static long watchdog(Vcpu v, SchedWatchdog a) {
    return v.domain().watchdog(a.id(), a.timeout());
  }

  private static long pinOverride(Vcpu v, long arg) {
    throw new XenError(Errno.EPERM);
  }

  /**
   * One VIRQ_TIMER at that system time; 0 stops it; absurdly far (a known guest bug) means soon.
   */
  static long setTimerOp(Vcpu v, long timeout, long a2, long a3, long a4, long a5) {
    long now = v.domain().hypervisor().clock().systemNanos();
    if (timeout == 0) {
      v.time().stopSingleshot();
    } else if (timeout < 0 || timeout - now >>> 50 != 0 && timeout > now) {
      v.time().setSingleshot(now + HUNDRED_MILLIS);
    } else {
      v.time().setSingleshot(timeout);
    }
    return 0;
  }
}
