package parhelion.xen;

import static parhelion.cpu.CpuState.*;

import java.util.OptionalLong;
import java.util.SplittableRandom;
import parhelion.abi.HypervisorVirt;
import parhelion.abi.MachToPhys;
import parhelion.abi.VmAssist;
import parhelion.cpu.Access;
import parhelion.cpu.Cpu;
import parhelion.cpu.GuestFault;
import parhelion.cpu.Mark;
import parhelion.cpu.Monitor;
import parhelion.cpu.PageWalker;
import parhelion.cpu.Rflags;
import parhelion.cpu.decode.Insn;
import parhelion.cpu.rewrite.Gates;
import parhelion.xen.memory.FrameTable;
import parhelion.xen.memory.MachToPhysTable;

/**
 * Paravirtualisation: what a vcpu cannot do by itself becomes a hypercall, a bounce to the guest's
 * kernel, or an emulation. Guest kernel and guest user both run at privilege level 3 on their own
 * page tables; the processor's first TLB serves the kernel, the second the user.
 */
public final class XenMonitor implements Monitor {
  /** The TLB of guest-kernel mode. */
  static final int KERNEL_TLB = 0;

  private final Vcpu vcpu;
  private final VcpuState state;
  private final Hypervisor hypervisor;
  private final PrivilegedOps privilegedOps;
  private final NativeEntries nativeEntries;

  /** While set, stores to page tables fault instead of being emulated: they are Xen's own. */
  private boolean plainWrites;

  XenMonitor(Vcpu vcpu) {
    this.vcpu = vcpu;
    state = vcpu.state;
    hypervisor = vcpu.domain().hypervisor();
    privilegedOps = new PrivilegedOps(vcpu);
    nativeEntries = new NativeEntries(vcpu);
  }

  public Vcpu vcpu() {
    return vcpu;
  }

  void plainWrites(boolean plain) {
    plainWrites = plain;
  }

  void setCr4(long value) {
    privilegedOps.setCr4(vcpu.cpu(), value);
  }

  // --- memory ---

  @Override
  public boolean tlbsFollowPrivilege() {
    return false;
  }

  @Override
  public int tlbIndex(Cpu cpu) {
    return state.kernelMode ? KERNEL_TLB : 1;
  }

  @Override
  public long walkRoot(Cpu cpu) {
    long root = state.kernelMode ? state.kernelCr3 : state.userCr3;
    return root == 0 ? -1 : root;
  }

  /** Kernels modify their code as a processor without caches would have it; programs need not. */
  @Override
  public boolean mayModifyItself(Cpu cpu, long va) {
    return !state.kernelMode && PageWalker.isWritable(cpu, state.userCr3, va);
  }

  @Override
  public ReadWindow readWindow() {
    MachToPhysTable m2p = hypervisor.frames().m2p();
    return new ReadWindow(MachToPhys.VIRT_START, m2p.frames() << 12, m2p.pa());
  }

  @Override
  public long translate(Cpu cpu, long va, int access) {
    if (va < HypervisorVirt.END && va >= HypervisorVirt.START) {
      return translateOwn(cpu, va, access);
    }
    long cr3 = state.kernelMode ? state.kernelCr3 : state.userCr3;
    long result = PageWalker.find(cpu, cr3, va, access, true);
    if (result < 0
        && (access & 3) == Access.WRITE
        && state.kernelMode
        && !plainWrites
        && emulatesPageTables()) {
      return pageTableWrite(cpu, cr3, va, result);
    }
    return result;
  }

  private boolean emulatesPageTables() {
    return (vcpu.domain().vmAssist >> VmAssist.WRITABLE_PAGETABLES.nr() & 1) != 0;
  }

  /**
   * A store that the page tables refuse: allowed through {@link #store} if it is to an L1 table of
   * the domain.
   */
  private long pageTableWrite(Cpu cpu, long cr3, long va, long fault) {
    int errorCode = Access.errorCode(fault);
    if ((errorCode & (PageWalker.PF_PRESENT | PageWalker.PF_RESERVED)) == PageWalker.PF_PRESENT) {
      long pa = PageWalker.lookup(cpu, cr3, va);
      if (pa >= 0 && cpu.memory.contains(pa, 1)) {
        FrameTable frames = hypervisor.frames();
        long mfn = pa >>> 12;
        if (frames.type(mfn) == FrameTable.L1 && frames.owner(mfn) == vcpu.domain()) {
          return (pa & -4096L) | Access.MAY_READ | Access.HOOKED;
        }
      }
    }
    return fault;
  }

  /** Xen's own range: the M2P table to read, and the descriptor tables for the processor itself. */
  private long translateOwn(Cpu cpu, long va, int access) {
    int kind = access & 3;
    if ((access & Access.IMPLICIT) != 0) {
      long found = vcpu.descriptorTables().translate(cpu, va);
      if (found != -1 && (kind != Access.WRITE || (found & Access.MAY_WRITE) != 0)) {
        return found;
      }
    } else if (kind == Access.READ && Long.compareUnsigned(va, MachToPhys.VIRT_END) < 0) {
      MachToPhysTable m2p = hypervisor.frames().m2p();
      long page = (va - MachToPhys.VIRT_START) >>> 12;
      if (page < m2p.frames()) {
        return m2p.pa() + (page << 12) | Access.MAY_READ;
      }
    }
    int code = PageWalker.PF_USER;
    code |= kind == Access.WRITE ? PageWalker.PF_WRITE : 0;
    code |= kind == Access.EXECUTE ? PageWalker.PF_FETCH : 0;
    return Access.pageFault(code);
  }

  /**
   * Translation (or {@link Access#pageFault}) by the kernel's page tables, whatever the mode,
   * without the write emulation of page tables.
   */
  long translatePlain(Cpu cpu, long va, int access) {
    return PageWalker.find(cpu, state.kernelCr3, va, access, true);
  }

  @Override
  public long load(Cpu cpu, long va, long pa, int size) {
    if (!cpu.memory.contains(pa, size)) {
      return -1L;
    }
    return switch (size) {
      case 1 -> cpu.memory.getByte(pa) & 0xff;
      case 2 -> cpu.memory.getShort(pa) & 0xffff;
      case 4 -> cpu.memory.getInt(pa) & 0xffff_ffffL;
      default -> cpu.memory.getLong(pa);
    };
  }

  @Override
  public void store(Cpu cpu, long va, long pa, int size, long value) {
    long start = hypervisor.stopwatch().now();
    boolean done =
        !cpu.memory.contains(pa, size) || hypervisor.paging().emulatedWrite(vcpu, pa, size, value);
    hypervisor.trapStats().pageTableWrite(vcpu, start);
    if (!done) {
      throw cpu.pageFault(va, PageWalker.PF_PRESENT | PageWalker.PF_WRITE | PageWalker.PF_USER);
    }
  }

  // --- entries ---

  @Override
  public Gates gates() {
    return nativeEntries;
  }

  @Override
  public void syscall(Cpu cpu) {
    long flags = cpu.rflags();
    cpu.put64(RCX, cpu.rip());
    cpu.put64(R11, flags & ~(long) Rflags.RF);
    if (state.kernelMode) {
      hypercall(cpu);
    } else {
      userSyscall(cpu);
    }
    vcpu.traps().exitToGuest();
  }

  private void hypercall(Cpu cpu) {
    long nr = cpu.get64(RAX);
    try {
      long result =
          hypervisor
              .hypercalls()
              .call(
                  vcpu,
                  nr,
                  cpu.get64(RDI),
                  cpu.get64(RSI),
                  cpu.get64(RDX),
                  cpu.get64(R10),
                  cpu.get64(R8));
      cpu.put64(RAX, result);
    } catch (HypercallContinuation c) {
      long[] args = vcpu.continuation;
      cpu.put64(RDI, args[0]);
      cpu.put64(RSI, args[1]);
      cpu.put64(RDX, args[2]);
      cpu.put64(R10, args[3]);
      cpu.put64(R8, args[4]);
      cpu.rip(cpu.rip() - 2);
    }
  }

  private void userSyscall(Cpu cpu) {
    boolean compat = cpu.codeBits != 64;
    if (compat) {
      DescriptorTables.setFlat32(cpu);
    } else {
      DescriptorTables.setFlat64(cpu);
    }
    long callback = compat ? state.syscall32Callback : state.syscallCallback;
    boolean masks = compat ? state.syscall32MasksEvents : state.syscallMasksEvents;
    if (callback == 0) {
      cpu.rip(cpu.rip() - 2);
      vcpu.traps().exception(GuestFault.UD, 0, 0);
    } else {
      vcpu.traps().userSyscall(callback, masks);
    }
  }

  @Override
  public void sysenter(Cpu cpu) {
    vcpu.traps().sysenter();
    vcpu.traps().exitToGuest();
  }

  @Override
  public void exception(Cpu cpu, int vector, int errorCode, long cr2) {
    vcpu.traps().exception(vector, errorCode, cr2);
    vcpu.traps().exitToGuest();
  }

  /**
   * INT3 and INTO always arrive; INT n if the guest's gate lets the mode through, else #GP with the
   * vector's code.
   */
  @Override
  public void softwareInterrupt(Cpu cpu, int vector, int insnLength) {
    Traps traps = vcpu.traps();
    if (vector == GuestFault.BP || vector == GuestFault.OF) {
      traps.exception(vector, 0, 0);
    } else if (state.trapAddress[vector] != 0
        && (state.trapFlags[vector] & 3) >= traps.virtualCpl()) {
      traps.softwareInterrupt(vector);
    } else {
      cpu.rip(cpu.rip() - insnLength);
      traps.exception(GuestFault.GP, vector << 3 | 2, 0);
    }
    traps.exitToGuest();
  }

  @Override
  public boolean privileged(Cpu cpu, Insn insn) {
    return privilegedOps.emulate(cpu, insn);
  }

  /** The forced-emulation prefix: UD2, "xen", and then CPUID. Anything else is what it seems. */
  @Override
  public boolean undefined(Cpu cpu) {
    long rip = cpu.rip();
    if (cpu.load8(rip) != 0x0f
        || cpu.load8(rip + 1) != 0x0b
        || cpu.load8(rip + 2) != 'x'
        || cpu.load8(rip + 3) != 'e'
        || cpu.load8(rip + 4) != 'n'
        || cpu.load8(rip + 5) != 0x0f
        || cpu.load8(rip + 6) != 0xa2) {
      return false;
    }
    long start = hypervisor.stopwatch().now();
    XenCpuid.execute(vcpu, true);
    hypervisor.trapStats().prefixedCpuid(vcpu, start);
    cpu.rip(rip + 7);
    return true;
  }

  @Override
  public void cpuid(Cpu cpu) {
    Mark.Listener listener = hypervisor.markListener();
    if (listener != null) {
      Mark mark = Mark.of(cpu);
      if (mark != null) {
        listener.marked(mark);
      }
    }
    XenCpuid.execute(vcpu, false);
  }

  @Override
  public long random(Cpu cpu) {
    SplittableRandom repeated = hypervisor.random();
    return repeated == null ? Monitor.super.random(cpu) : repeated.nextLong();
  }

  @Override
  public long tsc(Cpu cpu) {
    return hypervisor.clock().tsc();
  }

  @Override
  public OptionalLong hostTscOffset() {
    return hypervisor.clock().hostTscOffset();
  }

  @Override
  public void attend(Cpu cpu) {
    if (hypervisor.scheduler().mustStop(vcpu)) {
      cpu.stop();
    } else {
      vcpu.traps().exitToGuest();
    }
  }
}
