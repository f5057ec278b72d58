package parhelion.app.image;

import java.util.Locale;
import parhelion.media.disk.ImageFormat;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** How sizes and formats are written on the command line, and shown. */
final class Sizes {
  private static final String UNITS = "KMGT";

  private Sizes() {}

  /** Reads a size such as 20G; units are powers of 1024. */
  static long parse(String text) {
    int length = text.length();
    int unit = length == 0 ? -1 : UNITS.indexOf(Character.toUpperCase(text.charAt(length - 1)));
    try {
      String digits = unit < 0 ? text : text.substring(0, length - 1);
      long value = Long.parseLong(digits);
      long bytes = Math.multiplyExact(value, 1L << (10 * (unit + 1)));
      if (value > 0 && bytes <= 1L << 53 && Character.isDigit(digits.charAt(0))) {
        return bytes;
      }
    } catch (NumberFormatException | ArithmeticException e) {
      // Said below.
    }
    throw new TypeConversionException("'" + text + "' is not a size such as 512M or 20G");
  }

  /** A size for people, such as 1.5 GiB. */
  static String show(long bytes) {
    double value = bytes;
    String unit = "bytes";
    for (char each : UNITS.toCharArray()) {
      if (value < 1024) {
        break;
      }
      value /= 1024;
      unit = each + "iB";
    }
    return unit.equals("bytes")
        ? bytes + " bytes"
        : String.format(Locale.ROOT, value < 10 ? "%.1f %s" : "%.0f %s", value, unit);
  }

  /** The size of a disk: whole sectors. */
  static final class DiskSize implements ITypeConverter<Long> {
    @Override
    public Long convert(String text) {
      long bytes = parse(text);
      if (bytes % 512 != 0) {
        throw new TypeConversionException("'" + text + "' is not a multiple of 512 bytes");
      }
      return bytes;
    }
  }

  /** The size of a cluster. */
  static final class ClusterSize implements ITypeConverter<Integer> {
    @Override
    public Integer convert(String text) {
      long bytes = parse(text);
      if (Long.bitCount(bytes) != 1 || bytes < 512 || bytes > 2 << 20) {
        throw new TypeConversionException("'" + text + "' is not a power of two from 512 to 2M");
      }
      return (int) bytes;
    }
  }

  /** A format's name. */
  static final class Format implements ITypeConverter<ImageFormat> {
    @Override
    public ImageFormat convert(String text) {
      ImageFormat format = ImageFormat.of(text.toLowerCase(Locale.ROOT));
      if (format == null) {
        throw new TypeConversionException("'" + text + "' is not raw or qcow2");
      }
      return format;
    }
  }
}
