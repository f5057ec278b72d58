package parhelion.abi;

import parhelion.abi.Field.Part;
import parhelion.abi.Field.U32;
import parhelion.abi.Field.U64;

/**
 * {@code struct start_info} ({@code xen.h}): the page that {@code rsi} points at when a guest
 * starts.
 */
public final class StartInfo {
  private StartInfo() {}

  public static final Struct STRUCT = Struct.of("start_info", "xen.h", 1168);

  /** {@code xen-<version>-<platform>}, NUL-terminated. */
  public static final Part MAGIC = STRUCT.array("magic", 0, 32, 1);

  public static final U64 NR_PAGES = STRUCT.u64("nr_pages", 32);

  /** A machine address, not a frame number. */
  public static final U64 SHARED_INFO = STRUCT.u64("shared_info", 40);

  /** {@link Sif}. */
  public static final U32 FLAGS = STRUCT.u32("flags", 48);

  public static final U64 STORE_MFN = STRUCT.u64("store_mfn", 56);
  public static final U32 STORE_EVTCHN = STRUCT.u32("store_evtchn", 64);
  public static final U64 CONSOLE_MFN = STRUCT.u64("console.domU.mfn", 72);
  public static final U32 CONSOLE_INFO_OFF = STRUCT.u32("console.dom0.info_off", 72);
  public static final U32 CONSOLE_INFO_SIZE = STRUCT.u32("console.dom0.info_size", 76);
  public static final U32 CONSOLE_EVTCHN = STRUCT.u32("console.domU.evtchn", 80);

  /** Virtual address of the top-level page table. */
  public static final U64 PT_BASE = STRUCT.u64("pt_base", 88);

  public static final U64 NR_PT_FRAMES = STRUCT.u64("nr_pt_frames", 96);

  /** Virtual address of the p2m list. */
  public static final U64 MFN_LIST = STRUCT.u64("mfn_list", 104);

  /** Virtual address of the module; a pfn if {@link Sif#MOD_START_PFN} is set. 0: none. */
  public static final U64 MOD_START = STRUCT.u64("mod_start", 112);

  public static final U64 MOD_LEN = STRUCT.u64("mod_len", 120);
  public static final Part CMD_LINE = STRUCT.array("cmd_line", 128, 1024, 1);

  /** Only if the kernel asked for its p2m list elsewhere, by {@link ElfNote#INIT_P2M}. */
  public static final U64 FIRST_P2M_PFN = STRUCT.u64("first_p2m_pfn", 1152);

  public static final U64 NR_P2M_FRAMES = STRUCT.u64("nr_p2m_frames", 1160);
}
