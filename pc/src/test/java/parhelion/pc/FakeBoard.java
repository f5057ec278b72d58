package parhelion.pc;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A board for tests of devices: some RAM from address 0, lines and messages that are noted, time
 * that the test moves, and what was posted, which runs when the test says.
 */
public final class FakeBoard implements Board, Timers {
  /** A message that a device has sent. */
  public record Message(long address, int data) {}

  private record Range(long start, long length, String device, Registers registers) {}

  private static final class Alarm implements Timer {
    final Runnable action;
    long at = Long.MAX_VALUE;

    Alarm(Runnable action) {
      this.action = action;
    }

    @Override
    public void set(long nanos) {
      at = nanos;
    }

    @Override
    public void cancel() {
      at = Long.MAX_VALUE;
    }
  }

  private final Ram ram;
  private final List<Range> ports = new ArrayList<>();
  private final List<Range> memory = new ArrayList<>();
  private final boolean[] lines = new boolean[24];
  private final int[] rises = new int[24];
  private final List<Alarm> alarms = new ArrayList<>();
  private final LinkedBlockingQueue<Runnable> posted = new LinkedBlockingQueue<>();
  public final List<Message> messages = new ArrayList<>();
  private long now;

  public FakeBoard(int ramBytes) {
    ram = new Ram(ramBytes);
  }

  @Override
  public Mapping mapPorts(int first, int count, String device, Registers registers) {
    return place(ports, new Range(first, count, device, registers));
  }

  @Override
  public Mapping mapMemory(long start, long length, String device, Registers registers) {
    return place(memory, new Range(start, length, device, registers));
  }

  @Override
  public DeviceMemory deviceMemory(int bytes) {
    return DeviceMemory.apart(bytes);
  }

  private static Mapping place(List<Range> space, Range range) {
    space.add(range);
    return () -> space.remove(range);
  }

  private static @Nullable Range find(List<Range> space, long at) {
    for (int i = space.size() - 1; i >= 0; i--) {
      Range range = space.get(i);
      if (at >= range.start && at - range.start < range.length) {
        return range;
      }
    }
    return null;
  }

  private static long masked(long value, int size) {
    return size == 8 ? value : value & (1L << 8 * size) - 1;
  }

  private static long read(List<Range> space, long at, int size) {
    Range range = find(space, at);
    return masked(range == null ? -1 : range.registers.read(at - range.start, size), size);
  }

  private static void write(List<Range> space, long at, int size, long value) {
    Range range = find(space, at);
    if (range != null) {
      range.registers.write(at - range.start, size, masked(value, size));
    }
  }

  /** The guest's IN. */
  public int in(int port, int size) {
    return (int) read(ports, port, size);
  }

  /** The guest's OUT. */
  public void out(int port, int size, int value) {
    write(ports, port, size, value);
  }

  /** A load from registers in memory. */
  public long load(long address, int size) {
    return read(memory, address, size);
  }

  /** A store to registers in memory. */
  public void store(long address, int size, long value) {
    write(memory, address, size, value);
  }

  /** The device that answers at a port. */
  public @Nullable String deviceAt(int port) {
    Range range = find(ports, port);
    return range == null ? null : range.device;
  }

  /** The device that answers at an address. */
  public @Nullable String deviceInMemory(long address) {
    Range range = find(memory, address);
    return range == null ? null : range.device;
  }

  @Override
  public InterruptLine line(int gsi) {
    return raised -> {
      if (raised && !lines[gsi]) {
        rises[gsi]++;
      }
      lines[gsi] = raised;
    };
  }

  public boolean isRaised(int gsi) {
    return lines[gsi];
  }

  /** How often a line has risen. */
  public int rises(int gsi) {
    return rises[gsi];
  }

  @Override
  public void message(long address, int data) {
    messages.add(new Message(address, data));
  }

  @Override
  public Ram memory() {
    return ram;
  }

  @Override
  public Timers timers() {
    return this;
  }

  @Override
  public void post(Runnable action) {
    posted.add(action);
  }

  /** Runs what was posted. */
  public void runPosted() {
    for (Runnable action = posted.poll(); action != null; action = posted.poll()) {
      action.run();
    }
  }

  /** Waits until something is posted, and runs that and what comes with it. */
  public void awaitPosted() {
    try {
      Runnable first = posted.poll(30, TimeUnit.SECONDS);
      if (first == null) {
        throw new AssertionError("nothing was posted");
      }
      first.run();
      runPosted();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  @Override
  public long nanos() {
    return now;
  }

  @Override
  public Instant wallClock() {
    return Instant.EPOCH.plusNanos(now);
  }

  @Override
  public Timer timer(Runnable action) {
    Alarm alarm = new Alarm(action);
    alarms.add(alarm);
    return alarm;
  }

  /** Lets time pass, and timers run when they are due. */
  public void advance(long nanos) {
    long until = now + nanos;
    while (true) {
      Alarm next = null;
      for (Alarm alarm : alarms) {
        if (alarm.at <= until && (next == null || alarm.at < next.at)) {
          next = alarm;
        }
      }
      if (next == null) {
        now = until;
        return;
      }
      now = Math.max(now, next.at);
      next.at = Long.MAX_VALUE;
      next.action.run();
    }
  }

  /** Time passes in which the host runs nothing: what is due is late. */
  public void stall(long nanos) {
    now += nanos;
  }

  /** RAM of the board, by which the test is the guest. */
  public static final class Ram implements GuestMemory {
    private final ByteBuffer bytes;

    Ram(int size) {
      bytes = ByteBuffer.allocateDirect(size).order(ByteOrder.LITTLE_ENDIAN);
    }

    @Override
    public boolean contains(long address, long lengthBytes) {
      return address >= 0
          && lengthBytes >= 0
          && address <= bytes.capacity()
          && lengthBytes <= bytes.capacity() - address;
    }

    @Override
    public @Nullable ByteBuffer view(long address, int lengthBytes) {
      return contains(address, lengthBytes) ? bytes.slice((int) address, lengthBytes) : null;
    }

    @Override
    public void written(long address, long lengthBytes) {
      if (!contains(address, lengthBytes)) {
        throw new AssertionError("written beyond RAM: " + address + " + " + lengthBytes);
      }
    }

    @Override
    public boolean read(long address, byte[] into, int offset, int lengthBytes) {
      boolean all = contains(address, lengthBytes);
      if (all) {
        bytes.get((int) address, into, offset, lengthBytes);
      }
      return all;
    }

    @Override
    public boolean write(long address, byte[] from, int offset, int lengthBytes) {
      boolean all = contains(address, lengthBytes);
      if (all) {
        bytes.put((int) address, from, offset, lengthBytes);
      }
      return all;
    }

    public void put(long address, byte... from) {
      bytes.put((int) address, from);
    }

    public byte[] get(long address, int length) {
      byte[] copy = new byte[length];
      bytes.get((int) address, copy);
      return copy;
    }

    public void fill(long address, int length, int value) {
      byte[] filled = new byte[length];
      Arrays.fill(filled, (byte) value);
      put(address, filled);
    }

    public void put16(long address, int value) {
      bytes.putShort((int) address, (short) value);
    }

    public void put32(long address, int value) {
      bytes.putInt((int) address, value);
    }

    public void put64(long address, long value) {
      bytes.putLong((int) address, value);
    }

    public int get8(long address) {
      return bytes.get((int) address) & 0xff;
    }

    public int get16(long address) {
      return bytes.getShort((int) address) & 0xffff;
    }

    public int get32(long address) {
      return bytes.getInt((int) address);
    }

    public long get64(long address) {
      return bytes.getLong((int) address);
    }
  }
}
