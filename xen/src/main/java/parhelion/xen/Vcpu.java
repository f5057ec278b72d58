package parhelion.xen;

import static parhelion.cpu.CpuState.*;

import org.jspecify.annotations.Nullable;
import parhelion.abi.Runstate;
import parhelion.abi.VcpuInfo;
import parhelion.cpu.Cpu;
import parhelion.cpu.CpuModel;
import parhelion.cpu.memory.MachineMemory;

/**
 * A virtual processor of a domain: its {@link Cpu}, what Xen keeps of it ({@link VcpuState}), and
 * its ways to guest memory. Runs on the scheduler's thread.
 */
public final class Vcpu {
  public final VcpuState state = new VcpuState();

  /** Arguments with which an interrupted hypercall is to go on. */
  public final long[] continuation = new long[5];

  private final Domain domain;
  private final int id;
  private final MachineMemory memory;
  private final Cpu cpu;
  private final GuestAccess guest;

  /** What only a paravirtual vcpu has. */
  private final @Nullable XenMonitor monitor;

  private final @Nullable DescriptorTables descriptorTables;
  private final @Nullable Traps traps;
  private final VcpuTime time;
  private int pauseCount;

  /** Whether the scheduler has it in its queue. */
  boolean queued;

  Vcpu(Domain domain, int id, CpuModel model) {
    this.domain = domain;
    this.id = id;
    Hypervisor hypervisor = domain.hypervisor();
    memory = hypervisor.memory();
    HvmDomain hvm = domain.hvm();
    if (hvm == null) {
      XenMonitor own = new XenMonitor(this);
      monitor = own;
      cpu = new Cpu(memory, hypervisor.code(), own, model);
      descriptorTables = new DescriptorTables(this);
      traps = new Traps(this);
    } else {
      monitor = null;
      cpu = hvm.machine().cpu(id);
      descriptorTables = null;
      traps = null;
    }
    guest = new GuestAccess(this);
    time = new VcpuTime(this);
    if (id < 32) {
      state.vcpuInfoPa = (domain.sharedInfoMfn() << 12) + id * (long) VcpuInfo.STRUCT.size();
      setUpcallMask(hvm == null);
    }
    if (hvm == null) {
      reset();
    }
  }

  /** The processor as a paravirtual guest finds it: long mode, paging on, CPL 3, flat segments. */
  private void reset() {
    cpu.put64(CR0, Traps.CR0_FIXED);
    cpu.put64(CR4, XenCpuid.CR4_FIXED | XenCpuid.CR4_OSXSAVE);
    cpu.put64(XCR0, 3);
    cpu.put64(EFER, 0xd01);
    cpu.put64(PAT, GuestMsrs.PAT_VALUE);
    cpu.put64(CPL, 3);
    DescriptorTables.setFlat64(cpu);
    state.cr4 = XenCpuid.CR4_FIXED;
    descriptorTables().install(cpu);
    cpu.updateMode();
    cpu.rflags(parhelion.cpu.Rflags.IF);
  }

  public Domain domain() {
    return domain;
  }

  public int id() {
    return id;
  }

  public Cpu cpu() {
    return cpu;
  }

  /** A paravirtual vcpu's. */
  private static <T> T paravirtual(@Nullable T part) {
    if (part == null) {
      throw new IllegalStateException("a fully virtualised vcpu has none");
    }
    return part;
  }

  public XenMonitor monitor() {
    return paravirtual(monitor);
  }

  /**
   * This vcpu's guest-virtual memory as its kernel sees it; for the running hypercall's arguments.
   */
  public GuestAccess guest() {
    return guest;
  }

  public DescriptorTables descriptorTables() {
    return paravirtual(descriptorTables);
  }

  public Traps traps() {
    return paravirtual(traps);
  }

  /** What Xen keeps of its domain, which is fully virtualised. */
  public HvmDomain hvm() {
    HvmDomain hvm = domain.hvm();
    if (hvm == null) {
      throw new IllegalStateException(domain + " is paravirtual");
    }
    return hvm;
  }

  public VcpuTime time() {
    return time;
  }

  // --- page-table bases and modes ---

  /**
   * Makes {@code pa} the kernel's top-level table and flushes what was translated by the old one.
   */
  public void setKernelCr3(long pa) {
    state.kernelCr3 = pa;
    cpu.tlb(0).flush();
    if (state.kernelMode) {
      cpu.put64(CR3, pa);
    }
  }

  /** The same for user mode; 0 for none. */
  public void setUserCr3(long pa) {
    state.userCr3 = pa;
    cpu.tlb(1).flush();
    if (!state.kernelMode) {
      cpu.put64(CR3, pa);
    }
  }

  /** Changes between guest-kernel and guest-user mode: page tables and GS base. */
  void toggleMode() {
    state.kernelMode = !state.kernelMode;
    cpu.put64(CR3, state.kernelMode ? state.kernelCr3 : state.userCr3);
    long gs = cpu.get64(GS_BASE);
    cpu.put64(GS_BASE, cpu.get64(KERNEL_GS_BASE));
    cpu.put64(KERNEL_GS_BASE, gs);
    cpu.updateMode();
  }

  // --- vcpu_info ---

  /** Masked, or without a vcpu_info: no upcalls. A fully virtualised vcpu masks with IF. */
  public boolean upcallMask() {
    if (domain.hvm() != null) {
      return state.vcpuInfoPa < 0 || (cpu.get64(RFLAGS) & parhelion.cpu.Rflags.IF) == 0;
    }
    long pa = state.vcpuInfoPa;
    return pa < 0 || memory.getByte(pa + VcpuInfo.EVTCHN_UPCALL_MASK.offset()) != 0;
  }

  /** The mask byte as it is, which a bounce frame saves. */
  int upcallMaskByte() {
    long pa = state.vcpuInfoPa;
    return pa < 0 ? 1 : memory.getByte(pa + VcpuInfo.EVTCHN_UPCALL_MASK.offset()) & 0xff;
  }

  public void setUpcallMask(boolean masked) {
    long pa = state.vcpuInfoPa;
    if (pa >= 0) {
      memory.putByte(pa + VcpuInfo.EVTCHN_UPCALL_MASK.offset(), (byte) (masked ? 1 : 0));
    }
  }

  public boolean upcallPending() {
    long pa = state.vcpuInfoPa;
    return pa >= 0 && memory.getByte(pa + VcpuInfo.EVTCHN_UPCALL_PENDING.offset()) != 0;
  }

  /** An upcall would be made now. */
  public boolean hasDeliverableEvent() {
    return upcallPending() && !upcallMask();
  }

  /**
   * Sets {@code evtchn_upcall_pending}; if it was clear, wakes the vcpu so that it takes the
   * upcall.
   */
  public void markEventsPending() {
    if (state.vcpuInfoPa < 0 || upcallPending()) {
      return;
    }
    memory.putByte(state.vcpuInfoPa + VcpuInfo.EVTCHN_UPCALL_PENDING.offset(), (byte) 1);
    HvmDomain hvm = domain.hvm();
    if (hvm != null) {
      unblock();
      hvm.eventsPending(this);
    } else {
      kick();
    }
  }

  // --- running ---

  /** Wakes it from block and poll, and makes it look for events soon if it is running. */
  public void kick() {
    unblock();
    cpu.requestAttention();
  }

  /** Ends SCHEDOP_block and SCHEDOP_poll. */
  public void unblock() {
    if (state.blocked) {
      state.blocked = false;
      state.pollPort = 0;
      time.stopPoll();
      scheduler().wake(this);
    }
  }

  /** Waits for an event; the scheduler takes another vcpu. */
  void block() {
    state.blocked = true;
    cpu.stop();
    scheduler().block(this);
  }

  public void pause() {
    pauseCount++;
    cpu.requestAttention();
  }

  public void unpause() {
    if (pauseCount <= 0) {
      throw new IllegalStateException(this + " is not paused");
    }
    pauseCount--;
    scheduler().wake(this);
  }

  public int pauseCount() {
    return pauseCount;
  }

  /** VCPUOP_up, or the builder's. */
  public void up() {
    if (state.initialised && state.down) {
      state.down = false;
      time.start();
      scheduler().wake(this);
    }
  }

  public void down() {
    if (!state.down) {
      state.down = true;
      time.setRunstate(Runstate.OFFLINE);
      cpu.requestAttention();
      scheduler().block(this);
    }
  }

  public boolean isRunnable() {
    return !state.down && !state.blocked && pauseCount == 0 && domain.isRunning();
  }

  private Scheduler scheduler() {
    return domain.hypervisor().scheduler();
  }

  /**
   * True when something else ought to run before a long hypercall goes on; ask every few hundred
   * steps.
   */
  public boolean shouldYield() {
    return cpu.attentionRequested();
  }

  /**
   * Write {@code throw v.continueHypercall(...)}: the same hypercall is called again with these
   * arguments, soon.
   */
  public HypercallContinuation continueHypercall(long a1, long a2, long a3, long a4, long a5) {
    continuation[0] = a1;
    continuation[1] = a2;
    continuation[2] = a3;
    continuation[3] = a4;
    continuation[4] = a5;
    return HypercallContinuation.INSTANCE;
  }

  @Override
  public String toString() {
    return "d" + domain.id() + "v" + id;
  }
}
