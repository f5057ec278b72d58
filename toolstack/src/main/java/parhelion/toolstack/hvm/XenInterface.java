package parhelion.toolstack.hvm;

import parhelion.abi.Errno;
import parhelion.cpu.Cpu;
import parhelion.cpu.CpuState;
import parhelion.cpu.Rflags;
import parhelion.pc.GuestInterface;
import parhelion.pc.PcVcpu;
import parhelion.xen.Domain;
import parhelion.xen.DomainCrash;
import parhelion.xen.HvmDomain;
import parhelion.xen.HypercallContinuation;
import parhelion.xen.HypercallPage;
import parhelion.xen.Vcpu;
import parhelion.xen.XenCpuid;

/**
 * Xen's interface as software on a PC finds it: CPUID leaves, the register that asks for the page
 * of hypercalls, hypercalls by VMCALL, and interrupts for events. On the machine's thread.
 */
final class XenInterface implements GuestInterface {
  private final Domain domain;
  private final HvmDomain hvm;
  private final XenMachine machine;

  XenInterface(Domain domain, HvmDomain hvm, XenMachine machine) {
    this.domain = domain;
    this.hvm = hvm;
    this.machine = machine;
  }

  private Vcpu vcpu(PcVcpu vcpu) {
    return domain.vcpus().get(vcpu.id());
  }

  @Override
  public void cpuid(PcVcpu vcpu, int leaf, int subleaf, int[] registers) {
    if (leaf >>> 8 == FIRST_LEAF >>> 8) {
      int[] r = XenCpuid.xen(vcpu(vcpu), leaf - FIRST_LEAF, subleaf);
      System.arraycopy(r, 0, registers, 0, registers.length);
    }
  }

  @Override
  public boolean hasMsr(int msr) {
    return msr == HypercallPage.MSR;
  }

  /** A page's address, with the number of the hypercall page in its low bits: there is one. */
  @Override
  public boolean wrmsr(PcVcpu vcpu, int msr, long value) {
    long mfn = hvm.mfnOf(value >>> 12);
    if ((value & 4095) != 0 || mfn < 0) {
      return false;
    }
    HypercallPage.fillFull(domain.hypervisor().memory(), mfn);
    return true;
  }

  @Override
  public boolean call(PcVcpu vcpu, int length) {
    Vcpu v = vcpu(vcpu);
    Cpu cpu = vcpu.cpu();
    long next = cpu.rip() + length;
    try {
      long result;
      if (cpu.cpl() != 0) {
        result = Errno.EPERM.result();
      } else if (cpu.codeBits != 64) {
        result = Errno.ENOSYS.result();
      } else {
        result = call64(v, cpu);
      }
      cpu.put64(CpuState.RAX, result);
      cpu.rip(next);
    } catch (HypercallContinuation c) {
      long[] args = v.continuation;
      cpu.put64(CpuState.RDI, args[0]);
      cpu.put64(CpuState.RSI, args[1]);
      cpu.put64(CpuState.RDX, args[2]);
      cpu.put64(CpuState.R10, args[3]);
      cpu.put64(CpuState.R8, args[4]);
    } catch (DomainCrash e) {
      domain.crash(v, String.valueOf(e.getMessage()));
    }
    return true;
  }

  private long call64(Vcpu v, Cpu cpu) {
    return domain
        .hypervisor()
        .hypercalls()
        .call(
            v,
            cpu.get64(CpuState.RAX),
            cpu.get64(CpuState.RDI),
            cpu.get64(CpuState.RSI),
            cpu.get64(CpuState.RDX),
            cpu.get64(CpuState.R10),
            cpu.get64(CpuState.R8));
  }

  @Override
  public int waitingVector(PcVcpu vcpu) {
    return hvm.waitingVector(vcpu(vcpu));
  }

  /** What was to come through the local APIC while software had it off comes now. */
  @Override
  public void apicEnabled(PcVcpu vcpu) {
    Vcpu v = vcpu(vcpu);
    if (v.upcallPending()) {
      hvm.eventsPending(v);
    }
  }

  @Override
  public void entering(PcVcpu vcpu) {
    Vcpu v = vcpu(vcpu);
    if (v.state.down) {
      // Started by messages of the local APICs, as on hardware.
      v.state.initialised = true;
      v.up();
    }
    v.unblock();
    v.time().scheduledIn();
  }

  @Override
  public void left(PcVcpu vcpu) {
    vcpu(vcpu).time().scheduledOut();
  }

  /**
   * A vcpu that halts with interrupts masked does not mean to come back: with the last one, the
   * domain is off, as on Xen.
   */
  @Override
  public void halted(PcVcpu vcpu) {
    Vcpu v = vcpu(vcpu);
    if ((vcpu.cpu().get64(CpuState.RFLAGS) & Rflags.IF) == 0) {
      domain.halted(v);
    } else {
      v.state.blocked = true;
    }
  }

  @Override
  public boolean idle() {
    return machine.idle();
  }
}
