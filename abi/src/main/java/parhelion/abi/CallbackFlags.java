package parhelion.abi;

/** Flags of {@code CALLBACKOP_register} ({@code callback.h}). */
@XenNames(header = "callback.h", prefix = "CALLBACKF_")
public final class CallbackFlags {
  private CallbackFlags() {}

  public static final int MASK_EVENTS = 0x1;
}
