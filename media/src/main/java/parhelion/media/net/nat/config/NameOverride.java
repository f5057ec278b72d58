package parhelion.media.net.nat.config;

import parhelion.media.net.nat.wire.IpAddress;

/**
 * An address that the DNS forwarder answers by itself for a name.
 *
 * @param name in small letters, without the last dot
 */
public record NameOverride(String name, IpAddress address) {
  /** Reads {@code NAME=ADDRESS}. */
  public static NameOverride parse(String text) {
    int equals = text.indexOf('=');
    String name = HostNames.normal(text.substring(0, Math.max(equals, 0)));
    if (!HostNames.isName(name)) {
      throw new NatException("--dns-name " + text + ": write NAME=ADDRESS");
    }
    return new NameOverride(name, Endpoint.address("--dns-name", text, text.substring(equals + 1)));
  }
}
