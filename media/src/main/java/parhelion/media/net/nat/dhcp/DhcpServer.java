package parhelion.media.net.nat.dhcp;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import parhelion.media.net.nat.config.NatConfig;
import parhelion.media.net.nat.config.Subnet;
import parhelion.media.net.nat.ip.Datagram;
import parhelion.media.net.nat.loop.Count;
import parhelion.media.net.nat.loop.Counts;
import parhelion.media.net.nat.loop.EventLoop;
import parhelion.media.net.nat.udp.UdpOutput;
import parhelion.media.net.nat.wire.IpAddress;
import parhelion.media.net.nat.wire.MacAddress;
import parhelion.media.net.nat.wire.Wire;

/**
 * A server of DHCPv4 (RFC 2131): a guest gets the same address as long as it is remembered, the
 * first guest that of the port forwards.
 */
public final class DhcpServer {
  public static final int SERVER_PORT = 67;
  private static final int CLIENT_PORT = 68;

  private static final int FILE_AT = 108;
  private static final int COOKIE_AT = 236;
  private static final int COOKIE = 0x63825363;
  private static final int OPTIONS_AT = 240;
  private static final int MIN_BYTES = 300;
  private static final IpAddress BROADCAST = IpAddress.v4(-1);

  private static final int DISCOVER = 1;
  private static final int OFFER = 2;
  private static final int REQUEST = 3;
  private static final int DECLINE = 4;
  private static final int ACK = 5;
  private static final int NAK = 6;
  private static final int RELEASE = 7;
  private static final int INFORM = 8;

  private static final int OPTION_NETMASK = 1;
  private static final int OPTION_ROUTER = 3;
  private static final int OPTION_DNS = 6;
  private static final int OPTION_HOSTNAME = 12;
  private static final int OPTION_DOMAIN = 15;
  private static final int OPTION_MTU = 26;
  private static final int OPTION_BROADCAST = 28;
  private static final int OPTION_REQUESTED = 50;
  private static final int OPTION_LEASE = 51;
  private static final int OPTION_TYPE = 53;
  private static final int OPTION_SERVER = 54;
  private static final int OPTION_RENEWAL = 58;
  private static final int OPTION_REBINDING = 59;
  private static final int OPTION_BOOT_SERVER = 66;
  private static final int OPTION_BOOT_FILE = 67;
  private static final int OPTION_SEARCH = 119;

  private record Lease(IpAddress address, long untilNanos) {}

  private final NatConfig config;
  private final Subnet subnet;
  private final UdpOutput output;
  private final Counts counts;
  private final EventLoop loop;
  private final Map<MacAddress, Lease> leases = new HashMap<>();

  /** Addresses that a guest found in use by another. */
  private final Set<IpAddress> declined = new HashSet<>();

  public DhcpServer(NatConfig config, UdpOutput output, Counts counts, EventLoop loop) {
    this.config = config;
    this.subnet = config.subnet();
    this.output = output;
    this.counts = counts;
    this.loop = loop;
  }

  /** Takes a message to the server's port: the payload of UDP. */
  public void receive(Datagram datagram, int at, int length) {
    byte[] bytes = datagram.bytes();
    boolean wellFormed =
        length >= OPTIONS_AT
            && Wire.u8(bytes, at) == 1
            && Wire.u8(bytes, at + 1) == 1
            && Wire.u8(bytes, at + 2) == MacAddress.BYTES
            && Wire.i32(bytes, at + COOKIE_AT) == COOKIE;
    MacAddress mac = wellFormed ? MacAddress.read(bytes, at + 28) : MacAddress.BROADCAST;
    if (!mac.isUnicast()) {
      counts.add(Count.DROP_MALFORMED);
      return;
    }
    byte[] request = Arrays.copyOfRange(bytes, at, at + length);
    int type = Options.read8(request, OPTIONS_AT, OPTION_TYPE);
    IpAddress server = Options.readAddress(request, OPTIONS_AT, OPTION_SERVER);
    if (server != null && !server.equals(subnet.gateway4())) {
      return;
    }
    IpAddress current = IpAddress.v4(request, 12);
    switch (type) {
      case DISCOVER -> {
        IpAddress offered = addressFor(mac);
        if (offered != null) {
          reply(request, OFFER, mac, offered);
        }
      }
      case REQUEST -> request(request, mac, current, server != null);
      case RELEASE -> leases.remove(mac);
      case DECLINE -> decline(mac);
      case INFORM -> reply(request, ACK, mac, IpAddress.v4(0));
      default -> counts.add(Count.DROP_MALFORMED);
    }
  }

  private void request(byte[] request, MacAddress mac, IpAddress current, boolean selecting) {
    IpAddress asked = Options.readAddress(request, OPTIONS_AT, OPTION_REQUESTED);
    IpAddress wanted = asked == null ? current : asked;
    IpAddress ours = addressFor(mac);
    if (ours != null && ours.equals(wanted)) {
      long leaseNanos = config.timeouts().lease().toNanos();
      leases.put(mac, new Lease(ours, loop.now() + leaseNanos));
      counts.add(Count.DHCP_LEASES);
      reply(request, ACK, mac, ours);
    } else if (selecting || ours != null) {
      reply(request, NAK, mac, IpAddress.v4(0));
    }
  }

  private void decline(MacAddress mac) {
    Lease lease = leases.remove(mac);
    if (lease != null && declined.size() < config.limits().guests()) {
      declined.add(lease.address);
    }
  }

  /** The address that a guest has or may have: null if there is none left. */
  private @Nullable IpAddress addressFor(MacAddress mac) {
    Lease known = leases.get(mac);
    if (known != null) {
      return known.address;
    }
    leases.values().removeIf(lease -> lease.untilNanos - loop.now() < 0);
    if (leases.size() >= config.limits().guests()) {
      counts.add(Count.DROP_LIMIT);
      return null;
    }
    long broadcast = subnet.v4().broadcast().low();
    for (long bits = subnet.firstGuest().low(); bits < broadcast; bits++) {
      IpAddress candidate = IpAddress.v4((int) bits);
      if (!declined.contains(candidate)
          && leases.values().stream().noneMatch(lease -> lease.address.equals(candidate))) {
        // An offer holds for a minute; a lease follows.
        leases.put(mac, new Lease(candidate, loop.now() + TimeUnit.MINUTES.toNanos(1)));
        return candidate;
      }
    }
    counts.add(Count.DROP_LIMIT);
    return null;
  }

  private void reply(byte[] request, int type, MacAddress mac, IpAddress yours) {
    Options options = new Options();
    options.put8(OPTION_TYPE, type);
    options.putAddress(OPTION_SERVER, subnet.gateway4());
    if (type != NAK) {
      parameters(options, yours);
    }
    byte[] filled = options.end();
    int length = Math.max(MIN_BYTES, OPTIONS_AT + filled.length);
    byte[] frame = output.frame(false, length);
    int at = UdpOutput.payloadAt(false);
    Wire.put8(frame, at, 2);
    Wire.put8(frame, at + 1, 1);
    Wire.put8(frame, at + 2, MacAddress.BYTES);
    System.arraycopy(request, 4, frame, at + 4, 4); // Transaction.
    System.arraycopy(request, 10, frame, at + 10, 2); // Flags.
    System.arraycopy(request, 12, frame, at + 12, type == NAK ? 0 : 4); // The client's address.
    yours.write(frame, at + 16);
    subnet.gateway4().write(frame, at + 20);
    System.arraycopy(request, 28, frame, at + 28, 16); // Hardware address.
    if (type != NAK) {
      byte[] name = config.boot().bootFile().getBytes(StandardCharsets.US_ASCII);
      System.arraycopy(name, 0, frame, at + FILE_AT, name.length);
    }
    Wire.put32(frame, at + COOKIE_AT, COOKIE);
    System.arraycopy(filled, 0, frame, at + OPTIONS_AT, filled.length);
    output.send(frame, subnet.gateway4(), SERVER_PORT, BROADCAST, CLIENT_PORT);
  }

  private void parameters(Options options, IpAddress yours) {
    int seconds = (int) Math.min(config.timeouts().lease().toSeconds(), Integer.MAX_VALUE);
    if (!yours.isUnspecified()) {
      options.put32(OPTION_LEASE, seconds);
      options.put32(OPTION_RENEWAL, seconds / 2);
      options.put32(OPTION_REBINDING, seconds / 8 * 7);
    }
    options.put32(OPTION_NETMASK, (int) subnet.v4().netmask());
    options.putAddress(OPTION_BROADCAST, subnet.v4().broadcast());
    options.putAddress(OPTION_ROUTER, subnet.gateway4());
    options.putAddress(OPTION_DNS, subnet.dns4());
    options.put16(OPTION_MTU, config.mtu());
    options.putText(OPTION_DOMAIN, config.domain());
    options.putName(OPTION_SEARCH, config.domain());
    if (!config.boot().bootFile().isEmpty()) {
      options.putText(OPTION_BOOT_SERVER, subnet.gateway4().toString());
      options.putText(OPTION_BOOT_FILE, config.boot().bootFile());
    }
    if (yours.equals(subnet.firstGuest())) {
      options.putText(OPTION_HOSTNAME, config.hostname());
    }
  }
}
