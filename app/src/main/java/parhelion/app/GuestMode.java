package parhelion.app;

import java.util.Locale;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** The technique by which a kernel is run. */
enum GuestMode {
  /** Paravirtualisation: a Xen domain. */
  PARA,
  /** Full virtualisation: an emulated PC. */
  FULL;

  /** Reads para or full. */
  static final class Word implements ITypeConverter<GuestMode> {
    @Override
    public GuestMode convert(String text) {
      return switch (text.toLowerCase(Locale.ROOT)) {
        case "para" -> PARA;
        case "full" -> FULL;
        default -> throw new TypeConversionException("'" + text + "' is not para or full");
      };
    }
  }
}
