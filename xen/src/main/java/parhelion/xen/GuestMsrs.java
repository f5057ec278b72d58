package parhelion.xen;

import static parhelion.cpu.CpuState.*;

import parhelion.cpu.Cpu;
import parhelion.cpu.GuestFault;
import parhelion.xen.memory.FrameTable;

/** Model-specific registers as a paravirtual guest's kernel finds them; all others are #GP(0). */
final class GuestMsrs {
  private static final int TSC = 0x10;
  private static final int PLATFORM_ID = 0x17;
  private static final int APIC_BASE = 0x1b;
  private static final int UCODE_REV = 0x8b;
  private static final int SYSENTER_CS = 0x174;
  private static final int SYSENTER_EIP = 0x176;
  private static final int MISC_ENABLE = 0x1a0;
  private static final int CR_PAT = 0x277;
  private static final int PERF_CAPABILITIES = 0x345;
  private static final int EFER_MSR = 0xc000_0080;
  private static final int STAR_MSR = 0xc000_0081;
  private static final int FMASK_MSR = 0xc000_0084;
  private static final int FS_BASE_MSR = 0xc000_0100;
  private static final int GS_BASE_MSR = 0xc000_0101;
  private static final int SHADOW_GS_BASE = 0xc000_0102;
  private static final int TSC_AUX_MSR = 0xc000_0103;

  static final long PAT_VALUE = 0x0000_0501_0007_0406L;

  /** Fast strings; no branch trace, no precise sampling, no xTPR. */
  private static final long MISC_ENABLE_VALUE = 0x80_1801;

  private final Vcpu vcpu;

  GuestMsrs(Vcpu vcpu) {
    this.vcpu = vcpu;
  }

  /** Throws #GP(0) for registers that there are not. */
  long read(Cpu c, int msr) {
    return switch (msr) {
      case TSC -> vcpu.domain().hypervisor().clock().tsc();
      case PLATFORM_ID, UCODE_REV, PERF_CAPABILITIES -> 0;
      case APIC_BASE -> 0xfee0_0800L | (vcpu.id() == 0 ? 0x100 : 0);
      case MISC_ENABLE -> MISC_ENABLE_VALUE;
      case CR_PAT -> PAT_VALUE;
      case EFER_MSR -> c.get64(EFER);
      case FS_BASE_MSR -> c.get64(FS_BASE);
      case GS_BASE_MSR -> c.get64(GS_BASE);
      case SHADOW_GS_BASE -> c.get64(KERNEL_GS_BASE);
      case TSC_AUX_MSR -> c.get64(TSC_AUX);
      default -> {
        // Early in its life a guest without a #GP handler is told 0 for what the hardware has.
        boolean real =
            (msr >= SYSENTER_CS && msr <= SYSENTER_EIP) || (msr >= STAR_MSR && msr <= FMASK_MSR);
        if (real && vcpu.state.trapAddress[GuestFault.GP] == 0) {
          yield 0;
        }
        throw c.fault(GuestFault.GP, 0);
      }
    };
  }

  /** False for #GP(0). */
  boolean write(Cpu c, int msr, long value) {
    boolean canonical = value << 16 >> 16 == value;
    switch (msr) {
      case UCODE_REV, MISC_ENABLE -> {
        return true;
      }
      case EFER_MSR -> {
        return value == c.get64(EFER);
      }
      case FS_BASE_MSR -> c.put64(FS_BASE, canonical ? value : c.get64(FS_BASE));
      case GS_BASE_MSR -> c.put64(GS_BASE, canonical ? value : c.get64(GS_BASE));
      case SHADOW_GS_BASE -> c.put64(KERNEL_GS_BASE, canonical ? value : c.get64(KERNEL_GS_BASE));
      case TSC_AUX_MSR -> {
        if (value >>> 32 != 0) {
          return false;
        }
        c.put64(TSC_AUX, value);
        return true;
      }
      case HypercallPage.MSR -> {
        return hypercallPage(value);
      }
      default -> {
        return false;
      }
    }
    return canonical;
  }

  /** Fills the frame whose address is written, if it is the domain's and may be written. */
  private boolean hypercallPage(long value) {
    FrameTable frames = vcpu.domain().hypervisor().frames();
    long mfn = value >>> 12;
    if ((value & 0xfff) != 0 || !frames.getPageAndType(vcpu.domain(), mfn, FrameTable.WRITABLE)) {
      return false;
    }
    HypercallPage.fill(vcpu.domain().hypervisor().memory(), mfn);
    frames.putPageAndType(mfn);
    return true;
  }
}
