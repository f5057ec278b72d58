package parhelion.toolstack.device;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Whose paravirtual interface a PC offers to its software, beside the hardware. */
public enum PcInterface {
  /** Nobody's: bare hardware. */
  NONE,
  /** Xen's, as fully virtualised domains have it. */
  XEN,
  /** KVM's. */
  KVM;

  /** The interface of that name, or null. */
  public static @Nullable PcInterface of(String name) {
    for (PcInterface each : values()) {
      if (each.name().toLowerCase(Locale.ROOT).equals(name.toLowerCase(Locale.ROOT))) {
        return each;
      }
    }
    return null;
  }
}
