package parhelion.abi;

import org.jspecify.annotations.Nullable;
import parhelion.abi.CallbackArgs.CallbackRegister;
import parhelion.abi.CallbackArgs.CallbackUnregister;

/** Sub-ops of {@code callback_op} ({@code callback.h}). */
@XenNames(header = "callback.h", prefix = "CALLBACKOP_")
public enum CallbackOp implements SubOp {
  REGISTER(0, "CALLBACKOP_register", CallbackRegister.STRUCT),
  UNREGISTER(1, "CALLBACKOP_unregister", CallbackUnregister.STRUCT);

  private static final @Nullable CallbackOp[] BY_NR = ByNumber.table(values());

  private final int nr;
  private final String cName;

  @SuppressWarnings("ImmutableEnumChecker") // a record of a name, a name and a number
  private final @Nullable Struct argument;

  CallbackOp(int nr, String cName, @Nullable Struct argument) {
    this.nr = nr;
    this.cName = cName;
    this.argument = argument;
  }

  /** The row with that number, or null if there is none. */
  public static @Nullable CallbackOp of(long nr) {
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
