package parhelion.pc.disk;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;
import parhelion.pc.GuestMemory;

/**
 * A command as it was in its slot (AHCI 1.3.1, section 4.2): header and command FIS, copied once.
 */
final class AhciCommand {
  private static final int HEADER_BYTES = 32;
  private static final int FIS_BYTES = 20;
  private static final int PACKET_OFFSET = 0x40;
  private static final int TABLE_OFFSET = 0x80;
  private static final int ENTRY_BYTES = 16;
  private static final int REGISTER_FIS = 0x27;
  private static final int IS_COMMAND = 0x80;
  private static final int SOFT_RESET = 4;

  final int slot;
  final Taskfile task = new Taskfile();
  private final GuestMemory memory;
  private final long headerAddress;
  private final long tableAddress;
  private final int entries;
  private final byte[] fis;

  private AhciCommand(
      GuestMemory memory, int slot, long headerAddress, ByteBuffer header, byte[] fis) {
    this.memory = memory;
    this.slot = slot;
    this.headerAddress = headerAddress;
    this.fis = fis;
    entries = header.getInt(0) >>> 16;
    tableAddress = header.getLong(8) & ~0x7fL;
    task.command = at(2);
    task.feature = at(3) | at(11) << 8;
    task.device = at(7);
    task.count = at(12) | at(13) << 8;
    for (int i = 0; i < 3; i++) {
      task.lba |= (long) at(4 + i) << 8 * i | (long) at(8 + i) << 24 + 8 * i;
    }
  }

  private int at(int index) {
    return fis[index] & 0xff;
  }

  /** Copies a slot's command; null if it is not in RAM, or no command of ours. */
  static @Nullable AhciCommand read(GuestMemory memory, long list, int slot) {
    byte[] header = new byte[HEADER_BYTES];
    byte[] fis = new byte[FIS_BYTES];
    long at = list + (long) slot * HEADER_BYTES;
    if (!memory.read(at, header, 0, HEADER_BYTES)) {
      return null;
    }
    ByteBuffer fields = ByteBuffer.wrap(header).order(ByteOrder.LITTLE_ENDIAN);
    long table = fields.getLong(8) & ~0x7fL;
    if (!memory.read(table, fis, 0, FIS_BYTES) || fis[0] != REGISTER_FIS) {
      return null;
    }
    return new AhciCommand(memory, slot, at, fields, fis);
  }

  /** Whether it is a command, not a change of the control register. */
  boolean isCommand() {
    return (at(1) & IS_COMMAND) != 0;
  }

  boolean resets() {
    return (at(15) & SOFT_RESET) != 0;
  }

  /** The packet of a command to a CD-ROM; null if it is not in RAM. */
  byte @Nullable [] packet() {
    byte[] packet = new byte[12];
    return memory.read(tableAddress + PACKET_OFFSET, packet, 0, packet.length) ? packet : null;
  }

  /** The first regions of the table up to so many bytes; null if one is not RAM. */
  @Nullable ScatterList table(long lengthBytes) {
    ScatterList list = new ScatterList(memory);
    byte[] entry = new byte[ENTRY_BYTES];
    ByteBuffer fields = ByteBuffer.wrap(entry).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < entries && list.bytes() < lengthBytes; i++) {
      if (!memory.read(
          tableAddress + TABLE_OFFSET + (long) i * ENTRY_BYTES, entry, 0, ENTRY_BYTES)) {
        return null;
      }
      int bytes = (fields.getInt(12) & 0x3f_ffff) + 1;
      if (!list.add(fields.getLong(0), bytes)) {
        return null;
      }
    }
    return list;
  }

  /** Tells the guest how much was moved. */
  void moved(long bytes) {
    byte[] count = new byte[4];
    ByteBuffer.wrap(count).order(ByteOrder.LITTLE_ENDIAN).putInt((int) bytes);
    boolean unused = memory.write(headerAddress + 4, count, 0, 4);
  }
}
