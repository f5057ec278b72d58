package parhelion.pc.net;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import parhelion.media.net.FrameHeaders;
import parhelion.media.net.Packet;
import parhelion.media.net.Packet.Checksum;
import parhelion.media.net.Packet.Gso;
import parhelion.media.net.SoftwareOffload;
import parhelion.pc.Board;
import parhelion.pc.GuestMemory;

/**
 * The card's way out (317453, section 3.3): legacy descriptors, and extended ones in which a
 * context says where checksums are and how to cut TCP into segments. Standard work of that kind is
 * left to the network, which may not need it done at all.
 */
final class E1000Transmitter {
  private static final int ENABLE = 1 << 1;

  /** So many descriptors at a time; then the guest runs for a moment. */
  private static final int BATCH = 256;

  private static final int STATUS_OFFSET = 12;
  private static final int DONE = 1;

  /** Bits of a command byte, which all kinds of descriptor share. */
  private static final int END = 1;

  private static final int INSERT_CHECKSUM = 1 << 2;
  private static final int SEGMENT = 1 << 2;
  private static final int REPORT = 1 << 3;
  private static final int EXTENDED = 1 << 5;
  private static final int VLAN = 1 << 6;
  private static final int DELAY = 1 << 7;

  private static final int OPTION_IP = 1;
  private static final int OPTION_TRANSPORT = 2;

  /** What the last context descriptor said. */
  private record Context(
      int ipStart,
      int ipField,
      int ipEnd,
      int start,
      int field,
      int end,
      int segmentBytes,
      boolean v4,
      boolean tcp) {
    static final Context NONE = new Context(0, 0, 0, 0, 0, 0, 0, false, false);

    static Context of(ByteBuffer d) {
      int command = d.getInt(8) >>> 24;
      return new Context(
          d.get(0) & 0xff,
          d.get(1) & 0xff,
          d.getShort(2) & 0xffff,
          d.get(4) & 0xff,
          d.get(5) & 0xff,
          d.getShort(6) & 0xffff,
          d.getShort(14) & 0xffff,
          (command & 2) != 0,
          (command & 1) != 0);
    }
  }

  private final Board board;
  private final E1000Registers registers;
  private final GuestMemory memory;
  private final E1000Interrupts interrupts;
  private final Predicate<Packet> network;
  private final E1000Ring ring;

  /** The frame that is being gathered. */
  private byte[] frame = new byte[2048];

  private int length;
  private boolean begun;
  private boolean bad;
  private boolean extended;
  private boolean segments;
  private int options;
  private Context context = Context.NONE;

  /** A packet for which the network had no room. */
  private @Nullable Packet refused;

  private boolean posted;

  E1000Transmitter(
      Board board,
      E1000Registers registers,
      GuestMemory memory,
      E1000Interrupts interrupts,
      Predicate<Packet> network) {
    this.board = board;
    this.registers = registers;
    this.memory = memory;
    this.interrupts = interrupts;
    this.network = network;
    ring = new E1000Ring(registers, memory, E1000Register.TDBAL);
  }

  void reset() {
    refused = null;
    context = Context.NONE;
    forget();
  }

  private void forget() {
    length = 0;
    begun = false;
    bad = false;
  }

  /** Sends what is between head and tail, as far as the network has room. */
  void run() {
    if ((registers.get(E1000Register.TCTL) & ENABLE) == 0) {
      return;
    }
    Packet first = refused;
    if (first != null) {
      if (!network.test(first)) {
        return;
      }
      refused = null;
    }
    int done = 0;
    while (ring.available() > 0 && refused == null) {
      if (done == BATCH) {
        goOnLater();
        return;
      }
      if (!ring.fetch()) {
        return;
      }
      take(ring.fields());
      done++;
    }
    if (done > 0 && ring.available() == 0) {
      interrupts.raise(E1000Interrupts.TX_EMPTY);
    }
  }

  private void goOnLater() {
    if (!posted) {
      posted = true;
      board.post(
          () -> {
            posted = false;
            run();
          });
    }
  }

  private void take(ByteBuffer d) {
    int command = d.getInt(8) >>> 24 & 0xff;
    boolean isExtended = (command & EXTENDED) != 0;
    if (isExtended && (d.getInt(8) >>> 20 & 15) == 0) {
      context = Context.of(d);
    } else {
      gather(d, command, isExtended);
    }
    if ((command & REPORT) != 0) {
      d.put(STATUS_OFFSET, (byte) (d.get(STATUS_OFFSET) | DONE));
      ring.writeBack(STATUS_OFFSET, 1);
    }
    ring.advance();
    if ((command & REPORT) != 0) {
      interrupts.sent((command & DELAY) != 0);
    }
  }

  private void gather(ByteBuffer d, int command, boolean isExtended) {
    if (!begun) {
      begun = true;
      extended = isExtended;
      segments = isExtended && (command & SEGMENT) != 0;
      options = isExtended ? d.get(13) & 0xff : 0;
    }
    int bytes = isExtended ? d.getInt(8) & 0xf_ffff : d.getShort(8) & 0xffff;
    if (length + bytes > Packet.MAX_BYTES) {
      bad = true;
    } else if (!bad && bytes > 0) {
      if (length + bytes > frame.length) {
        frame = Arrays.copyOf(frame, Packet.MAX_BYTES + 4);
      }
      bad = !memory.read(d.getLong(0), frame, length, bytes);
      length += bytes;
    }
    if ((command & END) != 0) {
      if (!bad && length >= Packet.MIN_BYTES) {
        send(d, command);
      }
      forget();
    }
  }

  private void send(ByteBuffer d, int command) {
    byte[] bytes = Arrays.copyOf(frame, length);
    Packet packet;
    if (segments) {
      packet = large(bytes);
    } else if (extended) {
      packet = summed(bytes);
    } else {
      if ((command & INSERT_CHECKSUM) != 0) {
        boolean unused = Checksums.fill(bytes, d.get(13) & 0xff, d.get(10) & 0xff);
      }
      packet = Packet.of(bytes);
    }
    if (packet == null) {
      return;
    }
    if ((command & VLAN) != 0 && E1000.handlesVlan(registers)) {
      packet = tagged(packet, d.getShort(14) & 0xffff);
    }
    registers.count(E1000Register.GPTC, 1);
    registers.count(E1000Register.TPT, 1);
    registers.countWide(E1000Register.GOTC, length + 4);
    registers.countWide(E1000Register.TOT, length + 4);
    if (!network.test(packet)) {
      refused = packet;
    }
  }

  /** The end of what a checksum is of: the context's, which is inclusive, or the frame's. */
  private static int end(int inclusive, byte[] bytes) {
    return inclusive == 0 ? bytes.length : Math.min(inclusive + 1, bytes.length);
  }

  private Packet summed(byte[] bytes) {
    if ((options & OPTION_IP) != 0) {
      boolean unused =
          Checksums.fill(bytes, context.ipStart, end(context.ipEnd, bytes), context.ipField);
    }
    if ((options & OPTION_TRANSPORT) == 0) {
      return Packet.of(bytes);
    }
    Packet blank = new Packet(bytes, Checksum.BLANK, Gso.NONE, 0);
    Checksums.Place place = Checksums.placeOf(bytes);
    boolean standard =
        place != null
            && place.start() == context.start
            && place.field() == context.field
            && context.end == 0;
    if (standard && SoftwareOffload.isSound(blank)) {
      return blank;
    }
    boolean unused = Checksums.fill(bytes, context.start, end(context.end, bytes), context.field);
    return Packet.of(bytes);
  }

  /** A packet that is to be cut into segments; null if it is none of TCP. */
  private @Nullable Packet large(byte[] bytes) {
    int ip = context.ipStart;
    if (!context.tcp || ip + 40 > bytes.length) {
      return null;
    }
    // The lengths that software leaves open are those of the whole.
    int ipBytes = bytes.length - ip;
    put16(bytes, context.v4 ? ip + 2 : ip + 4, context.v4 ? ipBytes : ipBytes - 40);
    if (!SoftwareOffload.blank(bytes)) {
      return null;
    }
    FrameHeaders headers = FrameHeaders.of(bytes);
    if (headers == null || headers.v6() == context.v4) {
      return null;
    }
    if (context.v4) {
      // Left open as well, and no receiver takes a header that is wrong.
      put16(bytes, ip + 10, 0);
      boolean unused = Checksums.fill(bytes, ip, headers.transport(), ip + 10);
    }
    Gso gso = context.v4 ? Gso.TCPV4 : Gso.TCPV6;
    Packet packet = new Packet(bytes, Checksum.BLANK, gso, context.segmentBytes);
    if (!SoftwareOffload.isSound(packet)) {
      return null;
    }
    if (bytes.length - Checksums.headerBytes(bytes) > context.segmentBytes) {
      return packet;
    }
    return new Packet(bytes, Checksum.BLANK, Gso.NONE, 0);
  }

  private static void put16(byte[] bytes, int at, int value) {
    bytes[at] = (byte) (value >>> 8);
    bytes[at + 1] = (byte) value;
  }

  /** Puts a VLAN tag behind the addresses. */
  private Packet tagged(Packet packet, int tag) {
    byte[] plain = packet.bytes();
    byte[] bytes = new byte[plain.length + 4];
    System.arraycopy(plain, 0, bytes, 0, 12);
    put16(bytes, 12, registers.get(E1000Register.VET));
    put16(bytes, 14, tag);
    System.arraycopy(plain, 12, bytes, 16, plain.length - 12);
    Packet made = new Packet(bytes, packet.checksum(), packet.gso(), packet.gsoSizeBytes());
    return SoftwareOffload.isSound(made) ? made : Packet.of(bytes);
  }
}
