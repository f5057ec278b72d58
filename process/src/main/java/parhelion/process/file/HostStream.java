package parhelion.process.file;

import static parhelion.cpu.memory.Host.U;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import parhelion.host.Libc;
import parhelion.process.Errno;
import parhelion.process.LinuxError;

/**
 * One of the host process's own standard streams: a terminal, pipe, socket or file. It is polled
 * before each transfer, so that no transfer blocks; it is never closed.
 */
public final class HostStream extends OpenFile {
  /** Writes of this size do not block where poll says that a pipe has room. */
  private static final int CHUNK = 4096;

  private final int fd;
  private final boolean regular;

  public HostStream(int fd, int flags) {
    super(flags);
    this.fd = fd;
    int type = HostNode.statOf(fd).type();
    regular = type == FileStat.S_IFREG;
    setPath(isTerminal() ? "/dev/tty" : (regular ? "file:[" : "pipe:[") + stat().inode() + "]");
  }

  /** The stream, or the null device where the host has closed it. */
  public static OpenFile of(int fd, int flags) {
    try {
      return new HostStream(fd, flags);
    } catch (LinuxError e) {
      return Devices.nullDevice();
    }
  }

  @Override
  public FileStat stat() {
    return HostNode.statOf(fd);
  }

  @Override
  public int hostFd() {
    return regular ? -1 : fd;
  }

  @Override
  public int ready() {
    if (regular) {
      return POLLIN | POLLOUT;
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment poll = arena.allocate(8, 4);
      U.putInt(poll.address(), fd);
      U.putInt(poll.address() + 4, (isReadable() ? POLLIN : 0) | (isWritable() ? POLLOUT : 0));
      HostNode.check(Libc.call(Libc.Call.POLL, poll.address(), 1, 0));
      return U.getShort(poll.address() + 6);
    }
  }

  @Override
  public int read(byte[] into, int length) {
    if (length == 0) {
      return 0;
    }
    if ((ready() & (POLLIN | POLLHUP | POLLERR)) == 0) {
      return WOULD_BLOCK;
    }
    int part = Math.min(length, HostFile.CHUNK);
    long n = Libc.call(Libc.Call.READ, fd, HostFile.bounce(), part);
    if (n == -Errno.EAGAIN || n == -Errno.EINTR) {
      return WOULD_BLOCK;
    }
    HostFile.copyOut(into, 0, (int) HostNode.check(n));
    return (int) n;
  }

  @Override
  public int write(byte[] from, int offset, int length) {
    if (length == 0) {
      return 0;
    }
    int part = Math.min(length, regular ? HostFile.CHUNK : CHUNK);
    if ((ready() & (POLLOUT | POLLERR | POLLHUP)) == 0) {
      return WOULD_BLOCK;
    }
    HostFile.copyIn(from, offset, part);
    long n = Libc.call(Libc.Call.WRITE, fd, HostFile.bounce(), part);
    if (n == -Errno.EAGAIN || n == -Errno.EINTR) {
      return WOULD_BLOCK;
    }
    return (int) HostNode.check(n);
  }

  @Override
  public int readAt(byte[] into, int length, long position) {
    int part = Math.min(length, HostFile.CHUNK);
    long n = HostNode.check(Libc.call(Libc.Call.PREAD, fd, HostFile.bounce(), part, position));
    HostFile.copyOut(into, 0, (int) n);
    return (int) n;
  }

  @Override
  public int writeAt(byte[] from, int length, long position) {
    int part = Math.min(length, HostFile.CHUNK);
    HostFile.copyIn(from, 0, part);
    return (int) HostNode.check(Libc.call(Libc.Call.PWRITE, fd, HostFile.bounce(), part, position));
  }

  @Override
  public long seek(long offset, int whence) {
    return HostNode.check(Libc.call(Libc.Call.LSEEK, fd, offset, whence));
  }

  @Override
  public void truncate(long length) {
    HostNode.check(Libc.call(Libc.Call.FTRUNCATE, fd, length));
  }

  @Override
  public int available() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment count = arena.allocate(8, 8);
      HostNode.check(Libc.call(Libc.Call.IOCTL, fd, 0x541b /* FIONREAD */, count.address()));
      return U.getInt(count.address());
    }
  }

  @Override
  public boolean isTerminal() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment termios = arena.allocate(64, 8);
      return Libc.call(Libc.Call.IOCTL, fd, 0x5401 /* TCGETS */, termios.address()) == 0;
    }
  }

  /** An ioctl of the terminal with an argument of some bytes, read, written or both. */
  public void control(int request, byte[] argument) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment buffer = arena.allocate(Math.max(argument.length, 64), 8);
      MemorySegment.copy(
          argument, 0, buffer, java.lang.foreign.ValueLayout.JAVA_BYTE, 0, argument.length);
      HostNode.check(Libc.call(Libc.Call.IOCTL, fd, request, buffer.address()));
      MemorySegment.copy(
          buffer, java.lang.foreign.ValueLayout.JAVA_BYTE, 0, argument, 0, argument.length);
    }
  }
}
