package parhelion.xen;

import org.jspecify.annotations.Nullable;
import parhelion.abi.CallbackOp;
import parhelion.abi.Errno;
import parhelion.abi.EvtchnOp;
import parhelion.abi.HvmOp;
import parhelion.abi.Hypercall;
import parhelion.abi.PhysdevOp;
import parhelion.abi.SchedOp;
import parhelion.abi.XenVersionOp;
import parhelion.xen.event.EventOps;

/**
 * The roster of hypercalls: number, name and handler in one place; anything else is ENOSYS. Counts
 * and times every call, and tells the listener, if there is one.
 */
public final class Hypercalls {
  /** Which domains may make a call; for the others there is none of that number. */
  public enum Guests {
    /** Paravirtual ones. */
    PARA,
    /** Fully virtualised ones. */
    FULL,
    ALL;

    boolean include(Domain d) {
      return this == ALL || (this == FULL) == (d.hvm() != null);
    }
  }

  /** One row; {@code firstIsSubOp} says that the first argument is a sub-op, counted by number. */
  public record Row(
      Hypercall call, Guests guests, HypercallHandler handler, boolean firstIsSubOp) {}

  private final @Nullable Row[] rows = new Row[HypercallStats.CALLS];
  private final Stopwatch stopwatch;
  private final HypercallStats stats = new HypercallStats();
  private final Multicall multicall = new Multicall(this);
  private HypercallStats.@Nullable Listener listener;

  Hypercalls(Hypervisor h) {
    stopwatch = h.stopwatch();
    row(Hypercall.MULTICALL, Guests.ALL, multicall::multicall);
    traps();
    operations();
    // Paging and memory (parhelion.xen.memory).
    row(Hypercall.MMU_UPDATE, Guests.PARA, h.paging()::mmuUpdate);
    row(Hypercall.MMUEXT_OP, Guests.PARA, h.paging()::mmuextOp);
    row(Hypercall.UPDATE_VA_MAPPING, Guests.PARA, h.paging()::updateVaMapping);
    row(
        Hypercall.UPDATE_VA_MAPPING_OTHERDOMAIN,
        Guests.PARA,
        h.paging()::updateVaMappingOtherdomain);
    subOpRow(Hypercall.MEMORY_OP, Guests.ALL, h.memoryOps()::memoryOp);
    // Grant tables (parhelion.xen.grant).
    subOpRow(Hypercall.GRANT_TABLE_OP, Guests.ALL, h.grantOps()::grantTableOp);
    // What an ordinary domain is not to do, with Xen's answers.
    row(Hypercall.PLATFORM_OP, Guests.ALL, PrivilegedCalls::platformOp);
    row(Hypercall.SYSCTL, Guests.ALL, PrivilegedCalls::sysctl);
    row(Hypercall.DOMCTL, Guests.ALL, PrivilegedCalls::domctl);
  }

  /** Descriptor tables, traps, and the vcpu's own registers. */
  private void traps() {
    row(Hypercall.SET_TRAP_TABLE, Guests.PARA, TrapOps::setTrapTable);
    row(Hypercall.SET_CALLBACKS, Guests.PARA, TrapOps::setCallbacks);
    SubOps<CallbackOp> callbacks = TrapOps.callbackRoster();
    subOpRow(
        Hypercall.CALLBACK_OP,
        Guests.PARA,
        (v, cmd, arg, a3, a4, a5) -> callbacks.call(v, cmd, arg));
    subOpRow(Hypercall.NMI_OP, Guests.PARA, TrapOps::nmiOp);
    row(
        Hypercall.IRET,
        Guests.PARA,
        (v, a1, a2, a3, a4, a5) -> v.traps().iret(v, a1, a2, a3, a4, a5));
    row(Hypercall.STACK_SWITCH, Guests.PARA, TrapOps::stackSwitch);
    row(Hypercall.SET_GDT, Guests.PARA, CpuOps::setGdt);
    row(Hypercall.UPDATE_DESCRIPTOR, Guests.PARA, CpuOps::updateDescriptor);
    subOpRow(Hypercall.SET_SEGMENT_BASE, Guests.PARA, CpuOps::setSegmentBase);
    row(Hypercall.FPU_TASKSWITCH, Guests.PARA, CpuOps::fpuTaskswitch);
    row(Hypercall.SET_DEBUGREG, Guests.PARA, CpuOps::setDebugreg);
    row(Hypercall.GET_DEBUGREG, Guests.PARA, CpuOps::getDebugreg);
  }

  private void operations() {
    SubOps<EvtchnOp> events = EventOps.roster();
    subOpRow(
        Hypercall.EVENT_CHANNEL_OP,
        Guests.ALL,
        (v, cmd, arg, a3, a4, a5) -> events.call(v, cmd, arg));
    SubOps<SchedOp> sched = SchedOps.roster();
    subOpRow(Hypercall.SCHED_OP, Guests.ALL, (v, cmd, arg, a3, a4, a5) -> sched.call(v, cmd, arg));
    row(Hypercall.SET_TIMER_OP, Guests.ALL, SchedOps::setTimerOp);
    VcpuOps vcpus = new VcpuOps();
    subOpRow(
        Hypercall.VCPU_OP, Guests.ALL, (v, cmd, id, arg, a4, a5) -> vcpus.call(v, cmd, id, arg));
    SubOps<XenVersionOp> version = VersionOps.roster();
    subOpRow(
        Hypercall.XEN_VERSION, Guests.ALL, (v, cmd, arg, a3, a4, a5) -> version.call(v, cmd, arg));
    subOpRow(Hypercall.CONSOLE_IO, Guests.ALL, MiscOps::consoleIo);
    subOpRow(Hypercall.VM_ASSIST, Guests.ALL, MiscOps::vmAssist);
    SubOps<PhysdevOp> physdev = MiscOps.physdevRoster();
    subOpRow(
        Hypercall.PHYSDEV_OP, Guests.PARA, (v, cmd, arg, a3, a4, a5) -> physdev.call(v, cmd, arg));
    SubOps<HvmOp> hvm = HvmOps.roster();
    subOpRow(Hypercall.HVM_OP, Guests.FULL, (v, cmd, arg, a3, a4, a5) -> hvm.call(v, cmd, arg));
  }

  private void row(Hypercall call, Guests guests, HypercallHandler handler) {
    add(new Row(call, guests, handler, false));
  }

  private void subOpRow(Hypercall call, Guests guests, HypercallHandler handler) {
    add(new Row(call, guests, handler, true));
  }

  private void add(Row row) {
    if (rows[row.call().nr()] != null) {
      throw new IllegalStateException(row.call().cName() + " twice");
    }
    rows[row.call().nr()] = row;
  }

  /** The row of that number, or null. */
  public @Nullable Row row(long nr) {
    return nr >= 0 && nr < rows.length ? rows[(int) nr] : null;
  }

  public HypercallStats stats() {
    return stats;
  }

  /** Tells {@code listener} of every call, or nobody. */
  public void setListener(HypercallStats.@Nullable Listener listener) {
    this.listener = listener;
  }

  boolean isListenedTo() {
    return listener != null;
  }

  /** Runs a hypercall for {@code v} and returns {@code rax}. */
  public long call(Vcpu v, long nr, long a1, long a2, long a3, long a4, long a5) {
    Row row = row(nr);
    long result;
    if (row == null || !row.guests().include(v.domain())) {
      result = Errno.ENOSYS.result();
    } else {
      long start = stopwatch.now();
      try {
        result = row.handler().call(v, a1, a2, a3, a4, a5);
      } catch (XenError e) {
        result = e.result();
      } catch (HypercallContinuation c) {
        trace(v, nr, a1, a2, a3, a4, null);
        throw c;
      } finally {
        long hostNanos = stopwatch.now() - start;
        stats.add((int) nr, hostNanos, multicall.isRunning());
        if (row.firstIsSubOp) {
          stats.addSubOp((int) nr, a1, hostNanos);
        }
      }
    }
    if (listener != null) {
      trace(v, nr, a1, a2, a3, a4, result);
    }
    return result;
  }

  private void trace(Vcpu v, long nr, long a1, long a2, long a3, long a4, @Nullable Long result) {
    HypercallStats.Listener l = listener;
    if (l != null) {
      l.hypercall(v, nr, a1, a2, a3, a4, result);
    }
  }
}
