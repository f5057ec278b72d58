package parhelion.media.net.nat.config;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import parhelion.media.net.nat.wire.IpAddress;

/** The grammar that options with addresses and ports share. */
final class Endpoint {
  private static final int MAX_PORT = 65535;

  private Endpoint() {}

  /** An option without its transport. */
  record Split(String text, Transport transport) {}

  /** Takes {@code /tcp} or {@code /udp} off the end; TCP without either. */
  static Split transport(String option, String text) {
    int slash = text.lastIndexOf('/');
    if (slash < 0) {
      return new Split(text, Transport.TCP);
    }
    return switch (text.substring(slash + 1).toLowerCase(Locale.ROOT)) {
      case "tcp" -> new Split(text.substring(0, slash), Transport.TCP);
      case "udp" -> new Split(text.substring(0, slash), Transport.UDP);
      default ->
          throw new NatException(
              option + " " + text + ": '" + text.substring(slash) + "' is neither /tcp nor /udp");
    };
  }

  /** Parts at colons; what is in brackets is one part, without them. */
  static List<String> parts(String option, String text) {
    List<String> parts = new ArrayList<>();
    int at = 0;
    while (true) {
      int end;
      if (at < text.length() && text.charAt(at) == '[') {
        end = text.indexOf(']', at) + 1;
        if (end == 0 || end < text.length() && text.charAt(end) != ':') {
          throw new NatException(option + " " + text + ": write [ADDRESS]:PORT");
        }
        parts.add(text.substring(at + 1, end - 1));
      } else {
        end = text.indexOf(':', at);
        end = end < 0 ? text.length() : end;
        parts.add(text.substring(at, end));
      }
      if (end == text.length()) {
        return parts;
      }
      at = end + 1;
    }
  }

  static int port(String option, String text, String digits, int lowest) {
    if (digits.matches("\\d{1,5}")) {
      int port = Integer.parseInt(digits);
      if (port >= lowest && port <= MAX_PORT) {
        return port;
      }
    }
    throw new NatException(
        option + " " + text + ": '" + digits + "' is no port (" + lowest + " to " + MAX_PORT + ")");
  }

  static IpAddress address(String option, String text, String address) {
    @Nullable IpAddress parsed = IpAddress.parse(address);
    if (parsed == null) {
      throw new NatException(option + " " + text + ": '" + address + "' is no IP address");
    }
    return parsed;
  }
}
