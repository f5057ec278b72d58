package parhelion.media.net;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import parhelion.media.net.Packet.Checksum;
import parhelion.media.net.Packet.Gso;

/**
 * Does in software what a {@link Packet}'s sender has left to the next one, for receivers that
 * cannot: fills in checksums, cuts large TCP packets into segments. Stateless; any thread.
 *
 * <p>A packet is left as it is while those who hand it on take it so; {@link #complete} is called
 * where it leaves for one that does not.
 */
public final class SoftwareOffload {
  /** No sane path has segments as short; 64 KiB of them would be a thousand packets. */
  public static final int MIN_GSO_BYTES = 48;

  private static final VarHandle INTS =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.BIG_ENDIAN);

  private static final int TCP_CHECKSUM = 16;
  private static final int UDP_CHECKSUM = 6;
  private static final int TCP_HEADER = 20;
  private static final int UDP_HEADER = 8;
  private static final int FIN_PSH = 0x09;
  private static final int CWR = 0x80;

  private SoftwareOffload() {}

  /**
   * Whether the work that is left can be done: the headers are there and are of the kind that the
   * packet claims. Who takes packets from a guest asks this before it hands them on.
   */
  public static boolean isSound(Packet packet) {
    if (packet.gso() == Gso.NONE && packet.checksum() != Checksum.BLANK) {
      return true;
    }
    FrameHeaders h = FrameHeaders.of(packet.bytes());
    if (h == null || checksumAt(h) < 0) {
      return false;
    }
    return packet.gso() == Gso.NONE || isSound(packet, h);
  }

  private static boolean isSound(Packet packet, FrameHeaders h) {
    return h.protocol() == FrameHeaders.TCP
        && h.v6() == (packet.gso() == Gso.TCPV6)
        && packet.gsoSizeBytes() >= MIN_GSO_BYTES
        && tcpPayload(packet.bytes(), h) >= 0;
  }

  /** Offset of a TCP segment's payload, or -1 for nonsense. */
  private static int tcpPayload(byte[] frame, FrameHeaders h) {
    int header = (frame[h.transport() + 12] >>> 4 & 15) * 4;
    return header < TCP_HEADER || h.transport() + header > h.end() ? -1 : h.transport() + header;
  }

  /** Offset of the transport's checksum, or -1 if there is none that can be left blank. */
  private static int checksumAt(FrameHeaders h) {
    int room = h.end() - h.transport();
    return switch (h.protocol()) {
      case FrameHeaders.TCP -> room < TCP_HEADER ? -1 : h.transport() + TCP_CHECKSUM;
      case FrameHeaders.UDP -> room < UDP_HEADER ? -1 : h.transport() + UDP_CHECKSUM;
      default -> -1;
    };
  }

  /**
   * Makes of a packet what a receiver takes: the packet itself, another with its checksum filled
   * in, or several; nothing if it is not {@linkplain #isSound sound}.
   */
  public static List<Packet> complete(Packet packet, Offloads takes) {
    if (packet.gso() == Gso.NONE && packet.checksum() != Checksum.BLANK) {
      return List.of(packet);
    }
    FrameHeaders h = FrameHeaders.of(packet.bytes());
    if (h == null || checksumAt(h) < 0) {
      return List.of();
    }
    if (packet.gso() == Gso.NONE) {
      return List.of(takes.blankChecksums() ? packet : filled(packet, h));
    }
    if (!isSound(packet, h)) {
      return List.of();
    }
    boolean taken = packet.gso() == Gso.TCPV6 ? takes.tcpv6() : takes.tcpv4();
    return taken ? List.of(packet) : segments(packet, h);
  }

  private static Packet filled(Packet packet, FrameHeaders h) {
    byte[] frame = packet.bytes().clone();
    fill(frame, h);
    return new Packet(frame, Checksum.VALID, Gso.NONE, 0);
  }

  private static List<Packet> segments(Packet packet, FrameHeaders h) {
    byte[] whole = packet.bytes();
    int payload = tcpPayload(whole, h);
    int left = h.end() - payload;
    int id = FrameHeaders.u16(whole, h.ip() + 4);
    int seq = FrameHeaders.i32(whole, h.transport() + 4);
    List<Packet> made = new ArrayList<>(left / packet.gsoSizeBytes() + 1);
    int done = 0;
    do {
      int length = Math.min(packet.gsoSizeBytes(), left - done);
      byte[] frame = new byte[payload + length];
      System.arraycopy(whole, 0, frame, 0, payload);
      System.arraycopy(whole, payload + done, frame, payload, length);
      if (h.v6()) {
        FrameHeaders.put16(frame, h.ip() + 4, frame.length - h.ip() - 40);
      } else {
        FrameHeaders.put16(frame, h.ip() + 2, frame.length - h.ip());
        FrameHeaders.put16(frame, h.ip() + 4, id + made.size());
        fillIpv4(frame, h);
      }
      FrameHeaders.put32(frame, h.transport() + 4, seq + done);
      int flags = frame[h.transport() + 13];
      if (done > 0) {
        flags &= ~CWR;
      }
      if (done + length < left) {
        flags &= ~FIN_PSH;
      }
      frame[h.transport() + 13] = (byte) flags;
      fill(
          frame,
          new FrameHeaders(h.v6(), h.ip(), h.protocol(), h.transport(), /* end= */ frame.length));
      made.add(new Packet(frame, Checksum.VALID, Gso.NONE, 0));
      done += length;
    } while (done < left);
    return made;
  }

  private static void fillIpv4(byte[] frame, FrameHeaders h) {
    FrameHeaders.put16(frame, h.ip() + 10, 0);
    int header = (frame[h.ip()] & 15) * 4;
    FrameHeaders.put16(frame, h.ip() + 10, ~folded(sum(frame, h.ip(), header)));
  }

  /** Fills in the transport's checksum, whatever stood there. */
  private static void fill(byte[] frame, FrameHeaders h) {
    int at = checksumAt(h);
    FrameHeaders.put16(frame, at, 0);
    int length = h.end() - h.transport();
    int sum = ~folded(pseudo(frame, h) + sum(frame, h.transport(), length)) & 0xffff;
    FrameHeaders.put16(frame, at, sum == 0 && h.protocol() == FrameHeaders.UDP ? 0xffff : sum);
  }

  /**
   * Leaves the checksum of a TCP or UDP packet to whoever receives the frame: puts the sum of the
   * pseudo header into its place, as {@link Checksum#BLANK} promises.
   *
   * @return false if the frame has no such packet in it; it is not changed then
   */
  public static boolean blank(byte[] frame) {
    @Nullable FrameHeaders h = FrameHeaders.of(frame);
    int at = h == null ? -1 : checksumAt(h);
    if (h == null || at < 0) {
      return false;
    }
    FrameHeaders.put16(frame, at, folded(pseudo(frame, h)));
    return true;
  }

  private static long pseudo(byte[] frame, FrameHeaders h) {
    long addresses = h.v6() ? sum(frame, h.ip() + 8, 32) : sum(frame, h.ip() + 12, 8);
    return addresses + h.protocol() + (h.end() - h.transport());
  }

  /** The sum of 16-bit words, not folded: fewer than 2^31 words cannot overflow it. */
  private static long sum(byte[] b, int from, int length) {
    long sum = 0;
    int at = from;
    int end = from + length;
    for (; at + 4 <= end; at += 4) {
      sum += (int) INTS.get(b, at) & 0xffff_ffffL;
    }
    if (at + 2 <= end) {
      sum += FrameHeaders.u16(b, at);
      at += 2;
    }
    if (at < end) {
      sum += (b[at] & 0xffL) << 8;
    }
    return sum;
  }

  private static int folded(long sum) {
    long s = sum;
    while (s >>> 16 != 0) {
      s = (s & 0xffff) + (s >>> 16);
    }
    return (int) s;
  }
}
