package parhelion.media.net.nat.config;

import java.util.List;
import parhelion.media.net.nat.wire.IpAddress;

/**
 * A service of the host that guests reach at a port of the gateway, though the host is closed to
 * them.
 *
 * @param gatewayPort where guests find it
 * @param hostAddress where the host has it: its loopback address, as a rule
 */
public record HostService(
    Transport transport, int gatewayPort, IpAddress hostAddress, int hostPort) {
  private static final String OPTION = "--allow-host";
  private static final IpAddress LOOPBACK = IpAddress.v4(0x7f000001);

  /** Reads {@code [GATEWAYPORT:][HOSTADDRESS:]PORT[/tcp|/udp]}. */
  public static HostService parse(String text) {
    Endpoint.Split split = Endpoint.transport(OPTION, text);
    List<String> parts = Endpoint.parts(OPTION, split.text());
    int port = Endpoint.port(OPTION, text, parts.getLast(), 1);
    boolean renamed = parts.size() > 1 && parts.getFirst().matches("\\d+");
    int addressAt = renamed ? 1 : 0;
    int left = parts.size() - addressAt - 1;
    if (left < 0 || left > 1) {
      throw new NatException(
          OPTION + " " + text + ": write [GATEWAYPORT:][HOSTADDRESS:]PORT[/udp]");
    }
    return new HostService(
        split.transport(),
        renamed ? Endpoint.port(OPTION, text, parts.getFirst(), 1) : port,
        left == 0 ? LOOPBACK : Endpoint.address(OPTION, text, parts.get(addressAt)),
        port);
  }
}
