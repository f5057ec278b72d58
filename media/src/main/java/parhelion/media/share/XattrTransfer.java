package parhelion.media.share;

import java.nio.ByteBuffer;

/**
 * An extended attribute's value on its way: to the client as it was when it was asked for, or from
 * the client until all of it is there. Any thread.
 */
final class XattrTransfer {
  /** Linux's limit, XATTR_SIZE_MAX. */
  static final int MAX_BYTES = 65536;

  private final String name;
  private final byte[] value;
  private final int flags;
  private final boolean incoming;
  private int filled;

  private XattrTransfer(String name, byte[] value, int flags, boolean incoming) {
    this.name = name;
    this.value = value;
    this.flags = flags;
    this.incoming = incoming;
  }

  /** A value for the client to read. */
  static XattrTransfer outgoing(byte[] value) {
    return new XattrTransfer("", value, 0, false);
  }

  /** A value that the client will write. */
  static XattrTransfer incoming(String name, int sizeBytes, int flags) {
    return new XattrTransfer(name, new byte[sizeBytes], flags, true);
  }

  synchronized int read(long offset, ByteBuffer into) {
    if (incoming) {
      throw FileError.of(LinuxErrno.EBADF);
    }
    int from = (int) Math.min(offset, value.length);
    int count = Math.min(into.remaining(), value.length - from);
    into.put(value, from, count);
    return count;
  }

  synchronized int write(long offset, ByteBuffer from) {
    int count = from.remaining();
    if (!incoming) {
      throw FileError.of(LinuxErrno.EBADF);
    }
    if (offset != filled || count > value.length - filled) {
      throw FileError.of(LinuxErrno.ENOSPC);
    }
    from.get(value, filled, count);
    filled += count;
    return count;
  }

  /** The fid is given up: a value that has come becomes the file's. An empty one removes it. */
  synchronized void finish(Node node) {
    if (!incoming) {
      return;
    }
    if (filled < value.length) {
      throw FileError.of(LinuxErrno.EINVAL);
    }
    if (value.length == 0) {
      node.removeAttribute(name);
    } else {
      node.setAttribute(name, value, flags);
    }
  }
}
