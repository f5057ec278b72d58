package parhelion.media.rootfs;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** Writes tar archives as they should be, and as they should not. */
final class TarWriter {
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();

  TarWriter file(String path, int mode, String content) {
    return member(path, '0', "", mode, 0, 0, content.getBytes(StandardCharsets.UTF_8));
  }

  TarWriter file(String path, byte[] content) {
    return member(path, '0', "", 0644, 0, 0, content);
  }

  TarWriter directory(String path) {
    return member(path, '5', "", 0755, 0, 0, new byte[0]);
  }

  TarWriter link(String path, String target) {
    return member(path, '2', target, 0777, 0, 0, new byte[0]);
  }

  TarWriter hardLink(String path, String target) {
    return member(path, '1', target, 0644, 0, 0, new byte[0]);
  }

  TarWriter member(
      String path, char type, String link, int mode, int uid, int gid, byte[] content) {
    header(path, type, link, mode, uid, gid, content.length);
    return data(content);
  }

  /** A member whose data are for the caller to add, or not. */
  TarWriter header(String path, char type, String link, int mode, int uid, int gid, long size) {
    byte[] h = new byte[512];
    put(h, 0, path);
    put(h, 100, "%07o".formatted(mode));
    put(h, 108, "%07o".formatted(uid));
    put(h, 116, "%07o".formatted(gid));
    put(h, 124, "%011o".formatted(size));
    put(h, 136, "%011o".formatted(1_600_000_000));
    h[156] = (byte) type;
    put(h, 157, link);
    put(h, 257, "ustar\00000");
    put(h, 329, "%07o".formatted(type == '3' ? 1 : 0));
    put(h, 337, "%07o".formatted(type == '3' ? 3 : 0));
    Arrays.fill(h, 148, 156, (byte) ' ');
    int sum = 0;
    for (byte b : h) {
      sum += b & 0xff;
    }
    put(h, 148, "%06o\0 ".formatted(sum));
    out.writeBytes(h);
    return this;
  }

  TarWriter data(byte[] content) {
    out.writeBytes(content);
    out.writeBytes(new byte[-content.length & 511]);
    return this;
  }

  /** A pax record for the next member. */
  TarWriter pax(String key, String value) {
    String rest = " " + key + "=" + value + "\n";
    int length = rest.length() + 1;
    while (String.valueOf(length).length() + rest.length() != length) {
      length++;
    }
    byte[] record = (length + rest).getBytes(StandardCharsets.ISO_8859_1);
    return member("pax", 'x', "", 0644, 0, 0, record);
  }

  private static void put(byte[] header, int at, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.ISO_8859_1);
    System.arraycopy(bytes, 0, header, at, bytes.length);
  }

  byte[] bytes() {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    all.writeBytes(out.toByteArray());
    all.writeBytes(new byte[1024]);
    return all.toByteArray();
  }
}
