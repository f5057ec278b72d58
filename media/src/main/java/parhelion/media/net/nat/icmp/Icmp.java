package parhelion.media.net.nat.icmp;

import parhelion.media.net.nat.config.Subnet;
import parhelion.media.net.nat.ip.Datagram;
import parhelion.media.net.nat.ip.IpOutput;
import parhelion.media.net.nat.ip.Protocol;
import parhelion.media.net.nat.loop.Count;
import parhelion.media.net.nat.loop.Counts;
import parhelion.media.net.nat.policy.Egress;
import parhelion.media.net.nat.wire.InternetChecksum;
import parhelion.media.net.nat.wire.IpAddress;
import parhelion.media.net.nat.wire.Wire;

/** ICMP and ICMPv6, but for neighbour discovery: echo requests, and errors to the guest. */
public final class Icmp {
  private static final int HEADER_BYTES = 8;
  private static final int ECHO_V4 = 8;
  private static final int ECHO_V6 = 128;
  private static final int ECHO_REPLY_V4 = 0;
  private static final int ECHO_REPLY_V6 = 129;
  private static final int UNREACHABLE_V4 = 3;
  private static final int UNREACHABLE_V6 = 1;

  /** Errors quote so much of what they are about, as RFC 1812 and RFC 4443 ask. */
  private static final int MAX_QUOTE_V4 = 548;

  private static final int MAX_QUOTE_V6 = 1232;

  private final Subnet subnet;
  private final IpOutput output;
  private final Counts counts;
  private final Egress egress;
  private final Pings pings;

  public Icmp(Subnet subnet, IpOutput output, Counts counts, Egress egress, Pings pings) {
    this.subnet = subnet;
    this.output = output;
    this.counts = counts;
    this.egress = egress;
    this.pings = pings;
  }

  /** Takes a message of ICMP or ICMPv6 that is none of neighbour discovery. */
  public void receive(Datagram datagram) {
    byte[] bytes = datagram.bytes();
    if (datagram.length() < HEADER_BYTES) {
      counts.add(Count.DROP_MALFORMED);
      return;
    }
    boolean v6 = datagram.to().v6();
    boolean good =
        v6
            ? datagram.hasGoodChecksum()
            : InternetChecksum.finish(InternetChecksum.sum(bytes, datagram.at(), datagram.length()))
                == 0;
    if (!good) {
      counts.add(Count.DROP_CHECKSUM);
      return;
    }
    boolean echo =
        Wire.u8(bytes, datagram.at()) == (v6 ? ECHO_V6 : ECHO_V4)
            && Wire.u8(bytes, datagram.at() + 1) == 0;
    if (!echo) {
      counts.add(Count.DROP_PROTOCOL);
      return;
    }
    counts.add(Count.PINGS);
    if (subnet.isOwn(datagram.to())) {
      reply(datagram);
    } else if (!egress.allows(datagram.to())) {
      unreachable(datagram, Unreachable.PROHIBITED);
    } else if (!pings.ask(
        datagram.to(),
        reached -> {
          if (reached) {
            reply(datagram);
          } else {
            unreachable(datagram, Unreachable.HOST);
          }
        })) {
      counts.add(Count.DROP_LIMIT);
    }
  }

  private void reply(Datagram request) {
    boolean v6 = request.to().v6();
    byte[] frame = output.frame(v6, request.length());
    int at = IpOutput.payloadAt(v6);
    System.arraycopy(request.bytes(), request.at(), frame, at, request.length());
    Wire.put8(frame, at, v6 ? ECHO_REPLY_V6 : ECHO_REPLY_V4);
    send(frame, request.to(), request.from());
  }

  /** Tells a guest that its datagram does not arrive. */
  public void unreachable(Datagram about, Unreachable why) {
    byte[] bytes = about.bytes();
    int quoted = about.at() + about.length() - about.ipAt();
    unreachable(bytes, about.ipAt(), quoted, about.from(), about.to(), why);
  }

  /**
   * Tells a guest that its datagram does not arrive.
   *
   * @param bytes an array that holds the datagram
   * @param at where its IP header is
   * @param length of the datagram, header and all
   */
  public void unreachable(
      byte[] bytes, int at, int length, IpAddress from, IpAddress to, Unreachable why) {
    if (to.isMulticast() || from.isUnspecified()) {
      return;
    }
    boolean v6 = to.v6();
    int quoted = Math.min(length, v6 ? MAX_QUOTE_V6 : MAX_QUOTE_V4);
    byte[] frame = output.frame(v6, HEADER_BYTES + quoted);
    int start = IpOutput.payloadAt(v6);
    Wire.put8(frame, start, v6 ? UNREACHABLE_V6 : UNREACHABLE_V4);
    Wire.put8(frame, start + 1, v6 ? why.v6Code : why.v4Code);
    System.arraycopy(bytes, at, frame, start + HEADER_BYTES, quoted);
    counts.add(Count.ICMP_ERRORS);
    IpAddress gateway = v6 ? subnet.gateway6() : subnet.gateway4();
    send(frame, why == Unreachable.PORT ? to : gateway, from);
  }

  private void send(byte[] frame, IpAddress from, IpAddress to) {
    boolean v6 = to.v6();
    int at = IpOutput.payloadAt(v6);
    int length = frame.length - at;
    int protocol = v6 ? Protocol.ICMPV6 : Protocol.ICMP;
    Wire.put16(frame, at + 2, 0);
    long sum = InternetChecksum.sum(frame, at, length);
    sum += v6 ? InternetChecksum.pseudoHeader(from, to, protocol, length) : 0;
    Wire.put16(frame, at + 2, InternetChecksum.finish(sum));
    output.send(frame, from, to, protocol);
  }
}
