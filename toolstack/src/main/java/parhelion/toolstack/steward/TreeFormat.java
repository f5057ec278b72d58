package parhelion.toolstack.steward;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Files and directories as a stream of bytes, as {@code guests/steward/tree.c} describes it.
 *
 * <pre>
 *   entry   u8 kind, u8 0, u16 bytes of the name, u32 permission bits, i64 seconds, i64 size; the name
 *   chunk   u32 length, so many bytes; a length of 0 ends a file or a link's target
 * </pre>
 */
final class TreeFormat {
  static final int ENTRY_BYTES = 24;
  static final int MAX_NAME_BYTES = 4095;
  static final int MAX_CHUNK = 65536;
  static final byte DIRECTORY = 'd';
  static final byte FILE = 'f';
  static final byte LINK = 'l';
  static final byte LEAVE = 'x';
  static final byte LAST = 'e';

  /** What stands before a name. */
  record Entry(byte kind, int nameBytes, int mode, long seconds, long size) {
    byte[] toBytes() {
      ByteBuffer bytes = ByteBuffer.allocate(ENTRY_BYTES).order(ByteOrder.LITTLE_ENDIAN);
      bytes.put(kind).put((byte) 0).putShort((short) nameBytes).putInt(mode);
      return bytes.putLong(seconds).putLong(size).array();
    }

    static Entry of(byte[] bytes) {
      ByteBuffer b = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
      return new Entry(b.get(0), b.getShort(2) & 0xffff, b.getInt(4), b.getLong(8), b.getLong(16));
    }
  }

  private TreeFormat() {}
}
