package parhelion.process.file;

import org.jspecify.annotations.Nullable;
import parhelion.process.Errno;
import parhelion.process.LinuxError;

/**
 * An open file description: what descriptors of one or several processes refer to. Nothing here
 * blocks: an operation that cannot go on returns {@link #WOULD_BLOCK}, and the caller waits on
 * {@link #changed} or, where {@link #hostFd} is there, in the host's poll. Used under the kernel's
 * lock.
 */
public abstract class OpenFile {
  public static final int WOULD_BLOCK = -1;

  /** Bits of poll. */
  public static final int POLLIN = 1;

  public static final int POLLPRI = 2;
  public static final int POLLOUT = 4;
  public static final int POLLERR = 8;
  public static final int POLLHUP = 16;
  public static final int POLLNVAL = 32;

  public static final int O_ACCMODE = 3;
  public static final int O_WRONLY = 1;
  public static final int O_RDWR = 2;
  public static final int O_CREAT = 0x40;
  public static final int O_EXCL = 0x80;
  public static final int O_TRUNC = 0x200;
  public static final int O_APPEND = 0x400;
  public static final int O_NONBLOCK = 0x800;
  public static final int O_DIRECTORY = 0x10000;
  public static final int O_NOFOLLOW = 0x20000;
  public static final int O_CLOEXEC = 0x80000;
  public static final int O_PATH = 0x200000;
  public static final int O_TMPFILE = 0x400000;

  /** The guest's status flags, those that fcntl can change among them. */
  private int flags;

  private int references = 1;

  /** The path it was opened by, for openat, fchdir and /proc; empty where there is none. */
  private String path = "";

  protected OpenFile(int flags) {
    this.flags = flags;
  }

  public int flags() {
    return flags;
  }

  public void setStatusFlags(int value) {
    int changeable = O_APPEND | O_NONBLOCK;
    flags = (flags & ~changeable) | (value & changeable);
  }

  public String path() {
    return path;
  }

  public void setPath(String path) {
    this.path = path;
  }

  public final OpenFile retain() {
    references++;
    return this;
  }

  public final void release() {
    if (--references == 0) {
      closed();
    }
  }

  /** The last descriptor is gone. */
  protected void closed() {}

  public boolean isReadable() {
    return (flags & O_ACCMODE) != O_WRONLY && (flags & O_PATH) == 0;
  }

  public boolean isWritable() {
    return (flags & O_ACCMODE) != 0 && (flags & O_PATH) == 0;
  }

  public boolean isNonBlocking() {
    return (flags & O_NONBLOCK) != 0;
  }

  public abstract FileStat stat();

  /** Bytes read (0: the end), or {@link #WOULD_BLOCK}. */
  public int read(byte[] into, int length) {
    throw new LinuxError(Errno.EINVAL);
  }

  /** Bytes written, at least one unless {@code length} is 0, or {@link #WOULD_BLOCK}. */
  public int write(byte[] from, int offset, int length) {
    throw new LinuxError(Errno.EINVAL);
  }

  public int readAt(byte[] into, int length, long position) {
    throw new LinuxError(Errno.ESPIPE);
  }

  public int writeAt(byte[] from, int length, long position) {
    throw new LinuxError(Errno.ESPIPE);
  }

  public long seek(long offset, int whence) {
    throw new LinuxError(Errno.ESPIPE);
  }

  public void truncate(long length) {
    throw new LinuxError(Errno.EINVAL);
  }

  public void sync(boolean dataOnly) {
    throw new LinuxError(Errno.EINVAL);
  }

  /** A node for the file itself, for fchmod and its kin; null where there is none. */
  public @Nullable Node node() {
    return null;
  }

  /** Which of {@link #POLLIN}, {@link #POLLOUT}, ... hold now. */
  public int ready() {
    return POLLIN | POLLOUT;
  }

  /** Woken when {@link #ready} may have changed; null where it never does or the host knows. */
  public @Nullable WaitQueue changed() {
    return null;
  }

  /** The host's descriptor to poll, or -1. */
  public int hostFd() {
    return -1;
  }

  /** Bytes that can be read at once, for FIONREAD. */
  public int available() {
    throw new LinuxError(Errno.ENOTTY);
  }

  public boolean isTerminal() {
    return false;
  }
}
