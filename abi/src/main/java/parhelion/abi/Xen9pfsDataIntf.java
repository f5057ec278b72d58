package parhelion.abi;

import parhelion.abi.Field.Part;
import parhelion.abi.Field.U32;

/**
 * {@code struct xen_9pfs_data_intf} ({@code io/9pfs.h}): a ring's indices and the grants of its
 * data pages, of which the first half carries answers and the second half requests. Indices run
 * free; mask them by the half's size less 1.
 */
public final class Xen9pfsDataIntf {
  private Xen9pfsDataIntf() {}

  public static final Struct STRUCT = Struct.of("xen_9pfs_data_intf", "io/9pfs.h", 132);

  public static final U32 IN_CONS = STRUCT.u32("in_cons", 0);
  public static final U32 IN_PROD = STRUCT.u32("in_prod", 4);
  public static final U32 OUT_CONS = STRUCT.u32("out_cons", 64);
  public static final U32 OUT_PROD = STRUCT.u32("out_prod", 68);

  /** The data pages' number is 1 &lt;&lt; this. */
  public static final U32 RING_ORDER = STRUCT.u32("ring_order", 128);

  /** Grant references, as many as there are data pages. */
  public static final Part REF = STRUCT.array("ref", 132, 0, 4);
}
