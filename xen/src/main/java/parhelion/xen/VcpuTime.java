package parhelion.xen;

import parhelion.abi.Bytes;
import parhelion.abi.PvClockFlags;
import parhelion.abi.Runstate;
import parhelion.abi.RunstateFlags;
import parhelion.abi.VcpuInfo;
import parhelion.abi.VcpuRunstateInfo;
import parhelion.abi.VcpuTimeInfo;
import parhelion.abi.Virq;
import parhelion.abi.VmAssist;
import parhelion.cpu.CpuState;
import parhelion.cpu.memory.MachineMemory;

/**
 * A vcpu's timers, its clock page and the account of where its time went. The time-stamp counter
 * counts nanoseconds, so the clock page says: one tick, one nanosecond; it is refreshed once a
 * second for guests that extrapolate with few bits.
 */
public final class VcpuTime {
  private static final long REFRESH_NANOS = 1_000_000_000L;

  /** tsc to nanoseconds: {@code (ticks << 1) * 2^31 >> 32}. */
  private static final long MUL = 0x8000_0000L;

  private static final int SHIFT = 1;

  private final Vcpu vcpu;
  private final VcpuState state;
  private final MachineMemory memory;
  private final XenClock clock;
  private final Timers.Timer singleshot;
  private final Timers.Timer periodic;
  private final Timers.Timer poll;

  /** What the guest had added to its time-stamp counter when the clock page was written. */
  private long offsetWritten;

  VcpuTime(Vcpu vcpu) {
    this.vcpu = vcpu;
    state = vcpu.state;
    Hypervisor hypervisor = vcpu.domain().hypervisor();
    memory = hypervisor.memory();
    clock = hypervisor.clock();
    Timers timers = hypervisor.scheduler().timers();
    singleshot = timers.timer(this::singleshotFired);
    periodic = timers.timer(this::periodicFired);
    poll = timers.timer(this::pollFired);
    state.runstateSinceNanos = clock.systemNanos();
    if (vcpu.domain().hvm() != null) {
      state.periodicNanos = 0;
    }
  }

  // --- timers ---

  private void raiseTimer() {
    vcpu.domain().events().raiseVirq(vcpu, Virq.TIMER);
  }

  private void singleshotFired() {
    state.singleshotAtNanos = -1;
    raiseTimer();
  }

  /** One VIRQ_TIMER at {@code nanos} of system time. */
  public void setSingleshot(long nanos) {
    singleshot.set(nanos);
    state.singleshotAtNanos = singleshot.deadlineNanos();
  }

  public void stopSingleshot() {
    singleshot.stop();
    state.singleshotAtNanos = -1;
  }

  private void periodicFired() {
    state.periodicAtNanos = -1;
    if (vcpu.isRunnable()) {
      raiseTimer();
      armPeriodic();
    }
  }

  /** A tick every {@code period} nanoseconds while the vcpu runs; 0 for none. */
  public void setPeriodic(long period) {
    periodic.stop();
    state.periodicAtNanos = -1;
    state.periodicNanos = period;
    armPeriodic();
  }

  private void armPeriodic() {
    if (state.periodicNanos > 0) {
      periodic.set(clock.systemNanos() + state.periodicNanos);
      state.periodicAtNanos = periodic.deadlineNanos();
    }
  }

  private void pollFired() {
    state.pollAtNanos = -1;
    vcpu.unblock();
  }

  void setPoll(long nanos) {
    poll.set(nanos);
    state.pollAtNanos = poll.deadlineNanos();
  }

  void stopPoll() {
    poll.stop();
    state.pollAtNanos = -1;
  }

  /** Stops all timers: the vcpu is going away. */
  void stopAll() {
    stopSingleshot();
    stopPoll();
    periodic.stop();
  }

  /** Sets the timers again that the state says were running. */
  public void restoreTimers() {
    if (state.singleshotAtNanos >= 0) {
      setSingleshot(state.singleshotAtNanos);
    }
    if (state.pollAtNanos >= 0) {
      setPoll(state.pollAtNanos);
    }
    if (state.periodicAtNanos >= 0) {
      periodic.set(state.periodicAtNanos);
    }
  }

  // --- run states ---

  /** The vcpu has come up. */
  void start() {
    setRunstate(Runstate.RUNNABLE);
    armPeriodic();
  }

  /** The scheduler has chosen it. */
  public void scheduledIn() {
    setRunstate(Runstate.RUNNING);
    if (state.periodicNanos > 0 && state.periodicAtNanos < 0) {
      raiseTimer();
      armPeriodic();
    }
    if (state.timeWrittenNanos < 0
        || clock.systemNanos() - state.timeWrittenNanos >= REFRESH_NANOS
        || vcpu.cpu().get64(CpuState.TSC_OFFSET) != offsetWritten) {
      writeTimeInfo();
    }
    if (state.runstateVa != 0) {
      writeRunstateArea();
    }
  }

  /** It has stopped running. */
  public void scheduledOut() {
    setRunstate(
        state.down ? Runstate.OFFLINE : state.blocked ? Runstate.BLOCKED : Runstate.RUNNABLE);
    if (state.runstateVa != 0) {
      writeRunstateArea();
    }
  }

  /** Charges the time since the last change to the state left. */
  void setRunstate(Runstate to) {
    long now = clock.systemNanos();
    state.runstateNanos[state.runstate] += Math.max(0, now - state.runstateSinceNanos);
    state.runstate = to.nr();
    state.runstateSinceNanos = now;
  }

  /** The {@code vcpu_runstate_info}, the running state charged up to now. */
  byte[] runstateInfo() {
    byte[] bytes = new byte[VcpuRunstateInfo.STRUCT.size()];
    Bytes b = Bytes.of(bytes);
    VcpuRunstateInfo.STATE.put(b, 0, state.runstate);
    VcpuRunstateInfo.STATE_ENTRY_TIME.put(b, 0, state.runstateSinceNanos);
    for (int i = 0; i < 4; i++) {
      long nanos = state.runstateNanos[i];
      if (i == state.runstate) {
        nanos += Math.max(0, clock.systemNanos() - state.runstateSinceNanos);
      }
      b.putLong(VcpuRunstateInfo.TIME.at(0, i), nanos);
    }
    return bytes;
  }

  /** Writes the registered runstate area; a guest that has unmapped it goes without. */
  void writeRunstateArea() {
    byte[] bytes = runstateInfo();
    long entry = state.runstateVa + VcpuRunstateInfo.STATE_ENTRY_TIME.offset();
    boolean flagged = (vcpu.domain().vmAssist >> VmAssist.RUNSTATE_UPDATE_FLAG.nr() & 1) != 0;
    try {
      if (flagged) {
        long since = state.runstateSinceNanos | RunstateFlags.UPDATE;
        vcpu.guest().putLong(entry, since);
        VcpuRunstateInfo.STATE_ENTRY_TIME.put(Bytes.of(bytes), 0, since);
      }
      vcpu.guest().copyOut(state.runstateVa, bytes);
      if (flagged) {
        vcpu.guest().putLong(entry, state.runstateSinceNanos);
      }
    } catch (XenError e) {
      // As on Xen: nothing to tell it with.
    }
  }

  // --- the clock ---

  /** Writes the time info of vcpu_info and of the registered second area. */
  public void writeTimeInfo() {
    long now = clock.systemNanos();
    long tsc = clock.tsc() + vcpu.cpu().get64(CpuState.TSC_OFFSET);
    state.timeWrittenNanos = now;
    offsetWritten = vcpu.cpu().get64(CpuState.TSC_OFFSET);
    if (state.vcpuInfoPa >= 0) {
      writeTimeInfo(state.vcpuInfoPa + VcpuInfo.TIME.offset(), now, tsc);
    }
    if (state.timeVa != 0) {
      writeSecondTimeInfo(now, tsc);
    }
  }

  private void writeTimeInfo(long pa, long now, long tsc) {
    long versionPa = pa + VcpuTimeInfo.VERSION.offset();
    int version = memory.getInt(versionPa) & ~1;
    memory.putInt(versionPa, version + 1);
    memory.putLong(pa + VcpuTimeInfo.TSC_TIMESTAMP.offset(), tsc);
    memory.putLong(pa + VcpuTimeInfo.SYSTEM_TIME.offset(), now);
    memory.putInt(pa + VcpuTimeInfo.TSC_TO_SYSTEM_MUL.offset(), (int) MUL);
    memory.putByte(pa + VcpuTimeInfo.TSC_SHIFT.offset(), (byte) SHIFT);
    memory.putByte(pa + VcpuTimeInfo.FLAGS.offset(), (byte) PvClockFlags.TSC_STABLE_BIT);
    memory.putInt(versionPa, version + 2);
  }

  private void writeSecondTimeInfo(long now, long tsc) {
    GuestAccess guest = vcpu.guest();
    try {
      long versionVa = state.timeVa + VcpuTimeInfo.VERSION.offset();
      int version = guest.getInt(versionVa) & ~1;
      byte[] bytes = new byte[VcpuTimeInfo.STRUCT.size()];
      Bytes b = Bytes.of(bytes);
      VcpuTimeInfo.VERSION.put(b, 0, version + 1);
      VcpuTimeInfo.TSC_TIMESTAMP.put(b, 0, tsc);
      VcpuTimeInfo.SYSTEM_TIME.put(b, 0, now);
      VcpuTimeInfo.TSC_TO_SYSTEM_MUL.put(b, 0, MUL);
      VcpuTimeInfo.TSC_SHIFT.put(b, 0, SHIFT);
      VcpuTimeInfo.FLAGS.put(b, 0, PvClockFlags.TSC_STABLE_BIT);
      guest.putInt(versionVa, version + 1);
      guest.copyOut(state.timeVa, bytes);
      guest.putInt(versionVa, version + 2);
    } catch (XenError e) {
      // As on Xen: written at the next occasion.
    }
  }
}
