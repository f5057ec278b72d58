package parhelion.media.disk;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;

/**
 * What each sector of a disk may hold after writes of which not all are known to have succeeded:
 * every write fills its sectors with a number of its own.
 */
final class SectorModel {
  private static final int SECTOR = Disk.SECTOR_BYTES;

  private final Random random;
  private final int sectors;
  private final List<Set<Long>> allowed = new ArrayList<>();
  private final List<Operation> pending = new ArrayList<>();
  private long stamp;

  SectorModel(long seed, int sectors, long firstStamp) {
    this.random = new Random(seed);
    this.sectors = sectors;
    this.stamp = firstStamp;
    for (int i = 0; i < sectors; i++) {
      allowed.add(new HashSet<>(Set.of(0L)));
    }
  }

  /** Something to do to a disk. */
  record Operation(int kind, int from, int count, long stamp) {
    void perform(Disk disk) throws IOException {
      long offset = (long) from * SECTOR;
      long length = (long) count * SECTOR;
      switch (kind) {
        case 0 -> disk.writeZeroes(offset, length);
        case 1 -> disk.discard(offset, length);
        default -> {
          ByteBuffer bytes = ByteBuffer.allocate((int) length);
          while (bytes.hasRemaining()) {
            bytes.putLong(stamp);
          }
          disk.write(offset, bytes.flip());
        }
      }
    }

    long value() {
      return kind < 2 ? 0 : stamp;
    }
  }

  Operation draw() {
    int most = random.nextInt(6) == 0 ? 300 : 12;
    int count = 1 + random.nextInt(Math.min(most, sectors));
    int from = random.nextInt(sectors - count + 1);
    if (random.nextBoolean()) {
      from /= 8;
    }
    Operation operation = new Operation(random.nextInt(10), from, count, ++stamp);
    pending.add(operation);
    return operation;
  }

  /** Everything up to here is acknowledged. */
  void flushed() {
    for (Operation each : pending) {
      for (int i = each.from; i < each.from + each.count; i++) {
        if (each.kind != 1) {
          allowed.get(i).clear();
        }
        allowed.get(i).add(each.value());
      }
    }
    pending.clear();
  }

  /**
   * The last operation failed: any of its sectors may hold the new value or the old one, whatever
   * is acknowledged later.
   */
  void failed() {
    Operation last = pending.removeLast();
    flushedOrNot();
    addValues(last);
  }

  /** What is pending may have happened or not, and stays so. */
  private void flushedOrNot() {
    pending.forEach(this::addValues);
    pending.clear();
  }

  private void addValues(Operation each) {
    for (int i = each.from; i < each.from + each.count; i++) {
      allowed.get(i).add(each.value());
    }
  }

  /** What was not acknowledged may have happened or not. */
  void stopped() {
    flushedOrNot();
  }

  /** Begins with what a disk holds. */
  void adopt(Disk disk) throws IOException {
    ByteBuffer sector = ByteBuffer.allocate(SECTOR);
    for (int i = 0; i < sectors; i++) {
      disk.read((long) i * SECTOR, sector.clear());
      allowed.set(i, new HashSet<>(Set.of(sector.getLong(0))));
    }
  }

  /** The disk holds what it may hold; that it is then. */
  void verify(Disk disk) throws IOException {
    assertEquals((long) sectors * SECTOR, disk.sizeBytes());
    ByteBuffer sector = ByteBuffer.allocate(SECTOR);
    for (int i = 0; i < sectors; i++) {
      sector.clear();
      disk.read((long) i * SECTOR, sector);
      long value = sector.getLong(0);
      for (int at = 0; at < SECTOR; at += 8) {
        assertEquals(value, sector.getLong(at), "sector " + i + " is torn");
      }
      int number = i;
      assertTrue(
          allowed.get(i).contains(value),
          () -> "sector " + number + " holds " + value + ", not of " + allowed.get(number));
      allowed.set(i, new HashSet<>(Set.of(value)));
    }
  }
}
