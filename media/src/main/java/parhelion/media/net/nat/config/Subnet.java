package parhelion.media.net.nat.config;

import parhelion.media.net.nat.wire.Cidr;
import parhelion.media.net.nat.wire.IpAddress;
import parhelion.media.net.nat.wire.MacAddress;

/**
 * The addresses of a NAT's network. Guests get IPv4 addresses by DHCP, the first {@code
 * firstGuest}; IPv6 addresses they make themselves of the prefix.
 *
 * @param v4 IPv4 range, 8 to 29 bits of it fixed
 * @param v6 IPv6 prefix of 64 bits
 * @param ipv6 whether IPv6 is offered at all
 */
public record Subnet(
    Cidr v4,
    IpAddress gateway4,
    IpAddress dns4,
    IpAddress firstGuest,
    Cidr v6,
    IpAddress gateway6,
    IpAddress dns6,
    boolean ipv6) {
  /** The gateway's link-local address, which router advertisements come from. */
  public static final IpAddress GATEWAY_LINK_LOCAL =
      IpAddress.v6(0xfe80L << 48, 0x0000_50ff_fe48_0002L);

  /** The gateway's MAC address, locally administered. */
  public static final MacAddress GATEWAY_MAC = new MacAddress(0x0200_5048_0002L);

  public static final Subnet DEFAULT = of(range("10.0.2.0/24"), range("fd50:6172:6865:6c00::/64"));

  private static final int GATEWAY = 2;
  private static final int DNS = 3;
  private static final int FIRST_GUEST = 15;
  private static final int SMALL_FIRST_GUEST = 4;

  /** Gateway, DNS and guests have the numbers 2, 3 and 15 (4 in a small range) of their range. */
  public static Subnet of(Cidr v4, Cidr v6) {
    if (v4.base().v6() || v4.bits() < 8 || v4.bits() > 29) {
      throw new NatException(
          "network " + v4 + ": an IPv4 range of /8 to /29 is wanted, like 10.0.2.0/24");
    }
    if (!v6.base().v6() || v6.bits() != 64) {
      throw new NatException("network " + v6 + ": an IPv6 prefix of /64 is wanted");
    }
    return new Subnet(
        v4,
        v4.host(GATEWAY),
        v4.host(DNS),
        v4.host(v4.bits() > 27 ? SMALL_FIRST_GUEST : FIRST_GUEST),
        v6,
        v6.host(GATEWAY),
        v6.host(DNS),
        true);
  }

  /** Reads an IPv4 range, {@code 10.0.2.0/24}. */
  public static Subnet parse(String text) {
    Cidr cidr = Cidr.parse(text);
    if (cidr == null) {
      throw new NatException("network " + text + ": write ADDRESS/BITS, like 10.0.2.0/24");
    }
    return of(cidr, DEFAULT.v6);
  }

  public Subnet withoutIpv6() {
    return new Subnet(v4, gateway4, dns4, firstGuest, v6, gateway6, dns6, false);
  }

  /** Whether an address is one of the NAT's own. */
  public boolean isOwn(IpAddress address) {
    return isGateway(address) || isDns(address);
  }

  public boolean isGateway(IpAddress address) {
    return address.equals(gateway4)
        || ipv6 && (address.equals(gateway6) || address.equals(GATEWAY_LINK_LOCAL));
  }

  public boolean isDns(IpAddress address) {
    return address.equals(dns4) || ipv6 && address.equals(dns6);
  }

  /** Whether an address is in the network, the guests' side. */
  public boolean contains(IpAddress address) {
    return address.v6()
        ? ipv6 && (v6.contains(address) || address.isLinkLocal())
        : v4.contains(address);
  }

  private static Cidr range(String text) {
    Cidr cidr = Cidr.parse(text);
    if (cidr == null) {
      throw new IllegalStateException(text);
    }
    return cidr;
  }
}
