package parhelion.abi;

import parhelion.abi.Field.Part;

/**
 * {@code struct xen_compile_info} ({@code version.h}): who compiled Xen, as NUL-terminated strings;
 * the answer to {@link XenVersionOp#COMPILE_INFO}.
 */
public final class XenCompileInfo {
  private XenCompileInfo() {}

  public static final Struct STRUCT = Struct.of("xen_compile_info", "version.h", 144);
  public static final Part COMPILER = STRUCT.array("compiler", 0, 64, 1);
  public static final Part COMPILE_BY = STRUCT.array("compile_by", 64, 16, 1);
  public static final Part COMPILE_DOMAIN = STRUCT.array("compile_domain", 80, 32, 1);
  public static final Part COMPILE_DATE = STRUCT.array("compile_date", 112, 32, 1);
}
