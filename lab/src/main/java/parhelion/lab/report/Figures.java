package parhelion.lab.report;

import java.util.Locale;

/** How numbers are shown: three digits that mean something, and units that fit. */
final class Figures {
  private Figures() {}

  /** A number with three significant digits: 0.0123, 1.23, 12.3, 123, 12,345. */
  static String number(double value) {
    double size = Math.abs(value);
    if (size >= 1e15) {
      return String.format(Locale.ROOT, "%.2e", value);
    }
    if (size >= 99.95) {
      return String.format(Locale.ROOT, "%,.0f", value);
    }
    if (size >= 9.995) {
      return String.format(Locale.ROOT, "%.1f", value);
    }
    if (size >= 0.9995 || size == 0) {
      return size == 0 ? "0" : String.format(Locale.ROOT, "%.2f", value);
    }
    return size < 1e-4
        ? String.format(Locale.ROOT, "%.1e", value)
        : String.format(Locale.ROOT, "%." + (2 - (int) Math.floor(Math.log10(size))) + "f", value);
  }

  /** A time with a unit that fits. */
  static String time(double nanos) {
    double size = Math.abs(nanos);
    if (size >= 1e9) {
      return number(nanos / 1e9) + " s";
    }
    if (size >= 1e6) {
      return number(nanos / 1e6) + " ms";
    }
    if (size >= 1e3) {
      return number(nanos / 1e3) + " us";
    }
    return number(nanos) + " ns";
  }

  /** A size with a unit that fits. */
  static String bytes(double bytes) {
    double size = Math.abs(bytes);
    if (size >= 1 << 30) {
      return number(bytes / (1 << 30)) + " GiB";
    }
    if (size >= 1 << 20) {
      return number(bytes / (1 << 20)) + " MiB";
    }
    if (size >= 1 << 10) {
      return number(bytes / (1 << 10)) + " KiB";
    }
    return number(bytes) + " B";
  }

  /** A share as whole per cents. */
  static String percent(double share) {
    return String.format(Locale.ROOT, "%.0f %%", 100 * share);
  }

  /** A confidence, never rounded up. */
  static String confidence(double confidence) {
    return String.format(Locale.ROOT, "%.0f %%", Math.floor(100 * confidence));
  }

  /** Text from a file or guest, without what could steer a terminal. */
  static String printable(String text) {
    return text.replaceAll("[\\p{Cntrl}\\p{Cf}\\u2028\\u2029]", "?");
  }
}
