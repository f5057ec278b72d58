package parhelion.media.net.nat.tcp;

import parhelion.media.net.Offloads;
import parhelion.media.net.Packet;
import parhelion.media.net.nat.ip.FlowKey;
import parhelion.media.net.nat.ip.IpOutput;
import parhelion.media.net.nat.ip.Protocol;
import parhelion.media.net.nat.loop.Count;
import parhelion.media.net.nat.loop.Counts;
import parhelion.media.net.nat.wire.InternetChecksum;
import parhelion.media.net.nat.wire.Wire;

/** Writes segments to guests, as large and with as little work in them as the device allows. */
final class TcpOutput {
  private static final int SYN_OPTION_BYTES = 8;

  /** A packet of IP has no more bytes; the largest headers are subtracted. */
  private static final int MAX_LARGE_PAYLOAD = 65535 - 40 - Segment.HEADER_BYTES;

  private final IpOutput output;
  private final Counts counts;

  TcpOutput(IpOutput output, Counts counts) {
    this.output = output;
    this.counts = counts;
  }

  /** The largest payload of a segment that the guests' link carries. */
  int maxPayload(boolean v6) {
    return output.mtu() - (v6 ? 40 : 20) - Segment.HEADER_BYTES;
  }

  /** The largest payload that may be given to the device at once, as segments of {@code mss}. */
  int maxLargePayload(boolean v6, int mss) {
    Offloads offloads = output.offloads();
    boolean large = offloads.blankChecksums() && (v6 ? offloads.tcpv6() : offloads.tcpv4());
    return large ? Math.max(MAX_LARGE_PAYLOAD / mss * mss, mss) : mss;
  }

  boolean isOpen() {
    return output.isOpen();
  }

  /** A frame with room for headers and a payload at {@link #payloadAt}. */
  byte[] frame(boolean v6, int payloadBytes) {
    return output.frame(v6, Segment.HEADER_BYTES + payloadBytes);
  }

  static int payloadAt(boolean v6) {
    return IpOutput.payloadAt(v6) + Segment.HEADER_BYTES;
  }

  /** Sends a frame whose payload is written; larger than {@code mss} only if the device allows. */
  void send(byte[] frame, FlowKey key, int seq, int ack, int flags, int window, int mss) {
    boolean v6 = key.guest().v6();
    int at = IpOutput.payloadAt(v6);
    header(frame, at, key, seq, ack, flags, window, Segment.HEADER_BYTES);
    int length = frame.length - at;
    int pseudo = InternetChecksum.pseudoHeader(key.peer(), key.guest(), Protocol.TCP, length);
    Packet.Gso gso = Packet.Gso.NONE;
    if (length - Segment.HEADER_BYTES > mss) {
      gso = v6 ? Packet.Gso.TCPV6 : Packet.Gso.TCPV4;
    }
    if (output.offloads().blankChecksums()) {
      Wire.put16(frame, at + 16, pseudo);
      int size = gso == Packet.Gso.NONE ? 0 : mss;
      output.sendSegment(frame, key.peer(), key.guest(), Packet.Checksum.BLANK, gso, size);
    } else {
      sendSummed(frame, at, pseudo, key);
    }
  }

  /** Sends a SYN, with or without ACK, with its options; a scale of -1 leaves that out. */
  void sendSyn(FlowKey key, int seq, int ack, int flags, int window, int scale) {
    boolean v6 = key.guest().v6();
    byte[] frame = output.frame(v6, Segment.HEADER_BYTES + SYN_OPTION_BYTES);
    int at = IpOutput.payloadAt(v6);
    int headerBytes = Segment.HEADER_BYTES + SYN_OPTION_BYTES;
    header(frame, at, key, seq, ack, flags, window, headerBytes);
    int option = at + Segment.HEADER_BYTES;
    Wire.put8(frame, option, Segment.OPTION_MSS);
    Wire.put8(frame, option + 1, 4);
    Wire.put16(frame, option + 2, maxPayload(v6));
    if (scale >= 0) {
      Wire.put8(frame, option + 4, 1);
      Wire.put8(frame, option + 5, Segment.OPTION_SCALE);
      Wire.put8(frame, option + 6, 3);
      Wire.put8(frame, option + 7, scale);
    }
    int pseudo = InternetChecksum.pseudoHeader(key.peer(), key.guest(), Protocol.TCP, headerBytes);
    sendSummed(frame, at, pseudo, key);
  }

  /** Answers a segment of no connection with a reset (RFC 9293, section 3.10.7.1). */
  void reset(Segment about) {
    if (about.has(Segment.RST)) {
      return;
    }
    boolean acknowledges = about.has(Segment.ACK);
    FlowKey key = about.key();
    byte[] frame = frame(key.guest().v6(), 0);
    send(
        frame,
        key,
        acknowledges ? about.ack() : 0,
        acknowledges ? 0 : about.seq() + about.span(),
        acknowledges ? Segment.RST : Segment.RST | Segment.ACK,
        0,
        1);
    counts.add(Count.TCP_RESET);
  }

  private void sendSummed(byte[] frame, int at, int pseudo, FlowKey key) {
    long sum = (long) pseudo + InternetChecksum.sum(frame, at, frame.length - at);
    Wire.put16(frame, at + 16, InternetChecksum.finish(sum));
    output.sendSegment(frame, key.peer(), key.guest(), Packet.Checksum.VALID, Packet.Gso.NONE, 0);
  }

  private static void header(
      byte[] frame, int at, FlowKey key, int seq, int ack, int flags, int window, int headerBytes) {
    Wire.put16(frame, at, key.peerPort());
    Wire.put16(frame, at + 2, key.guestPort());
    Wire.put32(frame, at + 4, seq);
    Wire.put32(frame, at + 8, ack);
    Wire.put8(frame, at + 12, headerBytes / 4 << 4);
    Wire.put8(frame, at + 13, flags);
    Wire.put16(frame, at + 14, window);
  }
}
