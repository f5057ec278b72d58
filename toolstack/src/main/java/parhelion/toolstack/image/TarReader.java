package parhelion.toolstack.image;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import parhelion.media.codec.Bytes;
import parhelion.media.codec.CorruptDataException;

/**
 * Reads a tar stream entry by entry: ustar, GNU long names, pax path, linkpath and size. Our own
 * because it is short and because what it keeps in memory is bounded.
 */
final class TarReader {
  private static final int BLOCK_BYTES = 512;
  private static final int MAX_EXTENSION_BYTES = 1 << 20;
  private static final int MAX_PATH_CHARS = 4096;

  private final InputStream in;
  private final byte[] header = new byte[BLOCK_BYTES];
  private long left;
  private int padding;

  /**
   * One entry.
   *
   * @param path relative, without {@code .} or {@code ..} components, "" for the root itself
   * @param type '0' regular file, '5' directory, '2' symbolic link, ... as in the header
   */
  record Entry(String path, char type, long bytes, int mode, String linkTarget) {
    boolean regularFile() {
      return type == '0';
    }
  }

  TarReader(InputStream in) {
    this.in = in;
  }

  /** The next entry, or null at the end. The rest of the one before is skipped. */
  @Nullable Entry next() throws IOException {
    String longPath = null;
    String longLink = null;
    Map<String, String> pax = Map.of();
    while (true) {
      skipRest();
      if (!readHeader()) {
        return null;
      }
      char type = header[156] == 0 ? '0' : (char) (header[156] & 0xff);
      long size = number(124, 12);
      switch (type) {
        case 'L' -> longPath = extensionText(size);
        case 'K' -> longLink = extensionText(size);
        case 'x' -> pax = paxRecords(extension(size));
        case 'g' -> begin(size);
        default -> {
          String path = longPath != null ? longPath : pax.getOrDefault("path", headerPath());
          String link = longLink != null ? longLink : pax.getOrDefault("linkpath", text(157, 100));
          if (pax.containsKey("size")) {
            size = decimal(pax.getOrDefault("size", ""));
          }
          boolean hasData = type == '0' || type == '7';
          begin(hasData ? size : 0);
          return new Entry(
              safe(path), type == '7' ? '0' : type, left, (int) number(100, 8) & 07777, link);
        }
      }
    }
  }

  /** Copies the data of the current entry. */
  void copyTo(OutputStream out, ProgressSink sink) throws IOException {
    byte[] buffer = new byte[1 << 16];
    while (left > 0) {
      int n = in.read(buffer, 0, (int) Math.min(buffer.length, left));
      if (n < 0) {
        throw new EOFException();
      }
      left -= n;
      out.write(buffer, 0, n);
      sink.add(n);
    }
  }

  /** Hears of every piece copied. */
  interface ProgressSink {
    void add(int bytes);
  }

  private void begin(long bytes) throws CorruptDataException {
    if (bytes < 0) {
      throw new CorruptDataException("a tar entry has a negative size");
    }
    left = bytes;
    padding = (int) (-bytes & (BLOCK_BYTES - 1));
  }

  private void skipRest() throws IOException {
    in.skipNBytes(left + padding);
    left = 0;
    padding = 0;
  }

  private boolean readHeader() throws IOException {
    int n = in.readNBytes(header, 0, BLOCK_BYTES);
    if (n == 0) {
      return false;
    }
    if (n < BLOCK_BYTES) {
      throw new EOFException();
    }
    int sum = 8 * ' ';
    boolean zero = true;
    for (int i = 0; i < BLOCK_BYTES; i++) {
      zero &= header[i] == 0;
      sum += i >= 148 && i < 156 ? 0 : header[i] & 0xff;
    }
    if (zero) {
      return false;
    }
    if (number(148, 8) != sum) {
      throw new CorruptDataException("a tar header has a wrong checksum");
    }
    return true;
  }

  private String headerPath() {
    boolean ustar = Bytes.startsWith(header, 257, 'u', 's', 't', 'a', 'r', 0);
    String prefix = ustar ? text(345, 155) : "";
    return prefix.isEmpty() ? text(0, 100) : prefix + "/" + text(0, 100);
  }

  private String text(int at, int most) {
    int length = 0;
    while (length < most && header[at + length] != 0) {
      length++;
    }
    return new String(header, at, length, StandardCharsets.UTF_8);
  }

  /** An octal field, or a binary one if its first bit is set. */
  private long number(int at, int length) throws CorruptDataException {
    if ((header[at] & 0x80) != 0) {
      long value = header[at] & 0x3f;
      for (int i = 1; i < length; i++) {
        if (value >>> 54 != 0) {
          throw new CorruptDataException("a tar header has a number that is too large");
        }
        value = value << 8 | (header[at + i] & 0xff);
      }
      return value;
    }
    long value = 0;
    for (int i = at; i < at + length; i++) {
      int c = header[i];
      if (c >= '0' && c <= '7') {
        value = value * 8 + (c - '0');
      } else if (c != ' ' && c != 0) {
        throw new CorruptDataException("a tar header has a malformed number");
      }
    }
    return value;
  }

  private static long decimal(String text) throws CorruptDataException {
    try {
      return Long.parseLong(text);
    } catch (NumberFormatException e) {
      throw new CorruptDataException("a tar extension has a malformed size");
    }
  }

  private byte[] extension(long size) throws IOException {
    if (size < 0 || size > MAX_EXTENSION_BYTES) {
      throw new CorruptDataException("a tar extension is too large");
    }
    begin(size);
    byte[] data = in.readNBytes((int) size);
    left -= data.length;
    if (left != 0) {
      throw new EOFException();
    }
    return data;
  }

  private String extensionText(long size) throws IOException {
    String text = new String(extension(size), StandardCharsets.UTF_8);
    int nul = text.indexOf(0);
    return nul < 0 ? text : text.substring(0, nul);
  }

  /** {@code LENGTH KEY=VALUE\n} records. */
  private static Map<String, String> paxRecords(byte[] data) throws CorruptDataException {
    Map<String, String> records = new HashMap<>();
    int at = 0;
    while (at < data.length) {
      int space = at;
      long length = 0;
      while (space < data.length && data[space] != ' ' && length < data.length) {
        length = length * 10 + (data[space++] - '0');
      }
      if (length < 0 || length > data.length - at || at + length <= space + 1) {
        throw new CorruptDataException("a tar extension is malformed");
      }
      String record =
          new String(data, space + 1, (int) (at + length - space - 2), StandardCharsets.UTF_8);
      int equals = record.indexOf('=');
      if (equals > 0) {
        records.put(record.substring(0, equals), record.substring(equals + 1));
      }
      at += (int) length;
    }
    return records;
  }

  /** Drops {@code ./} and trailing slashes; refuses what would leave the target directory. */
  static String safe(String path) throws CorruptDataException {
    if (path.length() > MAX_PATH_CHARS || path.startsWith("/") || path.indexOf(0) >= 0) {
      throw new CorruptDataException("it has an entry with an unsafe path");
    }
    StringBuilder clean = new StringBuilder(path.length());
    for (String part : path.split("/", -1)) {
      if (part.equals("..")) {
        throw new CorruptDataException("it has an entry that would be outside its directory");
      }
      if (!part.isEmpty() && !part.equals(".")) {
        clean.append(clean.isEmpty() ? "" : "/").append(part);
      }
    }
    return clean.toString();
  }
}
