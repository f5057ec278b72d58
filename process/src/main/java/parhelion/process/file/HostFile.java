package parhelion.process.file;

import static parhelion.cpu.memory.Host.U;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import parhelion.host.Libc;
import parhelion.process.LinuxError;

/** A regular file of the host. The host's descriptor keeps the offset, as it would natively. */
public final class HostFile extends OpenFile {
  static final int CHUNK = 1 << 16;

  /** Each host thread's buffer for transfers. */
  private static final ThreadLocal<MemorySegment> BOUNCE =
      ThreadLocal.withInitial(() -> Arena.ofAuto().allocate(CHUNK));

  private static final long ARRAY = jdk.internal.misc.Unsafe.ARRAY_BYTE_BASE_OFFSET;

  private final int fd;
  private final HostNode node;

  private HostFile(int fd, int flags, HostNode node) {
    super(flags & ~(O_CREAT | O_EXCL | O_TRUNC | O_CLOEXEC | O_NOFOLLOW));
    this.fd = fd;
    this.node = node;
  }

  /** Takes the descriptor over. */
  static HostFile of(int fd, int flags, boolean onWritableMount) {
    try {
      HostNode.claim();
    } catch (LinuxError e) {
      Libc.close(fd);
      throw e;
    }
    return new HostFile(fd, flags, HostNode.ofOpen(fd, onWritableMount));
  }

  @Override
  protected void closed() {
    HostNode.unclaim();
    Libc.close(fd);
  }

  @Override
  public FileStat stat() {
    return HostNode.statOf(fd);
  }

  @Override
  public Node node() {
    return node;
  }

  static long bounce() {
    return BOUNCE.get().address();
  }

  static void copyOut(byte[] into, int offset, int length) {
    U.copyMemory(null, bounce(), into, ARRAY + offset, length);
  }

  static void copyIn(byte[] from, int offset, int length) {
    U.copyMemory(from, ARRAY + offset, null, bounce(), length);
  }

  @Override
  public int read(byte[] into, int length) {
    int done = 0;
    while (done < length) {
      int part = Math.min(length - done, CHUNK);
      int n = (int) HostNode.check(Libc.call(Libc.Call.READ, fd, bounce(), part));
      copyOut(into, done, n);
      done += n;
      if (n < part) {
        break;
      }
    }
    return done;
  }

  @Override
  public int write(byte[] from, int offset, int length) {
    int done = 0;
    while (done < length) {
      int part = Math.min(length - done, CHUNK);
      copyIn(from, offset + done, part);
      long n = Libc.call(Libc.Call.WRITE, fd, bounce(), part);
      if (n < 0 && done > 0) {
        break;
      }
      done += (int) HostNode.check(n);
      if (n < part) {
        break;
      }
    }
    return done;
  }

  @Override
  public int readAt(byte[] into, int length, long position) {
    int done = 0;
    while (done < length) {
      int part = Math.min(length - done, CHUNK);
      long n = HostNode.check(Libc.call(Libc.Call.PREAD, fd, bounce(), part, position + done));
      copyOut(into, done, (int) n);
      done += (int) n;
      if (n < part) {
        break;
      }
    }
    return done;
  }

  @Override
  public int writeAt(byte[] from, int length, long position) {
    int done = 0;
    while (done < length) {
      int part = Math.min(length - done, CHUNK);
      copyIn(from, done, part);
      long n = HostNode.check(Libc.call(Libc.Call.PWRITE, fd, bounce(), part, position + done));
      done += (int) n;
      if (n < part) {
        break;
      }
    }
    return done;
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
  public void sync(boolean dataOnly) {
    HostNode.check(Libc.call(Libc.Call.FSYNC, fd));
  }

  @Override
  public void setStatusFlags(int value) {
    super.setStatusFlags(value);
    HostNode.check(
        Libc.call(Libc.Call.FCNTL, fd, 4 /* F_SETFL */, flags() & O_APPEND | Libc.O_NONBLOCK));
  }

  @Override
  public int available() {
    FileStat s = stat();
    return (int) Math.clamp(s.sizeBytes() - seek(0, 1), 0, Integer.MAX_VALUE);
  }
}
