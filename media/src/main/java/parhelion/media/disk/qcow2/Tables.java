package parhelion.media.disk.qcow2;

import java.io.IOException;
import java.nio.ByteBuffer;
import parhelion.media.disk.DiskException;
import parhelion.media.disk.ImageFile;

/** Reads and writes whole tables and stretches of zeroes, in pieces of bounded size. */
final class Tables {
  private static final int PIECE_BYTES = 64 << 10;

  private Tables() {}

  /** Reads a table of big-endian longs. */
  static long[] read(ImageFile file, long offset, int entries) throws IOException {
    long[] table = new long[entries];
    ByteBuffer piece = ByteBuffer.allocate((int) Math.min(PIECE_BYTES, 8L * entries));
    for (int i = 0; i < entries; ) {
      piece.clear().limit((int) Math.min(piece.capacity(), 8L * (entries - i)));
      file.read(offset + 8L * i, piece);
      piece.flip();
      while (piece.hasRemaining()) {
        table[i++] = piece.getLong();
      }
    }
    return table;
  }

  /** Writes a table of big-endian longs. */
  static void write(ImageFile file, long offset, long[] table) throws IOException {
    ByteBuffer piece = ByteBuffer.allocate((int) Math.min(PIECE_BYTES, 8L * table.length));
    for (int i = 0; i < table.length; ) {
      long at = offset + 8L * i;
      piece.clear();
      while (piece.hasRemaining() && i < table.length) {
        piece.putLong(table[i++]);
      }
      file.write(at, piece.flip());
    }
  }

  static void writeZeroes(ImageFile file, long offset, long lengthBytes) throws IOException {
    ByteBuffer zeroes = ByteBuffer.allocate((int) Math.min(PIECE_BYTES, lengthBytes));
    for (long done = 0; done < lengthBytes; done += zeroes.limit()) {
      zeroes.clear().limit((int) Math.min(zeroes.capacity(), lengthBytes - done));
      file.write(offset + done, zeroes);
    }
  }

  static void copy(ImageFile file, long from, long to, long lengthBytes) throws IOException {
    ByteBuffer piece = ByteBuffer.allocate((int) Math.min(PIECE_BYTES, lengthBytes));
    for (long done = 0; done < lengthBytes; done += piece.limit()) {
      piece.clear().limit((int) Math.min(piece.capacity(), lengthBytes - done));
      file.read(from + done, piece);
      file.write(to + done, piece.flip());
    }
  }

  /** The error for a table that says what cannot be. */
  static DiskException damaged(ImageFile file, String what) {
    return new DiskException(
        file.name()
            + ": is damaged ("
            + what
            + "): see what parhelion image check says, or restore it from a copy");
  }
}
