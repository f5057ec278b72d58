package parhelion.host;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * The C library's wrappers of the host's system calls. Java's own file API cannot open a name below
 * an open directory without following links, on which the confinement of shares and of programs to
 * their root rests; nor has it locks of open files, holes, or terminals.
 *
 * <p>All functions are called through one shape, six longs to a long: in the calling conventions of
 * 64-bit Linux an int is the low half of such a register and surplus arguments are ignored. That
 * leaves one downcall to link at start-up. Any thread; a call may block as the system call does.
 */
public final class Libc {
  /** The functions in use, named as in C. */
  public enum Call {
    OPENAT,
    CLOSE,
    READ,
    WRITE,
    PREAD,
    PWRITE,
    PREADV,
    PWRITEV,
    LSEEK,
    STATX,
    READLINKAT,
    GETDENTS64,
    MKDIRAT,
    MKNODAT,
    UNLINKAT,
    RENAMEAT2,
    LINKAT,
    SYMLINKAT,
    FCHMOD,
    FCHMODAT,
    FCHOWNAT,
    UTIMENSAT,
    FTRUNCATE,
    FALLOCATE,
    FLOCK,
    FSYNC,
    FDATASYNC,
    FSTATFS,
    GETXATTR,
    LISTXATTR,
    SETXATTR,
    REMOVEXATTR,
    FCNTL,
    IOCTL,
    POLL,
    EVENTFD,
    POSIX_OPENPT,
    GRANTPT,
    UNLOCKPT,
    PTSNAME_R,
    TCGETATTR,
    TCSETATTR,
    CFMAKERAW,
    GETUID,
    GETGID,
    GETEUID,
    GETEGID,
    CLOCK_GETTIME;

    private long address;

    /** Whether the result is a long, or an int whose upper half means nothing. */
    private final boolean wide;

    Call() {
      wide =
          switch (name()) {
            case "READ",
                "WRITE",
                "PREAD",
                "PWRITE",
                "PREADV",
                "PWRITEV",
                "LSEEK",
                "READLINKAT",
                "GETDENTS64",
                "GETXATTR",
                "LISTXATTR" ->
                true;
            default -> false;
          };
    }
  }

  private static final int ENOSYS = 38;

  public static final int AT_FDCWD = -100;
  public static final int AT_SYMLINK_NOFOLLOW = 0x100;
  public static final int AT_REMOVEDIR = 0x200;
  public static final int AT_SYMLINK_FOLLOW = 0x400;
  public static final int AT_EMPTY_PATH = 0x1000;

  private static final boolean ARM = System.getProperty("os.arch", "").equals("aarch64");
  public static final int O_RDONLY = 0;
  public static final int O_WRONLY = 1;
  public static final int O_RDWR = 2;
  public static final int O_CREAT = 0x40;
  public static final int O_EXCL = 0x80;
  public static final int O_NOCTTY = 0x100;
  public static final int O_TRUNC = 0x200;
  public static final int O_APPEND = 0x400;
  public static final int O_NONBLOCK = 0x800;
  public static final int O_DIRECTORY = ARM ? 0x4000 : 0x10000;
  public static final int O_NOFOLLOW = ARM ? 0x8000 : 0x20000;
  public static final int O_CLOEXEC = 0x80000;
  public static final int O_PATH = 0x200000;

  private static final @Nullable MethodHandle HANDLE;
  private static final VarHandle ERRNO;
  private static final ThreadLocal<MemorySegment> STATE;

  static {
    Linker linker = Linker.nativeLinker();
    var layout = Linker.Option.captureStateLayout();
    ERRNO = layout.varHandle(MemoryLayout.PathElement.groupElement("errno"));
    STATE = ThreadLocal.withInitial(() -> Arena.ofAuto().allocate(layout));
    SymbolLookup lookup = linker.defaultLookup();
    boolean complete = System.getProperty("os.name", "").equals("Linux");
    for (Call call : Call.values()) {
      var symbol = lookup.find(call.name().toLowerCase(java.util.Locale.ROOT));
      if (symbol.isPresent()) {
        call.address = symbol.get().address();
      } else if (call != Call.MKNODAT) {
        // That one was part of the headers before glibc 2.33: a host without it makes no devices.
        complete = false;
      }
    }
    ValueLayout.OfLong l = ValueLayout.JAVA_LONG;
    HANDLE =
        complete
            ? linker.downcallHandle(
                FunctionDescriptor.of(l, l, l, l, l, l, l), Linker.Option.captureCallState("errno"))
            : null;
  }

  private Libc() {}

  /** Whether this host is 64-bit Linux with all that is listed. */
  public static boolean isAvailable() {
    return HANDLE != null;
  }

  /** Calls and returns the result, or {@code -errno}. */
  public static long call(Call function, long a, long b, long c, long d, long e) {
    MethodHandle handle = HANDLE;
    if (handle == null) {
      throw new UnsupportedOperationException("needs a 64-bit Linux host");
    }
    if (function.address == 0) {
      return -ENOSYS;
    }
    MemorySegment state = STATE.get();
    long result;
    try {
      MemorySegment target = MemorySegment.ofAddress(function.address);
      result = (long) handle.invokeExact(target, state, a, b, c, d, e, 0L);
    } catch (RuntimeException | Error failure) {
      throw failure;
    } catch (Throwable failure) {
      throw new IllegalStateException(failure);
    }
    if (!function.wide) {
      result = result << 32 >> 32;
    }
    return result == -1 ? -(long) (int) ERRNO.get(state, 0L) : result;
  }

  public static long call(Call function, long a, long b, long c, long d) {
    return call(function, a, b, c, d, 0);
  }

  public static long call(Call function, long a, long b, long c) {
    return call(function, a, b, c, 0, 0);
  }

  public static long call(Call function, long a, long b) {
    return call(function, a, b, 0, 0, 0);
  }

  public static long call(Call function, long a) {
    return call(function, a, 0, 0, 0, 0);
  }

  /** A name as C has it; Java strings hold a byte a character. */
  public static MemorySegment name(Arena arena, String name) {
    return arena.allocateFrom(name, StandardCharsets.ISO_8859_1);
  }

  /** Opens a name below a directory; always close-on-exec. Returns a descriptor or -errno. */
  public static int openat(int directory, String name, int flags, int mode) {
    try (Arena arena = Arena.ofConfined()) {
      return (int)
          call(Call.OPENAT, directory, name(arena, name).address(), flags | O_CLOEXEC, mode);
    }
  }

  public static void close(int fd) {
    long ignored = call(Call.CLOSE, fd);
  }
}
