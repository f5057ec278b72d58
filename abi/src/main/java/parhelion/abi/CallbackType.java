package parhelion.abi;

import org.jspecify.annotations.Nullable;

/** Which entry point of the guest's kernel a callback is ({@code callback.h}). */
@XenNames(header = "callback.h", prefix = "CALLBACKTYPE_")
public enum CallbackType implements Numbered {
  EVENT(0, "CALLBACKTYPE_event"),
  FAILSAFE(1, "CALLBACKTYPE_failsafe"),
  SYSCALL(2, "CALLBACKTYPE_syscall"),
  SYSENTER_DEPRECATED(3, "CALLBACKTYPE_sysenter_deprecated"),
  NMI(4, "CALLBACKTYPE_nmi"),
  SYSENTER(5, "CALLBACKTYPE_sysenter"),
  SYSCALL32(7, "CALLBACKTYPE_syscall32");

  private static final @Nullable CallbackType[] BY_NR = ByNumber.table(values());

  private final int nr;
  private final String cName;

  CallbackType(int nr, String cName) {
    this.nr = nr;
    this.cName = cName;
  }

  /** The row with that number, or null if there is none. */
  public static @Nullable CallbackType of(long nr) {
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
