package parhelion.process.file;

import java.io.IOException;
import java.io.OutputStream;
import java.security.SecureRandom;
import parhelion.process.Errno;
import parhelion.process.LinuxError;

/** The files behind /dev/null, /dev/zero, /dev/full and /dev/urandom, and a sink for embedders. */
public final class Devices {
  private static final SecureRandom RANDOM = new SecureRandom();

  private Devices() {}

  /** What reading and writing a simple device does. */
  private enum Kind {
    NULL(3),
    ZERO(5),
    FULL(7),
    RANDOM(8),
    URANDOM(9);

    final int minor;

    Kind(int minor) {
      this.minor = minor;
    }
  }

  private static final class Device extends OpenFile {
    private final Kind kind;

    Device(int flags, Kind kind) {
      super(flags & ~(O_CREAT | O_EXCL | O_TRUNC | O_CLOEXEC | O_NOFOLLOW));
      this.kind = kind;
    }

    @Override
    public FileStat stat() {
      return FileStat.synthetic(
          FileStat.S_IFCHR | 0666, 10 + kind.minor, 0, HostNode.device(1, kind.minor));
    }

    @Override
    public int read(byte[] into, int length) {
      switch (kind) {
        case NULL -> {
          return 0;
        }
        case ZERO, FULL -> java.util.Arrays.fill(into, 0, length, (byte) 0);
        case RANDOM, URANDOM -> random(into, length);
      }
      return length;
    }

    @Override
    public int readAt(byte[] into, int length, long position) {
      return read(into, length);
    }

    @Override
    public int write(byte[] from, int offset, int length) {
      if (kind == Kind.FULL) {
        throw new LinuxError(Errno.ENOSPC);
      }
      return length;
    }

    @Override
    public int writeAt(byte[] from, int length, long position) {
      return write(from, 0, length);
    }

    @Override
    public long seek(long offset, int whence) {
      return 0;
    }

    @Override
    public void sync(boolean dataOnly) {
      throw new LinuxError(Errno.EINVAL);
    }
  }

  /** Fills the first bytes with random ones. */
  public static void random(byte[] into, int length) {
    byte[] bytes = new byte[length];
    RANDOM.nextBytes(bytes);
    System.arraycopy(bytes, 0, into, 0, length);
  }

  /** The device called {@code name}, or null. */
  public static Node node(String name) {
    Kind kind = Kind.valueOf(name.toUpperCase(java.util.Locale.ROOT));
    return Synthetic.device(10 + kind.minor, 1, kind.minor, flags -> new Device(flags, kind));
  }

  public static OpenFile nullDevice() {
    return new Device(OpenFile.O_RDWR, Kind.NULL);
  }

  /** A write-only file that hands everything to a stream: for programs' output in tests. */
  public static OpenFile sink(OutputStream to) {
    return new OpenFile(OpenFile.O_WRONLY) {
      @Override
      public FileStat stat() {
        return FileStat.synthetic(FileStat.S_IFIFO | 0600, 3, 0, 0);
      }

      @Override
      public int write(byte[] from, int offset, int length) {
        try {
          to.write(from, offset, length);
        } catch (IOException e) {
          throw new LinuxError(Errno.EIO);
        }
        return length;
      }

      @Override
      public int ready() {
        return POLLOUT;
      }
    };
  }

  /** A read-only file of these bytes that cannot seek: for programs' input in tests. */
  public static OpenFile source(byte[] content) {
    return new OpenFile(0) {
      private int at;

      @Override
      public FileStat stat() {
        return FileStat.synthetic(FileStat.S_IFIFO | 0600, 4, 0, 0);
      }

      @Override
      public int read(byte[] into, int length) {
        int n = Math.min(length, content.length - at);
        System.arraycopy(content, at, into, 0, n);
        at += n;
        return n;
      }

      @Override
      public int ready() {
        return POLLIN;
      }
    };
  }
}
