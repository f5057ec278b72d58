package parhelion.media.net.nat.udp;

import parhelion.media.net.nat.ip.IpOutput;
import parhelion.media.net.nat.ip.Protocol;
import parhelion.media.net.nat.wire.InternetChecksum;
import parhelion.media.net.nat.wire.IpAddress;
import parhelion.media.net.nat.wire.Wire;

/** Sends UDP to guests: ask for a {@link #frame}, write the payload, send it. */
public final class UdpOutput {
  static final int HEADER_BYTES = 8;

  private final IpOutput output;

  public UdpOutput(IpOutput output) {
    this.output = output;
  }

  public byte[] frame(boolean v6, int payloadBytes) {
    return output.frame(v6, HEADER_BYTES + payloadBytes);
  }

  public static int payloadAt(boolean v6) {
    return IpOutput.payloadAt(v6) + HEADER_BYTES;
  }

  public void send(byte[] frame, IpAddress from, int fromPort, IpAddress to, int toPort) {
    int at = IpOutput.payloadAt(to.v6());
    int length = frame.length - at;
    Wire.put16(frame, at, fromPort);
    Wire.put16(frame, at + 2, toPort);
    Wire.put16(frame, at + 4, length);
    Wire.put16(frame, at + 6, 0);
    long sum =
        (long) InternetChecksum.pseudoHeader(from, to, Protocol.UDP, length)
            + InternetChecksum.sum(frame, at, length);
    int checksum = InternetChecksum.finish(sum);
    Wire.put16(frame, at + 6, checksum == 0 ? 0xffff : checksum);
    output.send(frame, from, to, Protocol.UDP);
  }
}
