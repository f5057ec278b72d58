package parhelion.abi;

import parhelion.abi.Field.U16;
import parhelion.abi.Field.U32;

/**
 * {@code struct grant_entry_v1} ({@code grant_table.h}): live; the header and the frame are checked
 * in one compare-and-swap.
 */
public final class GrantEntryV1 {
  private GrantEntryV1() {}

  public static final Struct STRUCT = Struct.of("grant_entry_v1", "grant_table.h", 8);

  /** {@link Gtf}. */
  public static final U16 FLAGS = STRUCT.u16("flags", 0);

  public static final U16 DOMID = STRUCT.u16("domid", 2);
  public static final U32 FRAME = STRUCT.u32("frame", 4);
}
