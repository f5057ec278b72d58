package parhelion.media.share;

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
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * The C library's wrappers of the host's system calls. Java's own file API cannot open a name below
 * an open directory without following links, on which the confinement of a share rests.
 *
 * <p>All functions are called through one shape, five longs to a long: in the calling conventions
 * of 64-bit Linux an int is the low half of such a register and surplus arguments are ignored. Any
 * thread; a call may block as the system call does.
 */
final class Libc {
  /** The functions in use, named as in C. */
  enum Call {
    OPENAT,
    CLOSE,
    PREAD,
    PWRITE,
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
    FCHMODAT,
    FCHOWNAT,
    UTIMENSAT,
    FTRUNCATE,
    FSYNC,
    FDATASYNC,
    FSTATFS,
    GETXATTR,
    LISTXATTR,
    SETXATTR,
    REMOVEXATTR,
    GETEUID,
    GETEGID;

    private long address;

    /** Whether the result is a long, or an int whose upper half means nothing. */
    private final boolean wide;

    Call() {
      wide =
          switch (name()) {
            case "PREAD", "PWRITE", "LSEEK", "READLINKAT", "GETDENTS64", "GETXATTR", "LISTXATTR" ->
                true;
            default -> false;
          };
    }
  }

  static final int AT_FDCWD = -100;
  static final int AT_SYMLINK_NOFOLLOW = 0x100;
  static final int AT_REMOVEDIR = 0x200;
  static final int AT_SYMLINK_FOLLOW = 0x400;
  static final int AT_EMPTY_PATH = 0x1000;

  private static final boolean ARM = System.getProperty("os.arch", "").equals("aarch64");
  static final int O_DIRECTORY = ARM ? 0x4000 : 0x10000;
  static final int O_NOFOLLOW = ARM ? 0x8000 : 0x20000;
  static final int O_CLOEXEC = 0x80000;
  static final int O_PATH = 0x200000;

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
      var symbol = lookup.find(call.name().toLowerCase(Locale.ROOT));
      if (symbol.isPresent()) {
        call.address = symbol.get().address();
      } else {
        complete = false;
      }
    }
    ValueLayout.OfLong l = ValueLayout.JAVA_LONG;
    HANDLE =
        complete
            ? linker.downcallHandle(
                FunctionDescriptor.of(l, l, l, l, l, l), Linker.Option.captureCallState("errno"))
            : null;
  }

  private Libc() {}

  /** Whether this host is 64-bit Linux with all that is needed. */
  static boolean isAvailable() {
    return HANDLE != null;
  }

  /** Calls and returns the result, or {@code -errno}. */
  static long call(Call function, long a, long b, long c, long d, long e) {
    MethodHandle handle = HANDLE;
    if (handle == null) {
      throw new UnsupportedOperationException("needs a 64-bit Linux host");
    }
    MemorySegment state = STATE.get();
    long result;
    try {
      MemorySegment target = MemorySegment.ofAddress(function.address);
      result = (long) handle.invokeExact(target, state, a, b, c, d, e);
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

  /**
   * Calls and returns the result.
   *
   * @throws FileError with the errno of a failure
   */
  static long must(Call function, long a, long b, long c, long d, long e) {
    long result = call(function, a, b, c, d, e);
    if (result < 0 && result >= -4095) {
      throw FileError.of((int) -result);
    }
    return result;
  }

  static long must(Call function, long a, long b, long c, long d) {
    return must(function, a, b, c, d, 0);
  }

  static long must(Call function, long a, long b, long c) {
    return must(function, a, b, c, 0, 0);
  }

  /** A name as C has it; Java strings hold a byte a character. */
  static MemorySegment name(Arena arena, String name) {
    return arena.allocateFrom(name, StandardCharsets.ISO_8859_1);
  }

  /**
   * Opens a name below a directory; always close-on-exec.
   *
   * @return a descriptor
   */
  static int open(int directory, String name, int flags, int mode) {
    try (Arena arena = Arena.ofConfined()) {
      long path = name(arena, name).address();
      return (int) must(Call.OPENAT, directory, path, flags | O_CLOEXEC, mode);
    }
  }

  static void close(int fd) {
    long ignored = call(Call.CLOSE, fd, 0, 0, 0, 0);
  }
}
