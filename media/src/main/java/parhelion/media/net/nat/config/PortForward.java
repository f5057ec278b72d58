package parhelion.media.net.nat.config;

import java.util.List;
import org.jspecify.annotations.Nullable;
import parhelion.media.net.nat.wire.IpAddress;

/**
 * A port of the host that leads to a port of the guest.
 *
 * @param hostAddress what the host's port is bound to
 * @param hostPort 0 for one that the host picks
 * @param guestAddress null for the first guest's
 */
public record PortForward(
    Transport transport,
    IpAddress hostAddress,
    int hostPort,
    @Nullable IpAddress guestAddress,
    int guestPort) {
  private static final String OPTION = "--publish";
  private static final IpAddress LOOPBACK = IpAddress.v4(0x7f000001);

  /**
   * Reads {@code [HOSTADDRESS:]HOSTPORT:[GUESTADDRESS:]GUESTPORT[/tcp|/udp]}, IPv6 addresses in
   * brackets. The host's address is 127.0.0.1 by default.
   */
  public static PortForward parse(String text) {
    Endpoint.Split split = Endpoint.transport(OPTION, text);
    List<String> parts = Endpoint.parts(OPTION, split.text());
    int hostPort = parts.size() > 2 && !parts.getFirst().matches("\\d+") ? 1 : 0;
    int left = parts.size() - hostPort - 1;
    if (left < 1 || left > 2) {
      throw new NatException(
          OPTION + " " + text + ": write [HOSTADDRESS:]HOSTPORT:[GUESTADDRESS:]GUESTPORT[/udp]");
    }
    return new PortForward(
        split.transport(),
        hostPort == 0 ? LOOPBACK : Endpoint.address(OPTION, text, parts.getFirst()),
        Endpoint.port(OPTION, text, parts.get(hostPort), 0),
        left == 1 ? null : Endpoint.address(OPTION, text, parts.get(hostPort + 1)),
        Endpoint.port(OPTION, text, parts.getLast(), 1));
  }

  /** With the port that the host picked. */
  public PortForward withHostPort(int port) {
    return new PortForward(transport, hostAddress, port, guestAddress, guestPort);
  }

  @Override
  public String toString() {
    return hostAddress.inUrl()
        + ":"
        + hostPort
        + ":"
        + (guestAddress == null ? "" : guestAddress.inUrl() + ":")
        + guestPort
        + "/"
        + transport;
  }
}
