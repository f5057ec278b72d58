package parhelion.pc.net;

import java.nio.ByteBuffer;

/** Frames of IPv4 with TCP or UDP in them, with right checksums. */
public final class TestFrames {
  private TestFrames() {}

  /** A TCP segment with so many bytes of payload, counting up. */
  public static byte[] tcp(int payload) {
    return frame(6, 20, payload);
  }

  /** A UDP datagram. */
  public static byte[] udp(int payload) {
    return frame(17, 8, payload);
  }

  private static byte[] frame(int protocol, int header, int payload) {
    ByteBuffer b = ByteBuffer.allocate(14 + 20 + header + payload);
    b.put(new byte[] {0x52, 0x54, 0, 1, 2, 3, 0x52, 0x54, 0, 9, 9, 9, 8, 0});
    b.put((byte) 0x45).put((byte) 0).putShort((short) (20 + header + payload));
    b.putInt(0x1234_4000).put((byte) 64).put((byte) protocol).putShort((short) 0);
    b.putInt(0x0a00_0001).putInt(0x0a00_0002);
    b.putShort((short) 1000).putShort((short) 2000);
    if (protocol == 6) {
      b.putInt(0x1111_2222).putInt(0x3333_4444).put((byte) 0x50).put((byte) 0x18);
      b.putShort((short) 8000).putInt(0);
    } else {
      b.putShort((short) (header + payload)).putShort((short) 0);
    }
    for (int i = 0; i < payload; i++) {
      b.put((byte) i);
    }
    byte[] frame = b.array();
    fillSums(frame, protocol);
    return frame;
  }

  private static void fillSums(byte[] frame, int protocol) {
    if (!Checksums.fill(frame, 14, 34, 24)) {
      throw new AssertionError();
    }
    int field = 34 + (protocol == 6 ? 16 : 6);
    putPseudo(frame, field, protocol);
    if (!Checksums.fill(frame, 34, field)) {
      throw new AssertionError();
    }
  }

  /** Puts the pseudo header's sum where the checksum goes: what is left to a card. */
  public static void putPseudo(byte[] frame, int field, int protocol) {
    int sum = Checksums.sum(frame, 26, 34) + protocol + frame.length - 34;
    sum = (sum & 0xffff) + (sum >>> 16);
    frame[field] = (byte) (sum >>> 8);
    frame[field + 1] = (byte) sum;
  }

  /** Whether the transport's checksum of a frame is right. */
  public static boolean isRight(byte[] frame) {
    int protocol = frame[23];
    int end = 14 + ((frame[16] & 0xff) << 8 | frame[17] & 0xff);
    int sum = Checksums.sum(frame, 26, end) + protocol + end - 34;
    while (sum >>> 16 != 0) {
      sum = (sum & 0xffff) + (sum >>> 16);
    }
    return sum == 0xffff && Checksums.sum(frame, 14, 34) == 0xffff;
  }
}
