package parhelion.process.file;

import parhelion.process.Errno;
import parhelion.process.LinuxError;

/** A read-only file of bytes that are there. */
public final class BytesFile extends OpenFile {
  private final FileStat stat;
  private final byte[] content;
  private long position;

  public BytesFile(int flags, FileStat stat, byte[] content) {
    super(flags);
    this.stat = stat;
    this.content = content;
  }

  @Override
  public FileStat stat() {
    return stat;
  }

  @Override
  public int read(byte[] into, int length) {
    int n = readAt(into, length, position);
    position += n;
    return n;
  }

  @Override
  public int readAt(byte[] into, int length, long at) {
    if (at >= content.length) {
      return 0;
    }
    int n = (int) Math.min(length, content.length - at);
    System.arraycopy(content, (int) at, into, 0, n);
    return n;
  }

  @Override
  public long seek(long offset, int whence) {
    long to =
        switch (whence) {
          case 0 -> offset;
          case 1 -> position + offset;
          case 2 -> content.length + offset;
          default -> throw new LinuxError(Errno.EINVAL);
        };
    if (to < 0) {
      throw new LinuxError(Errno.EINVAL);
    }
    position = to;
    return to;
  }

  @Override
  public int available() {
    return (int) Math.max(0, content.length - position);
  }
}
