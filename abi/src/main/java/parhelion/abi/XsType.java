package parhelion.abi;

import org.jspecify.annotations.Nullable;

/** Message types of the xenstore protocol ({@code xs_wire.h}). */
@XenNames(
    header = "io/xs_wire.h",
    prefix = "XS_",
    except = {"XS_INVALID", "XS_TYPE_COUNT"})
public enum XsType implements Numbered {
  CONTROL(0, "XS_CONTROL"),
  DIRECTORY(1, "XS_DIRECTORY"),
  READ(2, "XS_READ"),
  GET_PERMS(3, "XS_GET_PERMS"),
  WATCH(4, "XS_WATCH"),
  UNWATCH(5, "XS_UNWATCH"),
  TRANSACTION_START(6, "XS_TRANSACTION_START"),
  TRANSACTION_END(7, "XS_TRANSACTION_END"),
  INTRODUCE(8, "XS_INTRODUCE"),
  RELEASE(9, "XS_RELEASE"),
  GET_DOMAIN_PATH(10, "XS_GET_DOMAIN_PATH"),
  WRITE(11, "XS_WRITE"),
  MKDIR(12, "XS_MKDIR"),
  RM(13, "XS_RM"),
  SET_PERMS(14, "XS_SET_PERMS"),
  WATCH_EVENT(15, "XS_WATCH_EVENT"),
  ERROR(16, "XS_ERROR"),
  IS_DOMAIN_INTRODUCED(17, "XS_IS_DOMAIN_INTRODUCED"),
  RESUME(18, "XS_RESUME"),
  SET_TARGET(19, "XS_SET_TARGET"),
  RESET_WATCHES(21, "XS_RESET_WATCHES"),
  DIRECTORY_PART(22, "XS_DIRECTORY_PART"),
  GET_FEATURE(23, "XS_GET_FEATURE"),
  SET_FEATURE(24, "XS_SET_FEATURE"),
  GET_QUOTA(25, "XS_GET_QUOTA"),
  SET_QUOTA(26, "XS_SET_QUOTA");

  private static final @Nullable XsType[] BY_NR = ByNumber.table(values());

  private final int nr;
  private final String cName;

  XsType(int nr, String cName) {
    this.nr = nr;
    this.cName = cName;
  }

  /** The row with that number, or null if there is none. */
  public static @Nullable XsType of(long nr) {
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
}
