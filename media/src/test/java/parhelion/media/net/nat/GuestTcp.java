package parhelion.media.net.nat;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.util.Arrays;
import java.util.TreeMap;
import parhelion.media.net.Packet;

/**
 * One end of a TCP connection in the tests' guest: as simple as it can be and still survive loss
 * (go back to the first unacknowledged byte after a while), and strict about what it gets.
 */
final class GuestTcp {
  static final int FIN = 1;
  static final int SYN = 2;
  static final int RST = 4;
  static final int PSH = 8;
  static final int ACK = 16;

  private static final long RESEND_MILLIS = 400;

  final Guest guest;
  final byte[] me;
  final int port;
  final byte[] peer;
  final int peerPort;

  /** Settings, before the connection is opened. */
  int mss = 1460;

  int scale = 7;
  int largePayload;

  /** What this side says that it has room for; the application reads everything at once else. */
  int window = 1 << 20;

  /** What is to be sent, and whether an end follows. */
  byte[] output = new byte[0];

  boolean endsAfterOutput;
  final ByteArrayOutputStream input = new ByteArrayOutputStream();
  final long initial;
  private final TreeMap<Long, byte[]> early = new TreeMap<>();

  boolean synSent;
  boolean established;
  boolean endReceived;
  boolean reset;
  boolean answersNothing;
  long acknowledged; // Bytes of the stream, SYN not counted.
  long sent;
  boolean endSent;
  boolean endAcknowledged;
  long peerInitial = -1;
  long peerWindow;
  int peerScale;
  int peerMss;
  int probes;
  int segments;
  int duplicates;
  private long resendAt = Long.MAX_VALUE;

  GuestTcp(Guest guest, byte[] me, int port, byte[] peer, int peerPort) {
    this.guest = guest;
    this.me = me;
    this.port = port;
    this.peer = peer;
    this.peerPort = peerPort;
    this.initial = guest.random.nextLong() & 0xffffffffL;
  }

  void open() {
    synSent = true;
    sendSyn();
  }

  private void sendSyn() {
    byte[] options = Frame.bytes(Frame.hex("0204"), Frame.u16(mss));
    if (scale >= 0) {
      options = Frame.bytes(options, Frame.hex("010303"), new byte[] {(byte) scale});
    }
    int flags = peerInitial >= 0 ? SYN | ACK : SYN;
    transmit(initial, flags, Math.min(window, 65535), options, new byte[0]);
    resendAt = guest.millis() + RESEND_MILLIS;
  }

  private long next() {
    return peerInitial < 0 ? 0 : peerInitial + 1 + input.size() + (endReceived ? 1 : 0);
  }

  /** Sends a segment by hand. */
  void transmit(long seq, int flags, int rawWindow, byte[] options, byte[] payload) {
    byte[] header =
        Frame.bytes(
            Frame.u16(port),
            Frame.u16(peerPort),
            Frame.u32(seq),
            Frame.u32((flags & ACK) != 0 ? next() : 0),
            new byte[] {(byte) ((20 + options.length) / 4 << 4), (byte) flags},
            Frame.u16(rawWindow),
            new byte[4],
            options);
    byte[] segment = Frame.bytes(header, payload);
    boolean large = payload.length > mss;
    boolean v6 = me.length == 16;
    if (large) {
      byte[] sum =
          Frame.u16(0xffff - Frame.checksum(Frame.pseudoHeader(me, peer, 6, segment.length)));
      segment[16] = sum[0];
      segment[17] = sum[1];
    } else {
      segment = Frame.summed(me, peer, 6, segment, 16);
    }
    Packet.Gso gso = large ? (v6 ? Packet.Gso.TCPV6 : Packet.Gso.TCPV4) : Packet.Gso.NONE;
    byte[] ip = v6 ? Frame.ipv6(me, peer, 6, 64, segment) : Frame.ipv4(me, peer, 6, segment);
    byte[] frame = Frame.ethernet(Lab.GATEWAY_MAC, Lab.MAC, v6 ? 0x86dd : 0x800, ip);
    guest.transmit(
        new Packet(
            frame, large ? Packet.Checksum.BLANK : Packet.Checksum.UNKNOWN, gso, large ? mss : 0));
  }

  void acknowledge() {
    if (!answersNothing) {
      transmit(sequence(), ACK, scaledWindow(), new byte[0], new byte[0]);
    }
  }

  private int scaledWindow() {
    return Math.min(window >> Math.max(scale, 0), 65535);
  }

  /** The number of what comes next. */
  long sequence() {
    return initial + 1 + sent + (endSent && sent == output.length ? 1 : 0);
  }

  void sendReset() {
    reset = true;
    transmit(sequence(), RST | ACK, 0, new byte[0], new byte[0]);
  }

  /** Does what there is to do: sends what the other side has room for, again if need be. */
  void act() {
    if (reset || answersNothing) {
      return;
    }
    if (guest.millis() >= resendAt) {
      resendAt = guest.millis() + RESEND_MILLIS;
      if (!established) {
        sendSyn();
      } else {
        sent = acknowledged;
        endSent = false;
      }
    }
    if (!established) {
      return;
    }
    int largest = Math.max(largePayload, Math.min(mss, peerMss));
    while (sent < output.length && sent - acknowledged < peerWindow) {
      long room = Math.min(peerWindow - (sent - acknowledged), output.length - sent);
      int length = (int) Math.min(room, largest);
      byte[] payload = Arrays.copyOfRange(output, (int) sent, (int) sent + length);
      transmit(initial + 1 + sent, ACK | PSH, scaledWindow(), new byte[0], payload);
      sent += length;
      wake();
    }
    if (endsAfterOutput && sent == output.length && !endSent) {
      transmit(initial + 1 + sent, ACK | FIN, scaledWindow(), new byte[0], new byte[0]);
      endSent = true;
      wake();
    }
  }

  private void wake() {
    if (resendAt == Long.MAX_VALUE) {
      resendAt = guest.millis() + RESEND_MILLIS;
    }
  }

  void arrived(Received frame) {
    byte[] segment = frame.payload();
    int headerBytes = (segment[12] >> 4 & 15) * 4;
    int flags = segment[13];
    long seq = Frame.read32(segment, 4);
    long ack = Frame.read32(segment, 8);
    byte[] payload = Frame.part(segment, headerBytes, segment.length);
    segments++;
    if (answersNothing) {
      return;
    }
    if ((flags & RST) != 0) {
      boolean expected =
          peerInitial < 0 ? ack == (initial + 1 & 0xffffffffL) : seq == (next() & 0xffffffffL);
      reset |= expected && !isOver(); // Late copies of segments are answered so.
      return;
    }
    if ((flags & SYN) != 0) {
      syn(segment, headerBytes, flags, seq);
      return;
    }
    if (peerInitial < 0) {
      return;
    }
    assertTrue((flags & ACK) != 0, "every segment acknowledges");
    acknowledged(ack, (long) Frame.read16(segment, 14) << peerScale, payload.length == 0);
    content(seq, flags, payload);
  }

  private void syn(byte[] segment, int headerBytes, int flags, long seq) {
    if (peerInitial < 0) {
      peerInitial = seq;
      peerScale = -1;
      for (int at = 20; at < headerBytes && segment[at] != 0; ) {
        if (segment[at] == 1) {
          at++;
          continue;
        }
        if (segment[at] == 2) {
          peerMss = Frame.read16(segment, at + 2);
        } else if (segment[at] == 3) {
          peerScale = segment[at + 2];
        }
        at += segment[at + 1];
      }
      assertTrue(peerMss >= 536, "a segment size in the SYN");
      if (scale < 0) {
        assertTrue((flags & ACK) == 0 || peerScale < 0, "no scale where none was offered");
      }
      if (scale < 0 || peerScale < 0) {
        scale = -1;
        peerScale = 0;
      }
      peerWindow = Frame.read16(segment, 14);
    }
    if ((flags & ACK) != 0) {
      assertEquals(initial + 1 & 0xffffffffL, Frame.read32(segment, 8));
      established = true;
      resendAt = Long.MAX_VALUE;
      acknowledge();
    } else {
      sendSyn();
    }
  }

  private void acknowledged(long ack, long newWindow, boolean empty) {
    long position = (ack - initial - 1) << 32 >> 32; // Streams of the tests are shorter than 2 GiB.
    long end = output.length + (endSent || endAcknowledged ? 1 : 0);
    assertTrue(position <= Math.max(end, sent), "what was not sent is not acknowledged");
    if (!established && position == 0) {
      established = true;
      resendAt = Long.MAX_VALUE;
    }
    if (position > acknowledged) {
      if (position == output.length + 1) {
        endAcknowledged = true;
        endSent = true;
        position--;
      }
      acknowledged = position;
      sent = Math.max(sent, position);
      resendAt = guest.millis() + RESEND_MILLIS;
    } else if (endSent && position == output.length + 1) {
      endAcknowledged = true;
    } else if (empty && position == acknowledged && newWindow == peerWindow && sent > position) {
      duplicates++;
    }
    if (acknowledged == output.length && (!endSent || endAcknowledged)) {
      resendAt = Long.MAX_VALUE;
    }
    if (position >= acknowledged) {
      peerWindow = newWindow;
    }
  }

  private void content(long seq, int flags, byte[] payload) {
    long position = (seq - peerInitial - 1) << 32 >> 32;
    if (payload.length == 0 && (flags & FIN) == 0) {
      if (position < input.size() + (endReceived ? 1 : 0)) {
        probes++;
        acknowledge();
      }
      return;
    }
    assertFalse(endReceived && position > input.size(), "nothing comes after the end");
    if (payload.length > 0) {
      assertTrue(position + payload.length <= input.size() + Math.max(window, 1 << 17) + 1);
      early.merge(position, payload, (a, b) -> a.length >= b.length ? a : b);
    }
    while (!early.isEmpty() && early.firstKey() <= input.size()) {
      var first = early.pollFirstEntry();
      int skip = (int) (input.size() - first.getKey());
      if (skip < first.getValue().length) {
        input.write(first.getValue(), skip, first.getValue().length - skip);
        window -= guest.applicationReads ? 0 : first.getValue().length - skip;
      }
    }
    if ((flags & FIN) != 0 && position + payload.length == input.size()) {
      endReceived = true;
    }
    acknowledge();
  }

  boolean isOver() {
    return endReceived && endAcknowledged;
  }
}
