package parhelion.pc.disk;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;
import parhelion.pc.GuestMemory;
import parhelion.pc.Registers;

/**
 * The bus master of one IDE channel (82371SB, section 2.6): a command, a status, and the address of
 * a table of regions, which takes the place of the data register.
 */
final class IdeBusMaster implements Registers {
  private static final int COMMAND = 0;
  private static final int STATUS = 2;
  private static final int TABLE = 4;

  private static final int START = 1;
  private static final int TO_MEMORY = 8;

  private static final int ACTIVE = 1;
  private static final int ERROR = 2;
  private static final int INTERRUPT = 4;
  private static final int CAPABLE = 0x60;

  private static final int ENTRY_BYTES = 8;
  private static final int LAST = 1 << 31;
  private static final int MAX_ENTRIES = 0x10000 / ENTRY_BYTES;

  private final GuestMemory memory;
  private @Nullable IdeChannel channel;
  private int command;
  private int status;
  private int table;

  IdeBusMaster(GuestMemory memory) {
    this.memory = memory;
  }

  void connect(IdeChannel itsChannel) {
    channel = itsChannel;
  }

  void reset() {
    command = 0;
    status = 0;
    table = 0;
  }

  @Override
  public long read(long offset, int size) {
    long all = command | (long) status << 16 | (long) table << 32;
    return all >>> 8 * offset;
  }

  @Override
  public void write(long offset, int size, long value) {
    for (int i = 0; i < size; i++) {
      writeByte((int) offset + i, (int) (value >>> 8 * i) & 0xff);
    }
    if (offset == COMMAND && (command & START) != 0 && channel != null) {
      channel.startDma();
    }
  }

  private void writeByte(int at, int value) {
    switch (at) {
      case COMMAND -> {
        boolean starts = (value & START) != 0 && (command & START) == 0;
        boolean stops = (value & START) == 0 && (command & START) != 0;
        command = value & (START | TO_MEMORY);
        if (starts) {
          status |= ACTIVE;
        }
        if (stops) {
          status &= ~ACTIVE;
          if (channel != null) {
            channel.stopDma();
          }
        }
      }
      case STATUS -> {
        status &= ~(value & (ERROR | INTERRUPT));
        status = status & ~CAPABLE | value & CAPABLE;
      }
      default -> {
        if (at >= TABLE && at < TABLE + 4) {
          int shift = 8 * (at - TABLE);
          table = table & ~(0xff << shift) | value << shift;
          table &= ~3;
        }
      }
    }
  }

  /** The drive has a transfer for the bus master. */
  void wanted() {
    if ((command & START) != 0 && channel != null) {
      channel.startDma();
    }
  }

  void interrupted() {
    status |= INTERRUPT;
  }

  void ended(boolean ok) {
    status &= ~ACTIVE;
    if (!ok) {
      status |= ERROR;
    }
  }

  /**
   * The first {@code lengthBytes} that the table lists; null if they are not all RAM, or too few.
   */
  @Nullable ScatterList table(long lengthBytes, boolean toMemory) {
    if (((command & TO_MEMORY) != 0) != toMemory) {
      return null;
    }
    ScatterList list = new ScatterList(memory);
    byte[] entry = new byte[ENTRY_BYTES];
    ByteBuffer fields = ByteBuffer.wrap(entry).order(ByteOrder.LITTLE_ENDIAN);
    long at = Integer.toUnsignedLong(table);
    for (int i = 0; i < MAX_ENTRIES && list.bytes() < lengthBytes; i++, at += ENTRY_BYTES) {
      if (!memory.read(at, entry, 0, ENTRY_BYTES)) {
        return null;
      }
      int count = fields.getInt(4) & 0xfffe;
      int bytes = count == 0 ? 0x10000 : count;
      if (!list.add(fields.getInt(0) & 0xffff_fffeL, bytes)) {
        return null;
      }
      if ((fields.getInt(4) & LAST) != 0) {
        break;
      }
    }
    return list.bytes() < lengthBytes ? null : list;
  }
}
