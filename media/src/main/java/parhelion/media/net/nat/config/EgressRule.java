package parhelion.media.net.nat.config;

import java.util.Locale;
import org.jspecify.annotations.Nullable;
import parhelion.media.net.nat.wire.Cidr;

/** A row of the list of what guests may reach, once there is such a list. */
public sealed interface EgressRule {
  /** All addresses of a range. */
  record Range(Cidr cidr) implements EgressRule {}

  /**
   * The addresses that the DNS forwarder answered for a name, for as long as the answers live.
   *
   * @param name in small letters, without the last dot
   * @param below all names below it, and not itself: {@code *.NAME}; below the empty name are all
   */
  record Name(String name, boolean below) implements EgressRule {
    /** Whether a name (in small letters, without the last dot) is meant. */
    public boolean matches(String asked) {
      return below ? name.isEmpty() || asked.endsWith("." + name) : asked.equals(name);
    }
  }

  /** Reads {@code ADDRESS}, {@code ADDRESS/BITS}, {@code NAME}, {@code *.NAME} or {@code *}. */
  static EgressRule parse(String text) {
    @Nullable Cidr cidr = Cidr.parse(text);
    if (cidr != null) {
      return new Range(cidr);
    }
    if (text.equals("*")) {
      return new Name("", true);
    }
    boolean below = text.startsWith("*.");
    String name = HostNames.normal(below ? text.substring(2) : text);
    if (!HostNames.isName(name) || name.matches("[\\d.]+")) {
      throw new NatException(
          "--allow "
              + text
              + ": neither ADDRESS, ADDRESS/BITS (with no bits set beyond BITS), NAME nor *.NAME");
    }
    return new Name(name.toLowerCase(Locale.ROOT), below);
  }
}
