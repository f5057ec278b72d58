package parhelion.abi;

import parhelion.abi.Field.U64;

/**
 * {@code struct arch_shared_info} ({@code arch-x86/xen.h}): the guest's p2m as it tells the
 * toolstack.
 */
public final class ArchSharedInfo {
  private ArchSharedInfo() {}

  public static final Struct STRUCT = Struct.of("arch_shared_info", "arch-x86/xen.h", 48);
  public static final U64 MAX_PFN = STRUCT.u64("max_pfn", 0);
  public static final U64 PFN_TO_MFN_FRAME_LIST_LIST = STRUCT.u64("pfn_to_mfn_frame_list_list", 8);

  /** {@link NmiReason}. */
  public static final U64 NMI_REASON = STRUCT.u64("nmi_reason", 16);

  public static final U64 P2M_CR3 = STRUCT.u64("p2m_cr3", 24);
  public static final U64 P2M_VADDR = STRUCT.u64("p2m_vaddr", 32);
  public static final U64 P2M_GENERATION = STRUCT.u64("p2m_generation", 40);
}
