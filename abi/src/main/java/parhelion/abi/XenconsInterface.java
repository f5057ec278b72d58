package parhelion.abi;

import parhelion.abi.Field.Part;
import parhelion.abi.Field.U32;
import parhelion.abi.Field.U8;

/**
 * {@code struct xencons_interface} ({@code io/console.h}): the console's ring, live. Indices run
 * free; mask them by the ring's size less 1.
 */
public final class XenconsInterface {
  private XenconsInterface() {}

  public static final Struct STRUCT = Struct.of("xencons_interface", "io/console.h", 3092);

  /** Towards the guest. */
  public static final Part IN = STRUCT.array("in", 0, 1024, 1);

  /** From the guest. */
  public static final Part OUT = STRUCT.array("out", 1024, 2048, 1);

  public static final U32 IN_CONS = STRUCT.u32("in_cons", 3072);
  public static final U32 IN_PROD = STRUCT.u32("in_prod", 3076);
  public static final U32 OUT_CONS = STRUCT.u32("out_cons", 3080);
  public static final U32 OUT_PROD = STRUCT.u32("out_prod", 3084);

  /** {@link XenConsoleState}. */
  public static final U8 CONNECTION = STRUCT.u8("connection", 3088);
}
