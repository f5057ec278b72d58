package parhelion.abi;

import parhelion.abi.Field.U64;

/** {@code struct arch_vcpu_info} ({@code xen-x86_64.h}): live. */
public final class ArchVcpuInfo {
  private ArchVcpuInfo() {}

  public static final Struct STRUCT = Struct.of("arch_vcpu_info", "arch-x86/xen-x86_64.h", 16);

  /** Where the last page fault that the guest was given happened. */
  public static final U64 CR2 = STRUCT.u64("cr2", 0);
}
