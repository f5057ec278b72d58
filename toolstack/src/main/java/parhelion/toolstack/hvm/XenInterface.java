package parhelion.toolstack.hvm;

import parhelion.abi.Errno;
import parhelion.cpu.Cpu;
import parhelion.cpu.CpuState;
import parhelion.cpu.Rflags;
import parhelion.pc.GuestInterface;
import parhelion.pc.PcVcpu;
import parhelion.xen.Calls32;
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
  private static final int[] ARGUMENTS64 = {
    CpuState.RDI, CpuState.RSI, CpuState.RDX, CpuState.R10, CpuState.R8
  };

  private static final int[] ARGUMENTS32 = {
    CpuState.RBX, CpuState.RCX, CpuState.RDX, CpuState.RSI, CpuState.RDI
  };

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
    domain.narrow(vcpu.cpu().codeBits != 64);
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
      } else if (cpu.codeBits == 64) {
        result = call64(v, cpu);
      } else {
        result =
            Calls32.call(
                v,
                cpu.get32(CpuState.RAX),
                cpu.get32(CpuState.RBX),
                cpu.get32(CpuState.RCX),
                cpu.get32(CpuState.RDX),
                cpu.get32(CpuState.RSI),
                cpu.get32(CpuState.RDI));
      }
      if (cpu.codeBits == 64) {
        cpu.put64(CpuState.RAX, result);
      } else {
        cpu.put32(CpuState.RAX, (int) result);
      }
      cpu.rip(next);
    } catch (HypercallContinuation c) {
      int[] registers = cpu.codeBits == 64 ? ARGUMENTS64 : ARGUMENTS32;
      for (int i = 0; i < registers.length; i++) {
        cpu.put64(registers[i], v.continuation[i]);
      }
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
            cpu.get64(ARGUMENTS64[0]),
            cpu.get64(ARGUMENTS64[1]),
            cpu.get64(ARGUMENTS64[2]),
            cpu.get64(ARGUMENTS64[3]),
            cpu.get64(ARGUMENTS64[4]));
  }

  @Override
  public int waitingVector(PcVcpu vcpu) {
    return hvm.waitingVector(vcpu(vcpu));
  }

  @Override
  public void noticeEnds(PcVcpu vcpu) {
    levelEnds();
  }

  @Override
  public void levelEnds() {
    hvm.noticeSeen(domain.vcpus().getFirst());
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
