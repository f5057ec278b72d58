package parhelion.pc.display;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32;
import java.util.zip.Deflater;

/** Writes a picture as PNG: 8 bits each of red, green and blue, one IDAT. */
final class PngWriter {
  private static final byte[] SIGNATURE = {(byte) 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};

  private PngWriter() {}

  /** A picture of {@code rgb.length / width} lines, 0xRRGGBB each pixel. */
  static byte[] write(int width, int[] rgb) {
    int height = rgb.length / width;
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.writeBytes(SIGNATURE);
    ByteBuffer header = ByteBuffer.allocate(13).putInt(width).putInt(height);
    header.put((byte) 8).put((byte) 2);
    chunk(out, "IHDR", header.array(), 13);
    byte[] lines = new byte[height * (3 * width + 1)];
    int at = 0;
    for (int y = 0; y < height; y++) {
      lines[at++] = 0;
      for (int x = 0; x < width; x++) {
        int pixel = rgb[y * width + x];
        lines[at++] = (byte) (pixel >>> 16);
        lines[at++] = (byte) (pixel >>> 8);
        lines[at++] = (byte) pixel;
      }
    }
    ByteArrayOutputStream packed = new ByteArrayOutputStream();
    Deflater deflater = new Deflater();
    try {
      deflater.setInput(lines);
      deflater.finish();
      byte[] piece = new byte[1 << 14];
      while (!deflater.finished()) {
        packed.write(piece, 0, deflater.deflate(piece));
      }
    } finally {
      deflater.end();
    }
    chunk(out, "IDAT", packed.toByteArray(), packed.size());
    chunk(out, "IEND", new byte[0], 0);
    return out.toByteArray();
  }

  private static void chunk(ByteArrayOutputStream out, String type, byte[] data, int length) {
    byte[] name = type.getBytes(StandardCharsets.US_ASCII);
    CRC32 crc = new CRC32();
    crc.update(name);
    crc.update(data, 0, length);
    out.writeBytes(ByteBuffer.allocate(4).putInt(length).array());
    out.writeBytes(name);
    out.write(data, 0, length);
    out.writeBytes(ByteBuffer.allocate(4).putInt((int) crc.getValue()).array());
  }
}
