package parhelion.abi;

/** Bits of {@code mem_flags} in a memory reservation ({@code memory.h}). */
@XenNames(header = "memory.h", prefix = "XENMEMF_")
public final class Xenmemf {
  private Xenmemf() {}

  public static final int POPULATE_ON_DEMAND = 0x0001_0000;
  public static final int EXACT_NODE_REQUEST = 0x0002_0000;
  public static final int VNODE = 0x0004_0000;
}
