package parhelion.abi;

/** Bits of EAX of Xen's CPUID leaf 4, of fully virtualised domains ({@code arch-x86/cpuid.h}). */
@XenNames(header = "arch-x86/cpuid.h", prefix = "XEN_HVM_CPUID_")
public final class HvmCpuid {
  private HvmCpuid() {}

  public static final int VCPU_ID_PRESENT = 8;
  public static final int DOMID_PRESENT = 16;
  public static final int UPCALL_VECTOR = 64;
}
