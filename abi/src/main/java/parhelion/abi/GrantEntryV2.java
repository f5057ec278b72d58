package parhelion.abi;

import parhelion.abi.Field.Part;
import parhelion.abi.Field.U16;
import parhelion.abi.Field.U32;
import parhelion.abi.Field.U64;

/**
 * {@code union grant_entry_v2} ({@code grant_table.h}): live; its use is in an array of status
 * words elsewhere.
 */
public final class GrantEntryV2 {
  private GrantEntryV2() {}

  public static final Struct STRUCT = Struct.of("grant_entry_v2", "grant_table.h", 16);
  public static final Part HDR = STRUCT.part("hdr", 0, GrantEntryHeader.STRUCT);
  public static final U16 SUB_PAGE_PAGE_OFF = STRUCT.u16("sub_page.page_off", 4);
  public static final U16 TRANSITIVE_TRANS_DOMID = STRUCT.u16("transitive.trans_domid", 4);
  public static final U16 SUB_PAGE_LENGTH = STRUCT.u16("sub_page.length", 6);
  public static final U64 FULL_PAGE_FRAME = STRUCT.u64("full_page.frame", 8);
  public static final U64 SUB_PAGE_FRAME = STRUCT.u64("sub_page.frame", 8);
  public static final U32 TRANSITIVE_GREF = STRUCT.u32("transitive.gref", 8);
}
