package parhelion.toolstack.debian;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.SecureRandom;
import parhelion.toolstack.image.ImageException;

/**
 * The partition table of a disk that a PC's BIOS starts: an MBR with one active partition of Linux
 * from 1 MiB to the end. A boot loader has its place in the gap before it.
 */
final class PartitionTable {
  private static final int SECTOR_BYTES = 512;
  private static final int FIRST_SECTOR = 2048;
  private static final int DISK_ID = 0x1b8;
  private static final int FIRST_ENTRY = 0x1be;
  private static final int SIGNATURE = 0x1fe;
  private static final byte ACTIVE = (byte) 0x80;
  private static final byte LINUX = (byte) 0x83;

  /** What BIOSes take for "ask by sector number instead". */
  private static final byte[] BEYOND_CYLINDERS = {(byte) 0xfe, (byte) 0xff, (byte) 0xff};

  private PartitionTable() {}

  /**
   * Writes the table into a raw image.
   *
   * @throws ImageException if sector numbers of 32 bits do not reach the disk's end, or the disk
   *     has no room for a partition
   */
  static void write(Path image, long sizeBytes) throws IOException {
    long sectors = sizeBytes / SECTOR_BYTES - FIRST_SECTOR;
    if (sectors <= FIRST_SECTOR || sectors > 0xffff_ffffL - FIRST_SECTOR) {
      throw new ImageException("a disk with a boot loader has 3M to 2T: give another --size");
    }
    ByteBuffer mbr = ByteBuffer.allocate(SECTOR_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    mbr.putInt(DISK_ID, new SecureRandom().nextInt());
    mbr.put(FIRST_ENTRY, ACTIVE);
    mbr.put(FIRST_ENTRY + 1, BEYOND_CYLINDERS);
    mbr.put(FIRST_ENTRY + 4, LINUX);
    mbr.put(FIRST_ENTRY + 5, BEYOND_CYLINDERS);
    mbr.putInt(FIRST_ENTRY + 8, FIRST_SECTOR);
    mbr.putInt(FIRST_ENTRY + 12, (int) sectors);
    mbr.putShort(SIGNATURE, (short) 0xaa55);
    try (FileChannel file = FileChannel.open(image, StandardOpenOption.WRITE)) {
      while (mbr.hasRemaining()) {
        file.write(mbr, mbr.position());
      }
    }
  }
}
