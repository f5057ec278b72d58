package parhelion.media.share;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/**
 * The fields of a request, one after the other. A request that ends too soon is EPROTO. For one
 * thread; the buffer is our own copy, which no guest changes meanwhile.
 */
final class NinePInput {
  private static final int MAX_NAME_BYTES = 255;
  private static final int MAX_PATH_BYTES = 4095;

  private final ByteBuffer buffer;

  /** Reads from the buffer's position to its limit. */
  NinePInput(ByteBuffer buffer) {
    this.buffer = buffer.order(ByteOrder.LITTLE_ENDIAN);
  }

  private void need(int bytes) {
    if (buffer.remaining() < bytes) {
      throw FileError.of(LinuxErrno.EPROTO);
    }
  }

  int u8() {
    need(1);
    return buffer.get() & 0xff;
  }

  int u16() {
    need(2);
    return buffer.getShort() & 0xffff;
  }

  int u32() {
    need(4);
    return buffer.getInt();
  }

  long u64() {
    need(8);
    return buffer.getLong();
  }

  /** An offset or a size, which Linux has signed. */
  long size() {
    long value = u64();
    if (value < 0) {
      throw FileError.of(LinuxErrno.EINVAL);
    }
    return value;
  }

  int remaining() {
    return buffer.remaining();
  }

  /** The next bytes themselves, as a view. */
  ByteBuffer bytes(int count) {
    if (count < 0) {
      throw FileError.of(LinuxErrno.EPROTO);
    }
    need(count);
    ByteBuffer view = buffer.slice(buffer.position(), count);
    buffer.position(buffer.position() + count);
    return view;
  }

  /** A string of at most so many bytes; a NUL in it is EINVAL. */
  private String string(int mostBytes) {
    int length = u16();
    need(length);
    if (length > mostBytes) {
      throw FileError.of(LinuxErrno.ENAMETOOLONG);
    }
    byte[] bytes = new byte[length];
    buffer.get(bytes);
    for (byte b : bytes) {
      if (b == 0) {
        throw FileError.of(LinuxErrno.EINVAL);
      }
    }
    return new String(bytes, StandardCharsets.ISO_8859_1);
  }

  /** A text that names no file of ours: a link's target, a version. */
  String text() {
    return string(MAX_PATH_BYTES);
  }

  /** An attribute's name. */
  String attributeName() {
    return string(MAX_NAME_BYTES);
  }

  /** A name to be looked up, which may be "." or "..". */
  String component() {
    String name = string(MAX_NAME_BYTES);
    if (name.isEmpty() || name.indexOf('/') >= 0) {
      throw FileError.of(LinuxErrno.ENOENT);
    }
    return name;
  }

  /** The name of an entry: not "." and not "..". */
  String entryName() {
    String name = component();
    if (name.equals(".") || name.equals("..")) {
      throw FileError.of(LinuxErrno.EINVAL);
    }
    return name;
  }
}
