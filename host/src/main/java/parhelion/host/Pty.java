package parhelion.host;

import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import parhelion.host.Libc.Call;

/**
 * The master of a pseudo-terminal (pty(7)): others open its slave by name, as they would a serial
 * line. Nothing of the line discipline comes between: the slave is raw until a client says
 * otherwise. Any thread; {@link #close} waits for calls that are under way, a tenth of a second at
 * most.
 */
public final class Pty implements AutoCloseable {
  /** How long a call waits; also how soon a client that comes is noticed. */
  private static final int TURN_MILLIS = 100;

  private static final int NAME_BYTES = 64;
  private static final int CHUNK_BYTES = 4096;

  /** More than any Linux's struct termios has. */
  private static final int TERMIOS_BYTES = 256;

  private static final int TCSANOW = 0;
  private static final int POLLIN = 1;
  private static final int POLLOUT = 4;
  private static final int POLLHUP = 16;
  private static final int EINTR = 4;
  private static final int EIO = 5;
  private static final int EAGAIN = 11;

  private final int fd;
  private final String slave;
  private final ReentrantReadWriteLock lock = new ReentrantReadWriteLock();
  private volatile boolean closed;

  private Pty(int fd, String slave) {
    this.fd = fd;
    this.slave = slave;
  }

  /**
   * Makes one.
   *
   * @throws IOException with a phrase that says what the host does not do
   */
  public static Pty open() throws IOException {
    if (!Libc.isAvailable()) {
      throw new IOException("this host has no pseudo-terminals that can be used");
    }
    int fd = (int) Libc.call(Call.POSIX_OPENPT, Libc.O_RDWR | Libc.O_NOCTTY | Libc.O_CLOEXEC);
    if (fd < 0) {
      throw new IOException("the host has no pseudo-terminal free (error " + -fd + ")");
    }
    boolean done = false;
    try (Arena arena = Arena.ofConfined()) {
      check(Libc.call(Call.GRANTPT, fd));
      check(Libc.call(Call.UNLOCKPT, fd));
      MemorySegment name = arena.allocate(NAME_BYTES);
      check(Libc.call(Call.PTSNAME_R, fd, name.address(), NAME_BYTES));
      int setFlags = 4;
      check(Libc.call(Call.FCNTL, fd, setFlags, Libc.O_RDWR | Libc.O_NONBLOCK));
      Pty pty = new Pty(fd, name.getString(0));
      pty.makeRaw();
      // Until a slave was open once, Linux does not say that none is.
      int once = Libc.openat(Libc.AT_FDCWD, pty.slave, Libc.O_RDWR | Libc.O_NOCTTY, 0);
      check(Math.min(once, 0));
      Libc.close(once);
      done = true;
      return pty;
    } finally {
      if (!done) {
        Libc.close(fd);
      }
    }
  }

  private static void check(long result) throws IOException {
    if (result != 0) {
      throw new IOException("the host gives no pseudo-terminal (error " + Math.abs(result) + ")");
    }
  }

  /** The name by which others open it, such as {@code /dev/pts/3}. */
  public String slave() {
    return slave;
  }

  /** Puts the line back into raw mode, for the next client. */
  public void makeRaw() {
    lock.readLock().lock();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment mode = arena.allocate(TERMIOS_BYTES);
      if (!closed && Libc.call(Call.TCGETATTR, fd, mode.address()) == 0) {
        long unused = Libc.call(Call.CFMAKERAW, mode.address());
        long ignored = Libc.call(Call.TCSETATTR, fd, TCSANOW, mode.address());
      }
    } finally {
      lock.readLock().unlock();
    }
  }

  /** Whether somebody has the slave open, or has left bytes there. */
  public boolean hasClient() throws IOException {
    int events = poll(POLLIN, 0);
    return (events & POLLHUP) == 0 || (events & POLLIN) != 0;
  }

  /**
   * Waits a little for bytes from a client.
   *
   * @return how many were read into {@code bytes}; 0 if there are none yet, -1 without a client
   */
  public int read(byte[] bytes) throws IOException {
    int events = poll(POLLIN, TURN_MILLIS);
    if ((events & (POLLIN | POLLHUP)) == 0) {
      return 0;
    }
    lock.readLock().lock();
    try (Arena arena = Arena.ofConfined()) {
      checkOpen();
      MemorySegment buffer = arena.allocate(bytes.length);
      long n = Libc.call(Call.READ, fd, buffer.address(), bytes.length);
      if (n == -EIO) {
        return -1;
      }
      if (n <= 0) {
        return failed(n);
      }
      MemorySegment.copy(buffer, ValueLayout.JAVA_BYTE, 0, bytes, 0, (int) n);
      return (int) n;
    } finally {
      lock.readLock().unlock();
    }
  }

  /** Nothing is wrong with a call that only has to be made again. */
  private static int failed(long result) throws IOException {
    if (result == -EAGAIN || result == -EINTR) {
      return 0;
    }
    throw new IOException("error " + -result + " of the pseudo-terminal");
  }

  /** A stream to the client, which waits while that reads nothing, and breaks when it goes. */
  public OutputStream output() {
    return new OutputStream() {
      @Override
      public void write(int b) throws IOException {
        write(new byte[] {(byte) b}, 0, 1);
      }

      @Override
      public void write(byte[] bytes, int offset, int length) throws IOException {
        for (int done = 0; done < length; ) {
          int written = writeSome(bytes, offset + done, Math.min(CHUNK_BYTES, length - done));
          done += written;
          if (written == 0 && (poll(POLLOUT, TURN_MILLIS) & POLLHUP) != 0) {
            throw new IOException("the client has gone");
          }
        }
      }
    };
  }

  private int writeSome(byte[] bytes, int offset, int length) throws IOException {
    lock.readLock().lock();
    try (Arena arena = Arena.ofConfined()) {
      checkOpen();
      MemorySegment buffer = arena.allocate(length);
      MemorySegment.copy(bytes, offset, buffer, ValueLayout.JAVA_BYTE, 0, length);
      long n = Libc.call(Call.WRITE, fd, buffer.address(), length);
      return n > 0 ? (int) n : failed(n);
    } finally {
      lock.readLock().unlock();
    }
  }

  private int poll(int events, int millis) throws IOException {
    lock.readLock().lock();
    try (Arena arena = Arena.ofConfined()) {
      checkOpen();
      // struct pollfd: int fd; short events, revents.
      MemorySegment pollfd = arena.allocate(8, 4);
      pollfd.set(ValueLayout.JAVA_INT, 0, fd);
      pollfd.set(ValueLayout.JAVA_SHORT, 4, (short) events);
      long n = Libc.call(Call.POLL, pollfd.address(), 1, millis);
      return n > 0 ? pollfd.get(ValueLayout.JAVA_SHORT, 6) : 0;
    } finally {
      lock.readLock().unlock();
    }
  }

  private void checkOpen() throws IOException {
    if (closed) {
      throw new IOException("closed");
    }
  }

  @Override
  public void close() {
    lock.writeLock().lock();
    try {
      if (!closed) {
        closed = true;
        Libc.close(fd);
      }
    } finally {
      lock.writeLock().unlock();
    }
  }
}
