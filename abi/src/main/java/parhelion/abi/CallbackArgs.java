package parhelion.abi;

import parhelion.abi.Field.U16;
import parhelion.abi.Field.U64;

/**
 * Arguments of {@link CallbackOp} and {@link NmiOp} ({@code callback.h}, {@code nmi.h}), copied in
 * by value.
 */
public final class CallbackArgs {
  private CallbackArgs() {}

  /**
   * {@code struct callback_register}: {@code type} is a {@link CallbackType}, flags are {@link
   * CallbackFlags}.
   */
  public record CallbackRegister(int type, int flags, long address) {
    public static final Struct STRUCT = Struct.of("callback_register", "callback.h", 16);
    public static final U16 TYPE = STRUCT.u16("type", 0);
    public static final U16 FLAGS = STRUCT.u16("flags", 2);
    public static final U64 ADDRESS = STRUCT.u64("address", 8);

    public static CallbackRegister read(Bytes b, long at) {
      return new CallbackRegister(TYPE.get(b, at), FLAGS.get(b, at), ADDRESS.get(b, at));
    }
  }

  /** {@code struct callback_unregister}: no longer. */
  public record CallbackUnregister(int type) {
    public static final Struct STRUCT = Struct.of("callback_unregister", "callback.h", 4);
    public static final U16 TYPE = STRUCT.u16("type", 0);

    public static CallbackUnregister read(Bytes b, long at) {
      return new CallbackUnregister(TYPE.get(b, at));
    }
  }

  /** {@code struct xennmi_callback}: where NMIs go. */
  public record XennmiCallback(long handlerAddress) {
    public static final Struct STRUCT = Struct.of("xennmi_callback", "nmi.h", 16);
    public static final U64 HANDLER_ADDRESS = STRUCT.u64("handler_address", 0);

    public static XennmiCallback read(Bytes b, long at) {
      return new XennmiCallback(HANDLER_ADDRESS.get(b, at));
    }
  }
}
