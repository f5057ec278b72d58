package parhelion.media.rootfs;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The members of a tar archive, one after the other, by where their data are: ustar, GNU's long
 * names and large numbers, pax records with extended attributes. What it keeps is bounded, and
 * everything that an archive says is checked against the archive's own size. For one thread.
 */
final class TarMembers {
  private static final int BLOCK = 512;
  private static final int MAX_EXTENSION_BYTES = 1 << 20;
  private static final String XATTR = "SCHILY.xattr.";

  /**
   * A member. Names hold a byte a character.
   *
   * @param type '0' regular file, '1' hard link, '2' symbolic link, '3' and '4' device nodes, '5'
   *     directory, '6' FIFO
   */
  record Member(
      String path,
      char type,
      String linkTarget,
      int mode,
      int uid,
      int gid,
      long seconds,
      long major,
      long minor,
      Map<String, byte[]> attributes,
      ByteRange data) {}

  private final ByteRange archive;
  private final byte[] header = new byte[BLOCK];
  private long at;

  TarMembers(ByteRange archive) {
    this.archive = archive;
  }

  /** Whether something begins as a tar archive does. */
  static boolean matches(ByteRange range) throws IOException {
    return range.sizeBytes() >= BLOCK && new TarMembers(range).readHeader();
  }

  /** The next member, or null at the end. */
  @Nullable Member next() throws IOException {
    String longPath = null;
    String longLink = null;
    Map<String, byte[]> pax = Map.of();
    while (readHeader()) {
      char type = header[156] == 0 ? '0' : (char) (header[156] & 0xff);
      long size = number(124, 12);
      switch (type) {
        case 'L' -> longPath = text(extension(size), 0, MAX_EXTENSION_BYTES);
        case 'K' -> longLink = text(extension(size), 0, MAX_EXTENSION_BYTES);
        case 'x' -> pax = records(extension(size));
        case 'g', 'V' -> advance(size);
        case 'S' -> throw sparse();
        default -> {
          return member(type, longPath, longLink, pax);
        }
      }
    }
    return null;
  }

  private static RootFsException sparse() {
    return new RootFsException("it has a sparse member: pack it without --sparse");
  }

  private Member member(
      char type, @Nullable String longPath, @Nullable String longLink, Map<String, byte[]> pax)
      throws RootFsException {
    Map<String, byte[]> attributes = new HashMap<>(0);
    for (Map.Entry<String, byte[]> record : pax.entrySet()) {
      if (record.getKey().startsWith("GNU.sparse.")) {
        throw sparse();
      }
      if (record.getKey().startsWith(XATTR)) {
        attributes.put(record.getKey().substring(XATTR.length()), record.getValue());
      }
    }
    String path = string(pax, "path", longPath != null ? longPath : headerPath());
    String link = string(pax, "linkpath", longLink != null ? longLink : text(header, 157, 100));
    long size = decimal(pax, "size", number(124, 12));
    boolean hasData = type == '0' || type == '7';
    ByteRange data = archive.slice(at, hasData ? size : 0);
    if (hasData || type > '7') {
      advance(size);
    }
    return new Member(
        path,
        type == '7' ? '0' : type,
        link,
        (int) number(100, 8) & 07777,
        (int) decimal(pax, "uid", number(108, 8)),
        (int) decimal(pax, "gid", number(116, 8)),
        decimal(pax, "mtime", number(136, 12)),
        type == '3' || type == '4' ? number(329, 8) : 0,
        type == '3' || type == '4' ? number(337, 8) : 0,
        attributes,
        data);
  }

  private void advance(long bytes) throws RootFsException {
    ByteRange unused = archive.slice(at, bytes);
    at += bytes + (-bytes & BLOCK - 1);
  }

  private boolean readHeader() throws IOException {
    if (at >= archive.sizeBytes()) {
      return false;
    }
    archive.slice(at, BLOCK).read(0, ByteBuffer.wrap(header));
    int sum = 8 * ' ';
    boolean zero = true;
    for (int i = 0; i < BLOCK; i++) {
      zero &= header[i] == 0;
      sum += i >= 148 && i < 156 ? 0 : header[i] & 0xff;
    }
    if (zero) {
      return false;
    }
    if (!hasChecksum(sum)) {
      throw new RootFsException("it is no tar archive, or a damaged one (a header's checksum)");
    }
    at += BLOCK;
    return true;
  }

  private boolean hasChecksum(int sum) {
    try {
      return number(148, 8) == sum;
    } catch (RootFsException e) {
      return false;
    }
  }

  private String headerPath() {
    boolean ustar = Arrays.equals(header, 257, 263, new byte[] {'u', 's', 't', 'a', 'r', 0}, 0, 6);
    String prefix = ustar ? text(header, 345, 155) : "";
    return prefix.isEmpty() ? text(header, 0, 100) : prefix + "/" + text(header, 0, 100);
  }

  /** Up to a NUL. */
  private static String text(byte[] from, int at, int most) {
    int end = at;
    while (end < from.length && end - at < most && from[end] != 0) {
      end++;
    }
    return new String(from, at, end - at, StandardCharsets.ISO_8859_1);
  }

  /** An octal field, or a binary one if its first bit is set. */
  private long number(int from, int length) throws RootFsException {
    long value = 0;
    if ((header[from] & 0x80) != 0) {
      value = header[from] & 0x3f;
      for (int i = 1; i < length; i++) {
        if (value >>> 54 != 0) {
          throw new RootFsException("it has a number that is too large");
        }
        value = value << 8 | header[from + i] & 0xff;
      }
      return value;
    }
    for (int i = from; i < from + length; i++) {
      int c = header[i];
      if (c >= '0' && c <= '7') {
        value = value * 8 + (c - '0');
      } else if (c != ' ' && c != 0) {
        throw new RootFsException("it has a malformed number");
      }
    }
    return value;
  }

  private byte[] extension(long size) throws IOException {
    byte[] data = archive.slice(at, size).bytes(MAX_EXTENSION_BYTES);
    advance(size);
    return data;
  }

  private static String string(Map<String, byte[]> pax, String key, String otherwise) {
    byte[] value = pax.get(key);
    return value == null ? otherwise : text(value, 0, value.length);
  }

  /** A decimal number, of which a fraction is dropped. */
  private static long decimal(Map<String, byte[]> pax, String key, long otherwise)
      throws RootFsException {
    byte[] value = pax.get(key);
    if (value == null) {
      return otherwise;
    }
    String text = text(value, 0, value.length);
    int dot = text.indexOf('.');
    try {
      return Long.parseLong(dot < 0 ? text : text.substring(0, dot));
    } catch (NumberFormatException e) {
      throw new RootFsException("it has a malformed number");
    }
  }

  /** {@code LENGTH KEY=VALUE\n} records. */
  private static Map<String, byte[]> records(byte[] data) throws RootFsException {
    Map<String, byte[]> records = new HashMap<>();
    int at = 0;
    while (at < data.length) {
      int space = at;
      long length = 0;
      while (space < data.length && data[space] >= '0' && data[space] <= '9' && length < 1 << 24) {
        length = length * 10 + (data[space++] - '0');
      }
      if (length > data.length - at || at + length <= space + 1 || data[space] != ' ') {
        throw new RootFsException("it has a malformed extension");
      }
      int end = (int) (at + length - 1);
      int equals = space + 1;
      while (equals < end && data[equals] != '=') {
        equals++;
      }
      if (equals < end) {
        String key = new String(data, space + 1, equals - space - 1, StandardCharsets.ISO_8859_1);
        records.put(key, Arrays.copyOfRange(data, equals + 1, end));
      }
      at += (int) length;
    }
    return records;
  }
}
