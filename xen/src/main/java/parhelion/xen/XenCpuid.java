package parhelion.xen;

import static parhelion.cpu.CpuState.*;

import parhelion.abi.HvmCpuid;
import parhelion.cpu.Cpu;
import parhelion.cpu.Cpuid;

/**
 * CPUID as a paravirtual guest sees it: the processor's features without those that Xen keeps for
 * itself (large and global pages, SMEP, SMAP ...), and Xen's own leaves from 0x40000000.
 */
public final class XenCpuid {
  private static final int BASE = 0x4000_0000;
  private static final int LEAVES = 5;
  private static final int FULL_LEAVES = 4;

  private static final int OSXSAVE = 1 << 27;
  private static final int HYPERVISOR = 1 << 31;
  private static final int APIC = 1 << 9;

  /** Leaf 1 EDX: VME, PSE, MTRR, PGE, PSE-36. */
  private static final int HIDDEN_1_EDX = 1 << 1 | 1 << 3 | 1 << 12 | 1 << 13 | 1 << 17;

  /** Leaf 1 ECX: MONITOR, VMX, SMX, EIST, xTPR, PDCM, PCID, x2APIC, TSC-deadline. */
  private static final int HIDDEN_1_ECX =
      1 << 3 | 1 << 5 | 1 << 6 | 1 << 7 | 1 << 14 | 1 << 15 | 1 << 17 | 1 << 21 | 1 << 24;

  /** Leaf 7 EBX: SMEP, INVPCID, SMAP. */
  private static final int HIDDEN_7_EBX = 1 << 7 | 1 << 10 | 1 << 20;

  /** Leaf 0x80000001 EDX: 1 GiB pages. */
  private static final int HIDDEN_EXT_EDX = 1 << 26;

  static final long CR4_TSD = 1 << 2;
  static final long CR4_DE = 1 << 3;
  static final long CR4_FSGSBASE = 1 << 16;
  static final long CR4_OSXSAVE = 1 << 18;

  /** CR4 bits that the guest sets as it likes. */
  static final long CR4_GUEST = CR4_TSD | CR4_DE | CR4_FSGSBASE | CR4_OSXSAVE;

  /** CR4 bits that are as they are: PAE, OSFXSR, OSXMMEXCPT. */
  static final long CR4_FIXED = 1 << 5 | 1 << 9 | 1 << 10;

  private XenCpuid() {}

  /**
   * Fills EAX to EDX; {@code prefixed} says that the forced-emulation prefix was used, the kernel's
   * way to ask.
   */
  static void execute(Vcpu v, boolean prefixed) {
    Cpu c = v.cpu();
    int leaf = (int) c.get64(RAX);
    int subleaf = (int) c.get64(RCX);
    int[] r = leaf >>> 8 == BASE >>> 8 ? xen(v, leaf - BASE, subleaf) : policy(v, leaf, subleaf);
    if (leaf == 1) {
      boolean own = (v.state.cr4 & CR4_OSXSAVE) != 0;
      boolean leaked = prefixed && v.state.kernelMode && (r[2] & 1 << 26) != 0;
      r[2] = own || leaked ? r[2] | OSXSAVE : r[2] & ~OSXSAVE;
    }
    c.put32(RAX, r[0]);
    c.put32(RBX, r[1]);
    c.put32(RCX, r[2]);
    c.put32(RDX, r[3]);
  }

  private static int[] policy(Vcpu v, int leaf, int subleaf) {
    int[] r = Cpuid.query(v.cpu(), leaf, subleaf);
    switch (leaf) {
      case 1 -> {
        r[1] &= 0x00ff_ffff;
        r[2] = (r[2] & ~HIDDEN_1_ECX) | HYPERVISOR;
        r[3] = (r[3] & ~HIDDEN_1_EDX) | APIC;
      }
      case 7 -> {
        if (subleaf == 0) {
          r[1] &= ~HIDDEN_7_EBX;
        }
      }
      case 0xb -> r[3] = v.id() * 2;
      case 0x8000_0001 -> r[3] &= ~HIDDEN_EXT_EDX;
      case 0x8000_0007 -> r[3] &= ~(1 << 8); // not a TSC that survives migration
      default -> {}
    }
    return r;
  }

  /** EAX to EDX of leaf {@code index} of Xen's own. */
  public static int[] xen(Vcpu v, int index, int subleaf) {
    int[] r = new int[4];
    boolean full = v.domain().hvm() != null;
    switch (index) {
      case 0 -> {
        r[0] = BASE + (full ? FULL_LEAVES : LEAVES);
        r[1] = 0x566e_6558; // "XenVMMXenVMM"
        r[2] = 0x6558_4d4d;
        r[3] = 0x4d4d_566e;
      }
      case 1 -> r[0] = XenVersion.MAJOR << 16 | XenVersion.MINOR;
      case 2 -> {
        r[0] = 1; // hypercall pages
        r[1] = HypercallPage.MSR;
        r[2] = full ? 0 : 1; // MMU_PT_UPDATE_PRESERVE_AD
      }
      case 3 -> time(r, subleaf);
      case 4 -> {
        if (full && subleaf == 0) {
          r[0] = HvmCpuid.VCPU_ID_PRESENT | HvmCpuid.DOMID_PRESENT | HvmCpuid.UPCALL_VECTOR;
          r[1] = v.id();
          r[2] = v.domain().id();
        }
      }
      case 5 -> {
        if (!full && subleaf == 0) {
          long frames = v.domain().hypervisor().memory().frames();
          r[1] = 64 - Long.numberOfLeadingZeros(frames) + 12;
        }
      }
      default -> {}
    }
    return r;
  }

  /** The TSC: host's, safe, RDTSCP there, default mode, 1 GHz. */
  private static void time(int[] r, int subleaf) {
    switch (subleaf) {
      case 0 -> {
        r[0] = 1 << 1 | 1 << 2;
        r[2] = 1_000_000;
        r[3] = 1;
      }
      case 1 -> {
        r[2] = 0x8000_0000;
        r[3] = 1;
      }
      case 2 -> r[0] = 1_000_000;
      default -> {}
    }
  }
}
