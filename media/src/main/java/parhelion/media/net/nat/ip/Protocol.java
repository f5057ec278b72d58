package parhelion.media.net.nat.ip;

/** Numbers of the headers of Ethernet and IP. */
public final class Protocol {
  public static final int ICMP = 1;
  public static final int TCP = 6;
  public static final int UDP = 17;
  public static final int ICMPV6 = 58;

  static final int ETHERTYPE_IPV4 = 0x0800;
  static final int ETHERTYPE_ARP = 0x0806;
  static final int ETHERTYPE_IPV6 = 0x86dd;

  static final int ETHERNET_BYTES = 14;
  static final int IPV4_BYTES = 20;
  static final int IPV6_BYTES = 40;

  static final int HOP_BY_HOP = 0;
  static final int ROUTING = 43;
  static final int FRAGMENT = 44;
  static final int DESTINATION_OPTIONS = 60;

  private Protocol() {}
}
