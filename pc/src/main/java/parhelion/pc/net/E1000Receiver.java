package parhelion.pc.net;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.zip.CRC32;
import org.jspecify.annotations.Nullable;
import parhelion.media.net.FrameHeaders;
import parhelion.media.net.Packet;
import parhelion.media.net.Packet.Checksum;
import parhelion.pc.GuestMemory;

/**
 * The card's way in (317453, section 3.2): which frames are taken, the buffers that they go to, and
 * what is known of their checksums. Frames wait in the {@link Inbox} while the guest has lent no
 * buffers.
 */
final class E1000Receiver {
  private static final int ENABLE = 1 << 1;
  private static final int UNICAST_ALL = 1 << 3;
  private static final int MULTICAST_ALL = 1 << 4;
  private static final int LONG = 1 << 5;
  private static final int BROADCAST = 1 << 15;
  private static final int VLAN_FILTER = 1 << 18;
  private static final int SIZE_EXTENDED = 1 << 25;
  private static final int STRIP_CRC = 1 << 26;

  private static final int DONE = 1;
  private static final int END = 1 << 1;
  private static final int VLAN = 1 << 3;
  private static final int TRANSPORT_CHECKED = 1 << 5;
  private static final int IP_CHECKED = 1 << 6;
  private static final int TRANSPORT_WRONG = 1 << 5;
  private static final int IP_WRONG = 1 << 6;

  private static final int CHECK_IP = 1 << 8;
  private static final int CHECK_TRANSPORT = 1 << 9;

  private static final int ADDRESSES = 16;
  private static final int MIN_FRAME = 60;
  private static final int MAX_FRAME = 1518;
  private static final int CRC_BYTES = 4;

  private final E1000Registers registers;
  private final GuestMemory memory;
  private final E1000Interrupts interrupts;
  private final E1000Ring ring;
  private @Nullable Inbox inbox;

  E1000Receiver(E1000Registers registers, GuestMemory memory, E1000Interrupts interrupts) {
    this.registers = registers;
    this.memory = memory;
    this.interrupts = interrupts;
    ring = new E1000Ring(registers, memory, E1000Register.RDBAL);
  }

  void connect(Inbox itsInbox) {
    inbox = itsInbox;
  }

  void reset() {
    if (inbox != null) {
      inbox.setOpen(false);
    }
  }

  private int control() {
    return registers.get(E1000Register.RCTL);
  }

  /** The receiver was switched on or off, or given buffers. */
  void changed() {
    if (inbox != null) {
      inbox.setOpen((control() & ENABLE) != 0);
    }
    run();
  }

  /** Gives the guest what has come, as far as there are buffers. */
  void run() {
    Inbox from = inbox;
    if (from == null || (control() & ENABLE) == 0) {
      return;
    }
    while (ring.available() > needed()) {
      Packet packet = from.poll();
      if (packet == null) {
        break;
      }
      if (isWanted(packet.bytes())) {
        put(packet);
      }
    }
  }

  /** Descriptors but one that the largest frame may take. */
  private int needed() {
    int largest = (control() & LONG) != 0 ? 16384 : MAX_FRAME + 4;
    return (largest + bufferBytes() - 1) / bufferBytes() - 1;
  }

  private int bufferBytes() {
    int shift = control() >>> 16 & 3;
    if ((control() & SIZE_EXTENDED) != 0 && shift > 0) {
      return 32768 >>> shift;
    }
    return 2048 >>> shift;
  }

  private boolean isWanted(byte[] frame) {
    if (frame.length < Packet.MIN_BYTES
        || frame.length > ((control() & LONG) != 0 ? 16384 - CRC_BYTES : MAX_FRAME)) {
      return false;
    }
    if ((control() & VLAN_FILTER) != 0 && isTagged(frame)) {
      int id = (frame[14] & 15) << 8 | frame[15] & 0xff;
      if ((registers.get(E1000Register.VFTA + 4 * (id >>> 5)) >>> (id & 31) & 1) == 0) {
        return false;
      }
    }
    if ((frame[0] & 1) == 0) {
      return (control() & UNICAST_ALL) != 0 || matches(frame);
    }
    boolean broadcast = true;
    for (int i = 0; i < 6; i++) {
      broadcast &= frame[i] == -1;
    }
    registers.count(broadcast ? E1000Register.BPRC : E1000Register.MPRC, 1);
    return broadcast && (control() & BROADCAST) != 0
        || (control() & MULTICAST_ALL) != 0
        || isInTable(frame)
        || matches(frame);
  }

  private boolean matches(byte[] frame) {
    int low = frame[0] & 0xff | (frame[1] & 0xff) << 8 | (frame[2] & 0xff) << 16 | frame[3] << 24;
    int high = frame[4] & 0xff | (frame[5] & 0xff) << 8;
    for (int i = 0; i < ADDRESSES; i++) {
      int at = E1000Register.RAL0 + 8 * i;
      int upper = registers.get(at + 4);
      if (upper < 0 && (upper & 0xffff) == high && registers.get(at) == low) {
        return true;
      }
    }
    return false;
  }

  /** The multicast table: 4096 bits, chosen by 12 bits of the address's last two bytes. */
  private boolean isInTable(byte[] frame) {
    int[] shifts = {4, 3, 2, 0};
    int last = frame[4] & 0xff | (frame[5] & 0xff) << 8;
    int hash = last >>> shifts[control() >>> 12 & 3] & 0xfff;
    return (registers.get(E1000Register.MTA + 4 * (hash >>> 5)) >>> (hash & 31) & 1) != 0;
  }

  private boolean isTagged(byte[] frame) {
    int type = (frame[12] & 0xff) << 8 | frame[13] & 0xff;
    return type == (registers.get(E1000Register.VET) & 0xffff) && frame.length >= 18;
  }

  private void put(Packet packet) {
    byte[] frame = packet.bytes();
    int status = 0;
    int errors = 0;
    int special = 0;
    int sums = registers.get(E1000Register.RXCSUM);
    FrameHeaders headers =
        (sums & (CHECK_IP | CHECK_TRANSPORT)) == 0 ? null : FrameHeaders.of(frame);
    if (headers != null) {
      boolean known = packet.checksum() == Checksum.VALID;
      if ((sums & CHECK_IP) != 0 && !headers.v6()) {
        status |= IP_CHECKED;
        errors |= Checksums.sum(frame, headers.ip(), headers.transport()) == 0xffff ? 0 : IP_WRONG;
      }
      if ((sums & CHECK_TRANSPORT) != 0 && Checksums.placeOf(frame) != null) {
        status |= TRANSPORT_CHECKED;
        errors |= known || isRight(frame, headers) ? 0 : TRANSPORT_WRONG;
      }
    }
    if (E1000.handlesVlan(registers) && isTagged(frame)) {
      status |= VLAN;
      special = (frame[14] & 0xff) << 8 | frame[15] & 0xff;
      byte[] untagged = new byte[frame.length - 4];
      System.arraycopy(frame, 0, untagged, 0, 12);
      System.arraycopy(frame, 16, untagged, 12, untagged.length - 12);
      frame = untagged;
    }
    write(finished(frame), status, errors, special);
  }

  private static boolean isRight(byte[] frame, FrameHeaders h) {
    if (h.protocol() == FrameHeaders.UDP && !h.v6()) {
      int field = h.transport() + 6;
      if (frame[field] == 0 && frame[field + 1] == 0) {
        return true; // none was made
      }
    }
    int addresses = h.v6() ? h.ip() + 8 : h.ip() + 12;
    long sum = Checksums.sum(frame, addresses, addresses + (h.v6() ? 32 : 8));
    sum += Checksums.sum(frame, h.transport(), h.end());
    sum += h.protocol() + h.end() - h.transport();
    while (sum >>> 16 != 0) {
      sum = (sum & 0xffff) + (sum >>> 16);
    }
    return sum == 0xffff;
  }

  /**
   * A frame as it comes over the wire: of at least 60 bytes, with its CRC unless that is cut off.
   */
  private byte[] finished(byte[] frame) {
    int length = Math.max(frame.length, MIN_FRAME);
    if ((control() & STRIP_CRC) != 0) {
      return frame.length == length ? frame : Arrays.copyOf(frame, length);
    }
    byte[] whole = Arrays.copyOf(frame, length + CRC_BYTES);
    CRC32 crc = new CRC32();
    crc.update(whole, 0, length);
    for (int i = 0; i < CRC_BYTES; i++) {
      whole[length + i] = (byte) (crc.getValue() >>> 8 * i);
    }
    return whole;
  }

  private void write(byte[] frame, int status, int errors, int special) {
    int start = registers.get(E1000Register.RXCSUM) & 0xff;
    int sum = start < frame.length ? Checksums.sum(frame, start, frame.length) : 0;
    int size = bufferBytes();
    for (int done = 0; done < frame.length; done += size) {
      if (!ring.fetch()) {
        return;
      }
      ByteBuffer d = ring.fields();
      int length = Math.min(size, frame.length - done);
      long address = d.getLong(0);
      if (address != 0) {
        boolean unused = memory.write(address, frame, done, length);
      }
      boolean last = done + length == frame.length;
      d.putShort(8, (short) length);
      d.putShort(10, (short) sum);
      d.put(12, (byte) (DONE | (last ? END | status : 0)));
      d.put(13, (byte) (last ? errors : 0));
      d.putShort(14, (short) (last ? special : 0));
      ring.writeBack(8, 8);
      ring.advance();
    }
    registers.count(E1000Register.GPRC, 1);
    registers.count(E1000Register.TPR, 1);
    registers.countWide(E1000Register.GORC, frame.length);
    registers.countWide(E1000Register.TOR, frame.length);
    int threshold = ring.size() >>> 1 + (control() >>> 8 & 3);
    if (ring.available() <= threshold) {
      interrupts.raise(E1000Interrupts.RX_LOW);
    }
    interrupts.received();
  }
}
