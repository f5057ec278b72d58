package parhelion.media.disk;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What Linux can do with a file and the JDK cannot: lock it by open file description, so that a
 * second open of the same file in the same process neither shares the lock nor drops it (as POSIX
 * locks, the JDK's, would); punch holes; find them; move many buffers' bytes in one call. Elsewhere
 * {@link #AVAILABLE} is false.
 */
final class HostCalls {
  static final boolean AVAILABLE = System.getProperty("os.name").equals("Linux");

  static final int EWOULDBLOCK = 11;
  static final int ENXIO = 6;

  private static final int O_RDONLY = 0;
  private static final int O_RDWR = 2;
  private static final int O_CLOEXEC = 0x80000;
  private static final int LOCK_SH = 1;
  private static final int LOCK_EX = 2;
  private static final int LOCK_NB = 4;
  private static final int PUNCH_HOLE_KEEP_SIZE = 3;
  private static final int SEEK_DATA = 3;
  private static final int SEEK_HOLE = 4;

  private static final StructLayout STATE = Linker.Option.captureStateLayout();
  private static final VarHandle ERRNO =
      STATE.varHandle(MemoryLayout.PathElement.groupElement("errno"));

  private static final @Nullable MethodHandle OPEN =
      find("open", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT), 2);
  private static final @Nullable MethodHandle CLOSE =
      find("close", FunctionDescriptor.of(JAVA_INT, JAVA_INT), -1);
  private static final @Nullable MethodHandle FLOCK =
      find("flock", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT), -1);
  private static final @Nullable MethodHandle FALLOCATE =
      find(
          "fallocate",
          FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_LONG),
          -1);
  private static final @Nullable MethodHandle PREADV = findVectored("preadv");
  private static final @Nullable MethodHandle PWRITEV = findVectored("pwritev");

  /** An iovec, an address and a length, and how many a call takes here; Linux takes 1024. */
  private static final int VECTOR_BYTES = 16;

  private static final int MAX_VECTORS = 256;

  /** Each thread's iovecs. */
  private static final ThreadLocal<MemorySegment> VECTORS =
      ThreadLocal.withInitial(
          () -> Arena.ofAuto().allocate((long) VECTOR_BYTES * MAX_VECTORS, Long.BYTES));

  private static final @Nullable MethodHandle LSEEK =
      find("lseek", FunctionDescriptor.of(JAVA_LONG, JAVA_INT, JAVA_LONG, JAVA_INT), -1);

  private HostCalls() {}

  private static @Nullable MethodHandle find(
      String name, FunctionDescriptor type, int firstVariadic) {
    if (!AVAILABLE) {
      return null;
    }
    Linker linker = Linker.nativeLinker();
    Linker.Option errno = Linker.Option.captureCallState("errno");
    Linker.Option[] options =
        firstVariadic < 0
            ? new Linker.Option[] {errno}
            : new Linker.Option[] {errno, Linker.Option.firstVariadicArg(firstVariadic)};
    return linker.downcallHandle(linker.defaultLookup().findOrThrow(name), type, options);
  }

  /** The calls that take iovecs. Their errno is not asked for. */
  private static @Nullable MethodHandle findVectored(String name) {
    if (!AVAILABLE) {
      return null;
    }
    Linker linker = Linker.nativeLinker();
    return linker.downcallHandle(
        linker.defaultLookup().findOrThrow(name),
        FunctionDescriptor.of(JAVA_LONG, JAVA_INT, JAVA_LONG, JAVA_INT, JAVA_LONG));
  }

  /**
   * Reads from a file into buffers, or writes what they have, in one call and with no copy between.
   * Their positions are left as they are.
   *
   * @param buffers direct ones
   * @return the number of bytes, which may be less than there was room for; negative if it failed
   */
  static long transfer(int fd, boolean write, List<ByteBuffer> buffers, long offset) {
    int count = Math.min(buffers.size(), MAX_VECTORS);
    MemorySegment vectors = VECTORS.get();
    for (int i = 0; i < count; i++) {
      MemorySegment buffer = MemorySegment.ofBuffer(buffers.get(i));
      vectors.setAtIndex(JAVA_LONG, 2L * i, buffer.address());
      vectors.setAtIndex(JAVA_LONG, 2L * i + 1, buffer.byteSize());
    }
    try {
      return write
          ? (long) handle(PWRITEV).invokeExact(fd, vectors.address(), count, offset)
          : (long) handle(PREADV).invokeExact(fd, vectors.address(), count, offset);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  /** A descriptor of a file, or -1 if the host does not give one. */
  static int open(Path file, boolean readOnly) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment path = arena.allocateFrom(file.toString(), StandardCharsets.UTF_8);
      int flags = (readOnly ? O_RDONLY : O_RDWR) | O_CLOEXEC;
      return (int) handle(OPEN).invokeExact(arena.allocate(STATE), path, flags);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  static void close(int fd) {
    try (Arena arena = Arena.ofConfined()) {
      int ignored = (int) handle(CLOSE).invokeExact(arena.allocate(STATE), fd);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  /** Takes the lock of an open file, shared or alone; 0, or the errno. Never waits. */
  static int lock(int fd, boolean shared) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(STATE);
      int how = (shared ? LOCK_SH : LOCK_EX) | LOCK_NB;
      int result = (int) handle(FLOCK).invokeExact(state, fd, how);
      return result == 0 ? 0 : (int) ERRNO.get(state, 0L);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  /** Gives the space of a range back, which reads as zeroes then; false if that is not possible. */
  static boolean punchHole(int fd, long offset, long lengthBytes) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(STATE);
      return (int)
              handle(FALLOCATE).invokeExact(state, fd, PUNCH_HOLE_KEEP_SIZE, offset, lengthBytes)
          == 0;
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  /**
   * Where the next byte that is not of a hole is, from {@code offset} on; Long.MAX_VALUE if there
   * is none, {@code offset} if that is not known.
   */
  static long nextData(int fd, long offset) {
    return seek(fd, offset, SEEK_DATA);
  }

  /** Where the next hole is, or the end of the file; Long.MAX_VALUE if that is not known. */
  static long nextHole(int fd, long offset) {
    long at = seek(fd, offset, SEEK_HOLE);
    return at > offset ? at : Long.MAX_VALUE;
  }

  private static long seek(int fd, long offset, int whence) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(STATE);
      long at = (long) handle(LSEEK).invokeExact(state, fd, offset, whence);
      if (at >= 0) {
        return at;
      }
      return (int) ERRNO.get(state, 0L) == ENXIO ? Long.MAX_VALUE : offset;
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  /** The process that holds a lock on a file, as the kernel's list says; "" if it does not. */
  static String lockHolder(long inode) {
    try {
      for (String line : java.nio.file.Files.readAllLines(Path.of("/proc/locks"))) {
        String[] words = line.trim().split("\\s+");
        // As: 1: FLOCK ADVISORY WRITE 708 00:13:264 0 EOF
        if (words.length > 5 && words[1].equals("FLOCK") && words[5].endsWith(":" + inode)) {
          return " (process " + words[4] + ")";
        }
      }
    } catch (IOException e) {
      // It was only to be helpful.
    }
    return "";
  }

  private static MethodHandle handle(@Nullable MethodHandle handle) {
    if (handle == null) {
      throw new IllegalStateException("not on Linux");
    }
    return handle;
  }

  private static RuntimeException unexpected(Throwable e) {
    if (e instanceof Error error) {
      throw error;
    }
    return e instanceof RuntimeException runtime ? runtime : new IllegalStateException(e);
  }
}
