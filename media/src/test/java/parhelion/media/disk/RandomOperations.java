package parhelion.media.disk;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Random;

/** Does random things to a disk and, in memory, to what should be on it. */
final class RandomOperations {
  private final Random random;
  byte[] model;

  RandomOperations(long seed, byte[] model) {
    this.random = new Random(seed);
    this.model = model;
  }

  /** Sectors of a range: mostly few, now and then many, near what was touched before. */
  private int[] range() {
    int sectors = model.length / 512;
    int most = random.nextInt(8) == 0 ? 2048 : random.nextInt(4) == 0 ? 256 : 16;
    int count = 1 + random.nextInt(Math.min(most, sectors));
    int from = random.nextInt(sectors - count + 1);
    if (random.nextBoolean()) {
      from = Math.min(from & -128, sectors - count);
    }
    if (random.nextBoolean()) {
      from = from % Math.max(1, sectors / 8);
    }
    return new int[] {Math.min(from, sectors - count) * 512, count * 512};
  }

  void run(Disk disk, int operations) throws IOException {
    for (int i = 0; i < operations; i++) {
      one(disk);
    }
  }

  private void one(Disk disk) throws IOException {
    int[] range = range();
    int offset = range[0];
    int length = range[1];
    switch (random.nextInt(16)) {
      case 0, 1, 2, 3, 4, 5, 6 -> write(disk, offset, length);
      case 7, 8, 9, 10 -> check(disk, offset, length);
      case 11, 12 -> {
        disk.writeZeroes(offset, length);
        Arrays.fill(model, offset, offset + length, (byte) 0);
      }
      case 13, 14 -> discard(disk, offset, length);
      default -> disk.flush();
    }
  }

  private void write(Disk disk, int offset, int length) throws IOException {
    byte[] bytes = new byte[length];
    random.nextBytes(bytes);
    if (random.nextInt(4) == 0) {
      Arrays.fill(bytes, (byte) random.nextInt());
    }
    ByteBuffer from =
        random.nextBoolean() ? ByteBuffer.wrap(bytes) : ByteBuffer.allocateDirect(length);
    if (from.isDirect()) {
      from.put(bytes).flip();
    }
    disk.write(offset, from);
    assertEquals(0, from.remaining());
    assertEquals(length, from.limit());
    System.arraycopy(bytes, 0, model, offset, length);
  }

  /** What was discarded is what it was, or zero, sector by sector; from then on it stays so. */
  private void discard(Disk disk, int offset, int length) throws IOException {
    disk.discard(offset, length);
    byte[] now = read(disk, offset, length);
    for (int at = 0; at < length; at += 512) {
      byte[] sector = Arrays.copyOfRange(now, at, at + 512);
      if (Arrays.equals(sector, new byte[512])) {
        Arrays.fill(model, offset + at, offset + at + 512, (byte) 0);
      }
    }
    check(now, offset);
  }

  void check(Disk disk, int offset, int length) throws IOException {
    check(read(disk, offset, length), offset);
  }

  /** The whole disk is as it should be. */
  void checkAll(Disk disk) throws IOException {
    assertEquals(model.length, disk.sizeBytes());
    for (int at = 0; at < model.length; at += 1 << 20) {
      check(disk, at, Math.min(1 << 20, model.length - at));
    }
  }

  private void check(byte[] bytes, int offset) {
    int at = Arrays.mismatch(bytes, 0, bytes.length, model, offset, offset + bytes.length);
    if (at >= 0) {
      throw new AssertionError(
          "at %d (%d + %d) there is %d instead of %d"
              .formatted(offset + at, offset, at, bytes[at], model[offset + at]));
    }
  }

  private static byte[] read(Disk disk, int offset, int length) throws IOException {
    byte[] bytes = new byte[length];
    disk.read(offset, ByteBuffer.wrap(bytes));
    return bytes;
  }
}
