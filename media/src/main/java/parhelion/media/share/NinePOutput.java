package parhelion.media.share;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/** The answer to a request as it is being written. For one thread. */
final class NinePOutput {
  /** Size, type and tag, as before every message. */
  static final int HEADER_BYTES = 7;

  private static final int QID_DIRECTORY = 0x80;
  private static final int QID_SYMLINK = 0x02;

  private final ByteBuffer buffer;

  /** Writes from the buffer's start; what does not fit into it or into {@code mostBytes} fails. */
  NinePOutput(ByteBuffer buffer, int mostBytes) {
    this.buffer = buffer.order(ByteOrder.LITTLE_ENDIAN);
    buffer.clear();
    buffer.limit(Math.min(buffer.capacity(), mostBytes));
    buffer.position(HEADER_BYTES);
  }

  NinePOutput u8(int value) {
    buffer.put((byte) value);
    return this;
  }

  NinePOutput u16(int value) {
    buffer.putShort((short) value);
    return this;
  }

  NinePOutput u32(int value) {
    buffer.putInt(value);
    return this;
  }

  NinePOutput u64(long value) {
    buffer.putLong(value);
    return this;
  }

  NinePOutput string(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.ISO_8859_1);
    u16(bytes.length);
    buffer.put(bytes);
    return this;
  }

  /** What tells files apart; the version is not kept. */
  NinePOutput qid(Attributes attributes) {
    return qid(attributes.inode(), attributes.mode());
  }

  NinePOutput qid(long inode, int mode) {
    int type =
        switch (mode & FileMode.TYPE) {
          case FileMode.DIRECTORY -> QID_DIRECTORY;
          case FileMode.SYMLINK -> QID_SYMLINK;
          default -> 0;
        };
    return u8(type).u32(0).u64(inode);
  }

  int room() {
    return buffer.remaining();
  }

  int position() {
    return buffer.position();
  }

  /** Sets a field that was left out. */
  void patch(int position, int value) {
    buffer.putInt(position, value);
  }

  /** The buffer, for data: from its position on at most so many bytes, as a view. */
  ByteBuffer data(int mostBytes) {
    return buffer.slice(buffer.position(), Math.min(mostBytes, buffer.remaining()));
  }

  /** Counts data that were put into {@link #data}. */
  void skip(int bytes) {
    buffer.position(buffer.position() + bytes);
  }

  /** Writes the header, and makes the buffer ready to be read. */
  void finish(int type, int tag) {
    buffer.putInt(0, buffer.position());
    buffer.put(4, (byte) type);
    buffer.putShort(5, (short) tag);
    buffer.flip();
  }

  /** Forgets what was written, and answers with an error. */
  void fail(int errno, int tag) {
    buffer.clear();
    buffer.position(HEADER_BYTES);
    u32(errno);
    finish(NinePType.RLERROR, tag);
  }
}
