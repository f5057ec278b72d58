package parhelion.abi;

import org.jspecify.annotations.Nullable;
import parhelion.abi.VersionArgs.XenBuildId;
import parhelion.abi.VersionArgs.XenFeatureInfo;
import parhelion.abi.VersionArgs.XenPlatformParameters;
import parhelion.abi.VersionArgs.XenVarbuf;

/**
 * Sub-ops of {@code xen_version} ({@code version.h}). Those without a structure fill in a string,
 * or return their answer.
 */
@XenNames(header = "version.h", prefix = "XENVER_")
public enum XenVersionOp implements SubOp {
  VERSION(0, "XENVER_version", null),
  EXTRAVERSION(1, "XENVER_extraversion", null),
  COMPILE_INFO(2, "XENVER_compile_info", XenCompileInfo.STRUCT),
  CAPABILITIES(3, "XENVER_capabilities", null),
  CHANGESET(4, "XENVER_changeset", null),
  PLATFORM_PARAMETERS(5, "XENVER_platform_parameters", XenPlatformParameters.STRUCT),
  GET_FEATURES(6, "XENVER_get_features", XenFeatureInfo.STRUCT),
  PAGESIZE(7, "XENVER_pagesize", null),
  GUEST_HANDLE(8, "XENVER_guest_handle", null),
  COMMANDLINE(9, "XENVER_commandline", null),
  BUILD_ID(10, "XENVER_build_id", XenBuildId.STRUCT),
  EXTRAVERSION2(11, "XENVER_extraversion2", XenVarbuf.STRUCT),
  CAPABILITIES2(12, "XENVER_capabilities2", XenVarbuf.STRUCT),
  CHANGESET2(13, "XENVER_changeset2", XenVarbuf.STRUCT),
  COMMANDLINE2(14, "XENVER_commandline2", XenVarbuf.STRUCT);

  private static final @Nullable XenVersionOp[] BY_NR = ByNumber.table(values());

  private final int nr;
  private final String cName;

  @SuppressWarnings("ImmutableEnumChecker") // a record of a name, a name and a number
  private final @Nullable Struct argument;

  XenVersionOp(int nr, String cName, @Nullable Struct argument) {
    this.nr = nr;
    this.cName = cName;
    this.argument = argument;
  }

  /** The row with that number, or null if there is none. */
  public static @Nullable XenVersionOp of(long nr) {
    return nr >= 0 && nr < BY_NR.length ? BY_NR[(int) nr] : null;
  }

  @Override
  public int nr() {
    return nr;
  }

  @Override
  public String cName() {
    return cName;
  }

  @Override
  public @Nullable Struct argument() {
    return argument;
  }
}
