package parhelion.pc.firmware;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import parhelion.pc.Board;
import parhelion.pc.GuestMemory;
import parhelion.pc.Registers;

/**
 * The channel by which firmware asks the machine what it is made of (QEMU's fw_cfg, docs/specs):
 * items by number, files by name; byte by byte at ports 510h and 511h, or by DMA at 514h. On the
 * thread that runs the machine.
 */
public final class FirmwareConfig {
  private static final int SELECTOR = 0x510;
  private static final int DMA = 0x514;
  private static final int SIGNATURE = 0;
  private static final int ID = 1;
  private static final int DIRECTORY = 0x19;
  private static final int FIRST_FILE = 0x20;
  private static final int NAME_BYTES = 56;
  private static final int WITH_DMA = 3;
  private static final int DMA_ERROR = 1;
  private static final int DMA_READ = 2;
  private static final int DMA_SKIP = 4;
  private static final int DMA_SELECT = 8;
  private static final int DMA_WRITE = 16;
  private static final int WRITE_CHANNEL = 0x4000;
  private static final int CHUNK = 1 << 16;

  /** A position behind every item: skipping goes no further, however often. */
  private static final long FAR = 1L << 40;

  private final GuestMemory memory;
  private final Map<Integer, byte[]> items = new LinkedHashMap<>();
  private final Map<String, byte[]> files = new TreeMap<>();
  private byte @Nullable [] selected;
  private long position;
  private long dmaHigh;

  /** With nothing but its signature. */
  public FirmwareConfig(GuestMemory memory) {
    this.memory = memory;
    items.put(SIGNATURE, "QEMU".getBytes(StandardCharsets.US_ASCII));
    items.put(ID, little(WITH_DMA, 4));
  }

  /** Adds an item by its number. */
  public void item(int number, byte[] value) {
    items.put(number, value.clone());
  }

  /** Adds a file, before the machine runs. */
  public void file(String name, byte[] value) {
    if (name.length() >= NAME_BYTES) {
      throw new IllegalArgumentException(name);
    }
    files.put(name, value.clone());
    int number = FIRST_FILE;
    byte[] directory = new byte[4 + 64 * files.size()];
    big(directory, 0, files.size(), 4);
    int at = 4;
    for (Map.Entry<String, byte[]> file : files.entrySet()) {
      items.put(number, file.getValue());
      big(directory, at, file.getValue().length, 4);
      big(directory, at + 4, number++, 2);
      byte[] text = file.getKey().getBytes(StandardCharsets.US_ASCII);
      System.arraycopy(text, 0, directory, at + 8, text.length);
      at += 64;
    }
    items.put(DIRECTORY, directory);
  }

  private static void big(byte[] into, int at, long value, int bytes) {
    for (int i = 0; i < bytes; i++) {
      into[at + i] = (byte) (value >>> 8 * (bytes - 1 - i));
    }
  }

  private static long big(byte[] from, int at, int bytes) {
    long value = 0;
    for (int i = 0; i < bytes; i++) {
      value = value << 8 | from[at + i] & 0xff;
    }
    return value;
  }

  /** A number of so many bytes, the lowest first: as items have them. */
  public static byte[] little(long value, int bytes) {
    byte[] out = new byte[bytes];
    for (int i = 0; i < bytes; i++) {
      out[i] = (byte) (value >>> 8 * i);
    }
    return out;
  }

  /** Places the registers. */
  public void plug(Board board) {
    board.mapPorts(SELECTOR, 2, "fw_cfg", new Data());
    board.mapPorts(DMA, 8, "fw_cfg", new Dma());
  }

  private void select(int number) {
    selected = items.get(number & ~WRITE_CHANNEL);
    position = 0;
  }

  private int next() {
    byte[] item = selected;
    int value = item != null && position < item.length ? item[(int) position] & 0xff : 0;
    position++;
    return value;
  }

  private final class Data implements Registers {
    @Override
    public long read(long offset, int size) {
      if (offset == 0) {
        return size == 1 ? -1L : next() << 8 | 0xff;
      }
      return next();
    }

    @Override
    public void write(long offset, int size, long value) {
      if (offset == 0 && size == 2) {
        select((int) value & 0xffff);
      }
    }
  }

  private final class Dma implements Registers {
    @Override
    public long read(long offset, int size) {
      long signature = 0x51454d5520434647L; // "QEMU CFG", the highest byte first
      long value = 0;
      for (int i = 0; i < size; i++) {
        value |= (signature >>> 8 * (7 - offset - i) & 0xff) << 8 * i;
      }
      return value;
    }

    @Override
    public void write(long offset, int size, long value) {
      if (size != 4) {
        return;
      }
      long swapped = Integer.reverseBytes((int) value) & 0xffff_ffffL;
      if (offset == 0) {
        dmaHigh = swapped;
      } else if (offset == 4) {
        long address = dmaHigh << 32 | swapped;
        dmaHigh = 0;
        transfer(address);
      }
    }
  }

  /** Does what a control structure says: control, length, address, all highest byte first. */
  private void transfer(long at) {
    byte[] request = new byte[16];
    if (!memory.read(at, request, 0, 16)) {
      return;
    }
    int control = (int) big(request, 0, 4);
    long length = big(request, 4, 4);
    long address = big(request, 8, 8);
    if ((control & DMA_SELECT) != 0) {
      select(control >>> 16);
    }
    boolean good = true;
    if ((control & DMA_READ) != 0) {
      good = memory.contains(address, length) && copyOut(address, length);
    } else if ((control & DMA_WRITE) != 0) {
      good = false; // nothing here can be written
    } else if ((control & DMA_SKIP) != 0) {
      position = Math.min(position + length, FAR);
    }
    byte[] answer = new byte[4];
    big(answer, 0, good ? 0 : DMA_ERROR, 4);
    boolean unused = memory.write(at, answer, 0, 4);
  }

  private boolean copyOut(long address, long length) {
    byte[] item = selected;
    byte[] chunk = new byte[(int) Math.min(length, CHUNK)];
    for (long done = 0; done < length; ) {
      int n = (int) Math.min(length - done, CHUNK);
      Arrays.fill(chunk, (byte) 0);
      if (item != null && position < item.length) {
        System.arraycopy(item, (int) position, chunk, 0, Math.min(n, item.length - (int) position));
      }
      if (!memory.write(address + done, chunk, 0, n)) {
        return false;
      }
      position += n;
      done += n;
    }
    return true;
  }
}
