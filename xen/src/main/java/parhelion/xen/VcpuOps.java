package parhelion.xen;

import parhelion.abi.Bytes;
import parhelion.abi.Errno;
import parhelion.abi.ShutdownReason;
import parhelion.abi.VcpuArgs.VcpuRegisterRunstateMemoryArea;
import parhelion.abi.VcpuArgs.VcpuRegisterTimeMemoryArea;
import parhelion.abi.VcpuArgs.VcpuRegisterVcpuInfo;
import parhelion.abi.VcpuArgs.VcpuSetPeriodicTimer;
import parhelion.abi.VcpuArgs.VcpuSetSingleshotTimer;
import parhelion.abi.VcpuGuestContext;
import parhelion.abi.VcpuHvmContext;
import parhelion.abi.VcpuInfo;
import parhelion.abi.VcpuOp;
import parhelion.abi.VcpuRunstateInfo;
import parhelion.abi.VcpuTimeInfo;
import parhelion.abi.VcpuTimerFlags;
import parhelion.cpu.memory.MachineMemory;
import parhelion.xen.memory.FrameTable;

/** {@code vcpu_op}: the vcpu that the second argument names, of the caller's domain. */
final class VcpuOps {
  private static final long MILLISECOND = 1_000_000L;

  /** The largest period that Xen takes: half an hour. */
  private static final long MAX_PERIOD = 30L * 60 * 1000 * MILLISECOND;

  /** A sub-op: {@code caller} makes it, on {@code v}; the argument is a guest pointer. */
  @FunctionalInterface
  private interface Handler {
    long call(Vcpu caller, Vcpu v, long arg);
  }

  private final Handler[] handlers = new Handler[VcpuOp.values().length];

  VcpuOps() {
    java.util.Arrays.fill(handlers, (Handler) VcpuOps::unknown);
    row(VcpuOp.INITIALISE, VcpuOps::initialise);
    row(VcpuOp.UP, VcpuOps::up);
    row(VcpuOp.DOWN, VcpuOps::down);
    row(VcpuOp.IS_UP, (c, v, arg) -> v.state.down ? 0 : 1);
    row(VcpuOp.GET_RUNSTATE_INFO, VcpuOps::getRunstateInfo);
    row(VcpuOp.REGISTER_RUNSTATE_MEMORY_AREA, VcpuOps::registerRunstate);
    row(VcpuOp.SET_PERIODIC_TIMER, VcpuOps::setPeriodic);
    row(VcpuOp.STOP_PERIODIC_TIMER, VcpuOps::stopPeriodic);
    row(VcpuOp.SET_SINGLESHOT_TIMER, VcpuOps::setSingleshot);
    row(VcpuOp.STOP_SINGLESHOT_TIMER, VcpuOps::stopSingleshot);
    row(VcpuOp.REGISTER_VCPU_INFO, VcpuOps::registerVcpuInfo);
    row(VcpuOp.SEND_NMI, VcpuOps::sendNmi);
    row(VcpuOp.GET_PHYSID, VcpuOps::getPhysid);
    row(VcpuOp.REGISTER_VCPU_TIME_MEMORY_AREA, VcpuOps::registerTime);
  }

  private void row(VcpuOp op, Handler handler) {
    handlers[op.nr()] = handler;
  }

  private static long unknown(Vcpu caller, Vcpu v, long arg) {
    throw new XenError(Errno.ENOSYS);
  }

  /** ENOENT for a vcpu that the domain does not have, whatever the sub-op. */
  long call(Vcpu caller, long cmd, long id, long arg) {
    Vcpu v = caller.domain().vcpu(id & 0xffff_ffffL);
    if (v == null) {
      throw new XenError(Errno.ENOENT);
    }
    VcpuOp op = VcpuOp.of(cmd & 0xffff_ffffL);
    if (op == null) {
      throw new XenError(Errno.ENOSYS);
    }
    return handlers[op.nr()].call(caller, v, arg);
  }

  // --- life ---

  private static long initialise(Vcpu caller, Vcpu v, long arg) {
    if (v.state.vcpuInfoPa < 0) {
      throw new XenError(Errno.EINVAL);
    }
    if (v.domain().hvm() != null) {
      return initialiseFull(caller, v, arg);
    }
    byte[] context = caller.guest().copyIn(arg, VcpuGuestContext.STRUCT.size());
    if (v.state.initialised) {
      throw new XenError(Errno.EEXIST);
    }
    GuestContext.install(v, context);
    return 0;
  }

  private static long initialiseFull(Vcpu caller, Vcpu v, long arg) {
    Bytes context = caller.guest().in(arg, VcpuHvmContext.STRUCT);
    if (v.state.initialised) {
      throw new XenError(Errno.EEXIST);
    }
    HvmContext.install(v.cpu(), context);
    v.state.initialised = true;
    return 0;
  }

  private static long up(Vcpu caller, Vcpu v, long arg) {
    if (!v.state.initialised) {
      throw new XenError(Errno.EINVAL);
    }
    boolean full = v.domain().hvm() != null;
    if (full && v.state.down) {
      v.hvm().machine().start(v.id());
    }
    v.up();
    return 0;
  }

  /** The last one to go down powers the domain off. */
  private static long down(Vcpu caller, Vcpu v, long arg) {
    for (Vcpu other : v.domain().vcpus()) {
      if (other != v && !other.state.down) {
        v.down();
        return 0;
      }
    }
    v.domain().shutdown(ShutdownReason.POWEROFF);
    return 0;
  }

  private static long sendNmi(Vcpu caller, Vcpu v, long arg) {
    if (v.domain().hvm() != null) {
      v.hvm().machine().nmi(v.id());
    } else if (!v.state.nmiPending) {
      v.state.nmiPending = true;
      v.kick();
    }
    return 0;
  }

  /** Only a pinned dom0 vcpu is told. */
  private static long getPhysid(Vcpu caller, Vcpu v, long arg) {
    throw new XenError(Errno.EINVAL);
  }

  // --- time ---

  private static long getRunstateInfo(Vcpu caller, Vcpu v, long arg) {
    caller.guest().copyOut(arg, v.time().runstateInfo());
    return 0;
  }

  private static long registerRunstate(Vcpu caller, Vcpu v, long arg) {
    var a =
        VcpuRegisterRunstateMemoryArea.read(
            caller.guest().in(arg, VcpuRegisterRunstateMemoryArea.STRUCT), 0);
    GuestAccess.checkRange(a.addr(), VcpuRunstateInfo.STRUCT.size());
    v.state.runstateVa = a.addr();
    if (a.addr() != 0) {
      v.time().writeRunstateArea();
    }
    return 0;
  }

  private static long registerTime(Vcpu caller, Vcpu v, long arg) {
    var a =
        VcpuRegisterTimeMemoryArea.read(
            caller.guest().in(arg, VcpuRegisterTimeMemoryArea.STRUCT), 0);
    GuestAccess.checkRange(a.addr(), VcpuTimeInfo.STRUCT.size());
    v.state.timeVa = a.addr();
    v.time().writeTimeInfo();
    return 0;
  }

  private static long setPeriodic(Vcpu caller, Vcpu v, long arg) {
    long period =
        VcpuSetPeriodicTimer.read(caller.guest().in(arg, VcpuSetPeriodicTimer.STRUCT), 0)
            .periodNs();
    if (period < MILLISECOND || period > MAX_PERIOD) {
      throw new XenError(Errno.EINVAL);
    }
    v.time().setPeriodic(period);
    return 0;
  }

  private static long stopPeriodic(Vcpu caller, Vcpu v, long arg) {
    v.time().setPeriodic(0);
    return 0;
  }

  private static long setSingleshot(Vcpu caller, Vcpu v, long arg) {
    if (v != caller) {
      throw new XenError(Errno.EINVAL);
    }
    var a = VcpuSetSingleshotTimer.read(caller.guest().in(arg, VcpuSetSingleshotTimer.STRUCT), 0);
    long now = v.domain().hypervisor().clock().systemNanos();
    if ((a.flags() & VcpuTimerFlags.FUTURE) != 0
        && Long.compareUnsigned(a.timeoutAbsNs(), now) < 0) {
      throw new XenError(Errno.ETIME);
    }
    v.time().setSingleshot(a.timeoutAbsNs() < 0 ? Long.MAX_VALUE : a.timeoutAbsNs());
    return 0;
  }

  private static long stopSingleshot(Vcpu caller, Vcpu v, long arg) {
    if (v != caller) {
      throw new XenError(Errno.EINVAL);
    }
    v.time().stopSingleshot();
    return 0;
  }

  // --- vcpu_info ---

  /**
   * Moves it, once, of the caller itself or of a vcpu that is down; everything is marked pending so
   * that nothing gets lost.
   */
  private static long registerVcpuInfo(Vcpu caller, Vcpu v, long arg) {
    var a = VcpuRegisterVcpuInfo.read(caller.guest().in(arg, VcpuRegisterVcpuInfo.STRUCT), 0);
    int size = VcpuInfo.STRUCT.size();
    if (a.offset() > 4096 - size || (a.offset() & 7) != 0) {
      throw new XenError(Errno.ENXIO);
    }
    VcpuState s = v.state;
    if (s.vcpuInfoMoved || (v != caller && !s.down)) {
      throw new XenError(Errno.EINVAL);
    }
    Hypervisor h = v.domain().hypervisor();
    long mfn = v.domain().mfnOf(a.mfn());
    if (!h.frames().getPageAndType(v.domain(), mfn, FrameTable.WRITABLE)) {
      throw new XenError(Errno.EINVAL);
    }
    MachineMemory memory = h.memory();
    long pa = (mfn << 12) + a.offset();
    if (s.vcpuInfoPa < 0) {
      memory.fill(pa, size, (byte) 0);
      memory.putByte(pa + VcpuInfo.EVTCHN_UPCALL_MASK.offset(), (byte) 1);
    } else {
      memory.copy(s.vcpuInfoPa, pa, size);
    }
    s.vcpuInfoPa = pa;
    s.vcpuInfoMoved = true;
    memory.putLong(pa + VcpuInfo.EVTCHN_PENDING_SEL.offset(), -1L);
    v.markEventsPending();
    v.time().writeTimeInfo();
    return 0;
  }
}
