package parhelion.abi;

/**
 * Domain numbers with a meaning ({@code xen.h}): from {@link #FIRST_RESERVED} on, none is a
 * domain's own.
 */
@XenNames(header = "xen.h", prefix = "DOMID_")
public final class Domid {
  private Domid() {}

  public static final int FIRST_RESERVED = 0x7ff0;
  public static final int SELF = 0x7ff0;
  public static final int IO = 0x7ff1;
  public static final int XEN = 0x7ff2;
  public static final int COW = 0x7ff3;
  public static final int INVALID = 0x7ff4;
  public static final int ANY = 0x7ff5;
  public static final int IDLE = 0x7fff;
  public static final int MASK = 0x7fff;
}
