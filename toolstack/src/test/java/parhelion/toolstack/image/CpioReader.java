package parhelion.toolstack.image;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import parhelion.media.codec.Bytes;

/**
 * Lists cpio archives in "newc" format, also several in a row as the kernel takes them. For looking
 * into an initrd before it is given to a guest, and for tests.
 */
public final class CpioReader {
  private static final int HEADER_BYTES = 110;
  private static final int MAX_NAME_BYTES = 4096 + 1;
  private static final int MAX_ENTRIES = 1 << 20;
  private static final String REMEDY = "give a cpio archive in newc format";

  private CpioReader() {}

  /**
   * One entry.
   *
   * @param mode type and permission bits, as stat(2) has them
   * @param offset of its content in the archive
   */
  public record Entry(
      String path, int mode, int inode, int major, int minor, int offset, int bytes) {
    /** Whether it is a regular file. */
    public boolean regularFile() {
      return (mode & Initramfs.S_IFMT) == Initramfs.S_IFREG;
    }

    /** Its content, or a symbolic link's target. */
    public byte[] content(byte[] archive) {
      return Arrays.copyOfRange(archive, offset, offset + bytes);
    }
  }

  /** Whether the bytes begin like such an archive. */
  public static boolean matches(byte[] archive) {
    return Bytes.startsWith(archive, 0, '0', '7', '0', '7', '0', '1')
        || Bytes.startsWith(archive, 0, '0', '7', '0', '7', '0', '2');
  }

  /**
   * All entries but the trailers.
   *
   * @throws ImageException if the archive is malformed or cut off
   */
  public static List<Entry> read(byte[] archive, String name) {
    List<Entry> entries = new ArrayList<>();
    int at = 0;
    while (true) {
      while (at < archive.length && archive[at] == 0) { // padding between archives
        at++;
      }
      if (at == archive.length) {
        if (entries.isEmpty()) {
          throw ImageException.of(name, "holds no cpio archive", REMEDY);
        }
        return entries;
      }
      at = readArchive(archive, at, name, entries);
    }
  }

  private static int readArchive(byte[] archive, int at, String name, List<Entry> entries) {
    while (true) {
      if (archive.length - at < HEADER_BYTES
          || !(Bytes.startsWith(archive, at, '0', '7', '0', '7', '0', '1')
              || Bytes.startsWith(archive, at, '0', '7', '0', '7', '0', '2'))) {
        throw ImageException.of(name, "has no cpio header at byte " + at, REMEDY);
      }
      int mode = hex(archive, at, 1, name);
      int bytes = hex(archive, at, 6, name);
      int nameBytes = hex(archive, at, 11, name);
      int nameAt = at + HEADER_BYTES;
      if (nameBytes < 1 || nameBytes > MAX_NAME_BYTES || nameBytes > archive.length - nameAt) {
        throw ImageException.of(name, "has a malformed name at byte " + at, REMEDY);
      }
      long dataAt = (nameAt + (long) nameBytes + 3) & ~3L;
      if (bytes < 0 || dataAt + bytes > archive.length || archive[nameAt + nameBytes - 1] != 0) {
        throw ImageException.of(name, "has an entry cut off at byte " + at, REMEDY);
      }
      String path = new String(archive, nameAt, nameBytes - 1, StandardCharsets.UTF_8);
      int inode = hex(archive, at, 0, name);
      int major = hex(archive, at, 9, name);
      int minor = hex(archive, at, 10, name);
      at = (int) Math.min(archive.length, (dataAt + bytes + 3) & ~3L);
      if (path.equals("TRAILER!!!")) {
        return at;
      }
      if (entries.size() == MAX_ENTRIES) {
        throw ImageException.of(name, "has more than a million entries", REMEDY);
      }
      entries.add(new Entry(path, mode, inode, major, minor, (int) dataAt, bytes));
    }
  }

  private static int hex(byte[] archive, int header, int field, String name) {
    int value = 0;
    for (int i = 0; i < 8; i++) {
      int digit = Character.digit(archive[header + 6 + 8 * field + i], 16);
      if (digit < 0) {
        throw ImageException.of(name, "has a malformed number at byte " + header, REMEDY);
      }
      value = value << 4 | digit;
    }
    return value;
  }
}
