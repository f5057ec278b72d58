package parhelion.pc;

import parhelion.cpu.Cpu;
import parhelion.cpu.Cpuid;

/**
 * What CPUID says beyond the processor itself: the local APIC, its timer, the other processors, and
 * the rate of the clocks, so that software need not measure it.
 */
final class PcCpuid {
  private static final int MAX_LEAF = 0x16;

  private static final int ECX_X2APIC = 1 << 21;
  private static final int ECX_TSC_DEADLINE = 1 << 24;
  private static final int ECX_HYPERVISOR = 1 << 31;
  private static final int EDX_MCE = 1 << 7;
  private static final int EDX_APIC = 1 << 9;
  private static final int EDX_MTRR = 1 << 12;
  private static final int EDX_MCA = 1 << 14;
  private static final int EDX_HTT = 1 << 28;
  private static final int EDX_INVARIANT_TSC = 1 << 8;

  /** The local APIC's timer never stops. */
  private static final int EAX_ARAT = 1 << 2;

  private static final int HERTZ = 1_000_000_000;
  private static final int MEGAHERTZ = 1000;

  private PcCpuid() {}

  /** EAX, EBX, ECX, EDX of a leaf. */
  static int[] query(
      Cpu cpu, int leaf, int subleaf, PcVcpu vcpu, int processors, GuestInterface offered) {
    if (leaf >>> 16 == GuestInterface.FIRST_LEAF >>> 16 && offered.isOffered()) {
      int[] r = new int[4];
      offered.cpuid(vcpu, leaf, subleaf, r);
      return r;
    }
    int[] r = Cpuid.query(cpu, leaf, subleaf);
    int id = vcpu.apic().id();
    switch (leaf) {
      case 0 -> r[0] = MAX_LEAF;
      case 1 -> {
        r[1] = r[1] & 0xffff | Math.min(processors, 255) << 16 | id << 24;
        r[2] |= ECX_X2APIC | ECX_TSC_DEADLINE | (offered.isOffered() ? ECX_HYPERVISOR : 0);
        r[3] |= EDX_MCE | EDX_MCA | EDX_MTRR | (vcpu.apic().isEnabled() ? EDX_APIC : 0);
        r[3] |= processors > 1 ? EDX_HTT : 0;
      }
      case 4 -> {
        if ((r[0] & 31) != 0) {
          r[0] |= coreMask(processors) << 26;
        }
      }
      case 6 -> r[0] |= EAX_ARAT;
      case 0xb -> topology(r, subleaf, id, processors);
      // A hypervisor does not promise that the counter's rate outlives a move to another host.
      case 0x8000_0007 -> r[3] &= offered.isOffered() ? ~EDX_INVARIANT_TSC : -1;
      case 0x15 -> {
        r[0] = 1;
        r[1] = 1;
        r[2] = HERTZ;
      }
      case 0x16 -> {
        r[0] = MEGAHERTZ;
        r[1] = MEGAHERTZ;
        r[2] = MEGAHERTZ;
      }
      default -> {}
    }
    return r;
  }

  /** Numbers of cores in a package, less one, rounded up to a power of two. */
  private static int coreMask(int processors) {
    return (1 << bits(processors)) - 1;
  }

  private static int bits(int processors) {
    return 32 - Integer.numberOfLeadingZeros(processors - 1);
  }

  /** One thread a core, all cores in one package. */
  private static void topology(int[] r, int subleaf, int id, int processors) {
    r[0] = 0;
    r[1] = 0;
    r[2] = subleaf & 0xff;
    r[3] = id;
    if (subleaf == 0) {
      r[1] = 1;
      r[2] |= 1 << 8;
    } else if (subleaf == 1) {
      r[0] = bits(processors);
      r[1] = processors;
      r[2] |= 2 << 8;
    }
  }
}
