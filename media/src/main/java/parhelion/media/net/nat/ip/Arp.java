package parhelion.media.net.nat.ip;

import parhelion.media.net.nat.config.Subnet;
import parhelion.media.net.nat.loop.Count;
import parhelion.media.net.nat.loop.Counts;
import parhelion.media.net.nat.wire.IpAddress;
import parhelion.media.net.nat.wire.MacAddress;
import parhelion.media.net.nat.wire.Wire;

/** ARP (RFC 826): answers for the NAT's own addresses, learns and asks for guests'. */
final class Arp {
  private static final int AT = Protocol.ETHERNET_BYTES;
  private static final int BYTES = 28;
  private static final int REQUEST = 1;
  private static final int REPLY = 2;

  private final Subnet subnet;
  private final IpOutput output;
  private final Counts counts;

  Arp(Subnet subnet, IpOutput output, Counts counts) {
    this.subnet = subnet;
    this.output = output;
    this.counts = counts;
  }

  void receive(byte[] frame) {
    boolean wellFormed =
        frame.length >= AT + BYTES
            && Wire.u16(frame, AT) == 1
            && Wire.u16(frame, AT + 2) == Protocol.ETHERTYPE_IPV4
            && Wire.u16(frame, AT + 4) == (MacAddress.BYTES << 8 | IpAddress.V4_BYTES);
    MacAddress mac = wellFormed ? MacAddress.read(frame, AT + 8) : MacAddress.BROADCAST;
    if (!mac.isUnicast()) {
      counts.add(Count.DROP_MALFORMED);
      return;
    }
    IpAddress from = IpAddress.v4(frame, AT + 14);
    IpAddress to = IpAddress.v4(frame, AT + 24);
    if (subnet.contains(from) && !subnet.isOwn(from)) {
      output.learn(from, mac);
    }
    if (Wire.u16(frame, AT + 6) == REQUEST && subnet.isOwn(to)) {
      output.sendRaw(message(REPLY, to, mac, from), mac, Protocol.ETHERTYPE_ARP);
    }
  }

  static void ask(IpOutput output, Subnet subnet, IpAddress whom) {
    byte[] request = message(REQUEST, subnet.gateway4(), new MacAddress(0), whom);
    output.sendRaw(request, MacAddress.BROADCAST, Protocol.ETHERTYPE_ARP);
  }

  private static byte[] message(int operation, IpAddress from, MacAddress toMac, IpAddress to) {
    byte[] frame = new byte[AT + BYTES];
    Wire.put16(frame, AT, 1);
    Wire.put16(frame, AT + 2, Protocol.ETHERTYPE_IPV4);
    Wire.put16(frame, AT + 4, MacAddress.BYTES << 8 | IpAddress.V4_BYTES);
    Wire.put16(frame, AT + 6, operation);
    Subnet.GATEWAY_MAC.write(frame, AT + 8);
    from.write(frame, AT + 14);
    toMac.write(frame, AT + 18);
    to.write(frame, AT + 24);
    return frame;
  }
}
