package parhelion.abi;

import parhelion.abi.Field.U16;

/**
 * {@code struct grant_entry_header} ({@code grant_table.h}): what all forms of {@link GrantEntryV2}
 * begin with.
 */
public final class GrantEntryHeader {
  private GrantEntryHeader() {}

  public static final Struct STRUCT = Struct.of("grant_entry_header", "grant_table.h", 4);
  public static final U16 FLAGS = STRUCT.u16("flags", 0);
  public static final U16 DOMID = STRUCT.u16("domid", 2);
}
