package parhelion.toolstack.image;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * What stands before a file's content in a cpio archive in "newc" format (Linux's
 * Documentation/driver-api/early-userspace/buffer-format.rst). Header with name, and content, begin
 * at multiples of four bytes.
 *
 * @param inode the same for names of one file, which the kernel then links
 * @param mode type and permission bits, as stat(2) has them
 * @param links how many names the file has
 * @param modified in seconds since 1970
 * @param bytes of content, or of a symbolic link's target
 * @param major of a device node
 */
record CpioHeader(
    int inode,
    int mode,
    int uid,
    int gid,
    int links,
    int modified,
    int bytes,
    int major,
    int minor) {
  private static final byte[] MAGIC = "070701".getBytes(StandardCharsets.US_ASCII);
  private static final byte[] DIGITS = "0123456789abcdef".getBytes(StandardCharsets.US_ASCII);
  private static final int FIELDS = 13;

  /** The most that one takes beside its name. */
  static final int MAX_BYTES = 6 + 8 * FIELDS + 1 + 3 + 3;

  /** Of the archive's end. */
  static byte[] trailer() {
    return new CpioHeader(0, 0, 0, 0, 1, 0, 0, 0, 0)
        .named("TRAILER!!!".getBytes(StandardCharsets.US_ASCII));
  }

  /** The header with the file's name, filled up to a multiple of four bytes. */
  byte[] named(byte[] name) {
    int[] fields = {
      inode, mode, uid, gid, links, modified, bytes, 0, 0, major, minor, name.length + 1, 0
    };
    int headerBytes = MAGIC.length + 8 * FIELDS;
    byte[] header = Arrays.copyOf(MAGIC, headerBytes + name.length + 1 + 3 & ~3);
    for (int i = 0; i < fields.length; i++) {
      for (int digit = 0; digit < 8; digit++) {
        header[MAGIC.length + 8 * i + digit] = DIGITS[fields[i] >>> (28 - 4 * digit) & 15];
      }
    }
    System.arraycopy(name, 0, header, headerBytes, name.length);
    return header;
  }
}
