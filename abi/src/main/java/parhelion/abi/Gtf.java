package parhelion.abi;

/** Flags of a grant entry ({@code grant_table.h}). */
@XenNames(header = "grant_table.h", prefix = "GTF_")
public final class Gtf {
  private Gtf() {}

  public static final int INVALID = 0x0;

  /** The peer may map the frame. */
  public static final int PERMIT_ACCESS = 0x1;

  public static final int ACCEPT_TRANSFER = 0x2;
  public static final int TRANSITIVE = 0x3;

  /** {@link #INVALID}, {@link #PERMIT_ACCESS}, {@link #ACCEPT_TRANSFER} or {@link #TRANSITIVE}. */
  public static final int TYPE_MASK = 0x3;

  /** The peer may not write. */
  public static final int READONLY = 0x4;

  public static final int TRANSFER_COMMITTED = 0x4;

  /** Set by Xen while the frame is mapped or read. */
  public static final int READING = 0x8;

  public static final int TRANSFER_COMPLETED = 0x8;

  /** Set by Xen while the frame is mapped writable or written. */
  public static final int WRITING = 0x10;

  public static final int PWT = 0x20;
  public static final int PCD = 0x40;
  public static final int PAT = 0x80;
  public static final int SUB_PAGE = 0x100;
}
