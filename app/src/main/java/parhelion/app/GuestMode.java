package parhelion.app;

import java.util.Locale;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** The technique by which a kernel is run. */
enum GuestMode {
  /** Paravirtualisation: a Xen domain. */
  PARA,
  /** Full virtualisation: an emulated PC. */
  FULL,
  /**
   * Full virtualisation of processors and memory, without hardware: all else by Xen's interface.
   */
  PVH;

  /** Reads para, full or pvh. */
  static final class Word implements ITypeConverter<GuestMode> {
    @Override
    public GuestMode convert(String text) {
      return switch (text.toLowerCase(Locale.ROOT)) {
        case "para" -> PARA;
        case "full" -> FULL;
        case "pvh" -> PVH;
        default -> throw new TypeConversionException("'" + text + "' is not para, full or pvh");
      };
    }
  }
}
