package parhelion.abi;

/** Spaces that {@code XENMEM_add_to_physmap} maps from ({@code memory.h}). */
@XenNames(header = "memory.h", prefix = "XENMAPSPACE_")
public final class Xenmapspace {
  private Xenmapspace() {}

  public static final int SHARED_INFO = 0;
  public static final int GRANT_TABLE = 1;
  public static final int GMFN = 2;
  public static final int GMFN_RANGE = 3;
  public static final int GMFN_FOREIGN = 4;
  public static final int DEV_MMIO = 5;
}
