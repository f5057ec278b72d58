package parhelion.media.disk;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/**
 * A file in memory whose host fails on demand: writes that fail, whole or after some sectors; a
 * full disk; and a host that stops, after which of all that was not flushed any sectors are there.
 */
final class MemoryFile implements ImageFile {
  private static final int SECTOR = 512;

  /** A part of a sector that was written and not flushed. */
  private record Pending(long offset, byte[] bytes) {}

  private final Random random;
  private byte[] now = new byte[0];
  private byte[] durable = new byte[0];
  private final List<Pending> pending = new ArrayList<>();

  /** How many more writes and flushes succeed; -1 for all. */
  int succeed = -1;

  /** How many fail after that. */
  int fail;

  /** No byte beyond can be written. */
  long quota = Long.MAX_VALUE;

  MemoryFile(long seed) {
    random = new Random(seed);
  }

  byte[] bytes() {
    return now;
  }

  void bytes(byte[] bytes) {
    now = bytes;
    durable = bytes.clone();
  }

  /** What is left after the host has stopped. */
  synchronized MemoryFile afterPowerCut(long seed) {
    MemoryFile left = new MemoryFile(seed);
    left.now = durable.clone();
    for (Pending each : pending) {
      if (random.nextBoolean()) {
        left.put(each.offset, each.bytes);
      }
    }
    left.durable = left.now.clone();
    return left;
  }

  private void put(long offset, byte[] bytes) {
    int end = (int) offset + bytes.length;
    if (end > now.length) {
      now = Arrays.copyOf(now, end);
    }
    System.arraycopy(bytes, 0, now, (int) offset, bytes.length);
  }

  private boolean fails() {
    if (succeed > 0) {
      succeed--;
    } else if (succeed == 0 && fail > 0) {
      fail--;
      return true;
    }
    return false;
  }

  @Override
  public String name() {
    return "memory";
  }

  @Override
  public boolean isReadOnly() {
    return false;
  }

  @Override
  public synchronized long sizeBytes() {
    return now.length;
  }

  @Override
  public synchronized void read(long offset, ByteBuffer into) {
    while (into.hasRemaining()) {
      int there = (int) Math.clamp(now.length - offset, 0, into.remaining());
      if (there > 0) {
        into.put(now, (int) offset, there);
      } else {
        into.put((byte) 0);
      }
      offset += Math.max(there, 1);
    }
  }

  @Override
  public synchronized void write(long offset, ByteBuffer from) throws IOException {
    boolean fails = fails();
    int sectors = fails ? random.nextInt(from.remaining() / SECTOR + 1) : Integer.MAX_VALUE;
    while (from.hasRemaining() && sectors-- > 0) {
      int length = (int) Math.min(from.remaining(), SECTOR - offset % SECTOR);
      if (offset + length > quota) {
        throw new DiskException("memory: cannot be written: No space left on device");
      }
      byte[] bytes = new byte[length];
      from.get(bytes);
      put(offset, bytes);
      pending.add(new Pending(offset, bytes));
      offset += length;
    }
    if (fails) {
      throw new DiskException("memory: cannot be written: Input/output error");
    }
  }

  @Override
  public synchronized boolean punchHole(long offset, long lengthBytes) throws IOException {
    // Garbage, so that whoever still needs it is found out.
    byte[] garbage = new byte[(int) Math.clamp(now.length - offset, 0, lengthBytes)];
    Arrays.fill(garbage, (byte) 0xa5);
    put(offset, garbage);
    durable = Arrays.copyOf(durable, Math.max(durable.length, (int) offset + garbage.length));
    System.arraycopy(garbage, 0, durable, (int) offset, garbage.length);
    return true;
  }

  @Override
  public long holeAt(long offset, long limitBytes) {
    return 0;
  }

  @Override
  public synchronized void truncate(long sizeBytes) {
    now = Arrays.copyOf(now, (int) sizeBytes);
    durable = Arrays.copyOf(durable, Math.min(durable.length, (int) sizeBytes));
    pending.removeIf(each -> each.offset + each.bytes.length > sizeBytes);
  }

  @Override
  public synchronized void force() throws IOException {
    if (fails()) {
      throw new DiskException("memory: cannot be flushed: Input/output error");
    }
    durable = Arrays.copyOf(durable, now.length);
    for (Pending each : pending) {
      System.arraycopy(each.bytes, 0, durable, (int) each.offset, each.bytes.length);
    }
    pending.clear();
  }

  @Override
  public void close() {}
}
