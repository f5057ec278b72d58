package parhelion.abi;

/** Where Xen's part of the GDT starts ({@code arch-x86/xen.h}): page, byte offset, entry. */
@XenNames(header = "arch-x86/xen.h", prefix = "FIRST_RESERVED_GDT_")
public final class ReservedGdt {
  private ReservedGdt() {}

  public static final int PAGE = 0xe;
  public static final int ENTRY = 0x1c00;
  public static final int BYTE = 0xe000;
}
