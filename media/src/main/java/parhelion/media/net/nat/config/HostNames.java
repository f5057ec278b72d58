package parhelion.media.net.nat.config;

import java.util.Locale;
import java.util.regex.Pattern;

/** What may be a host's name, and how two of them are compared. */
public final class HostNames {
  private static final int MAX_LENGTH = 253;
  private static final Pattern NAME =
      Pattern.compile(
          "[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*");

  private HostNames() {}

  /** In small letters, without a last dot. */
  public static String normal(String name) {
    String small = name.toLowerCase(Locale.ROOT);
    return small.endsWith(".") ? small.substring(0, small.length() - 1) : small;
  }

  /** Whether a normal name is one. */
  public static boolean isName(String normal) {
    return normal.length() <= MAX_LENGTH && NAME.matcher(normal).matches();
  }
}
