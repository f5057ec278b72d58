package parhelion.media.disk;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import parhelion.host.Libc;
import parhelion.host.Libc.Call;

/**
 * What Linux can do with a file and the JDK cannot: lock it by open file description, so that a
 * second open of the same file in the same process neither shares the lock nor drops it (as POSIX
 * locks, the JDK's, would); punch holes; find them; move many buffers' bytes in one call. Elsewhere
 * {@link #AVAILABLE} is false.
 */
final class HostCalls {
  static final boolean AVAILABLE = Libc.isAvailable();

  static final int EWOULDBLOCK = 11;
  private static final int ENXIO = 6;

  private static final int LOCK_SH = 1;
  private static final int LOCK_EX = 2;
  private static final int LOCK_NB = 4;
  private static final int PUNCH_HOLE_KEEP_SIZE = 3;
  private static final int SEEK_DATA = 3;
  private static final int SEEK_HOLE = 4;

  /** An iovec, an address and a length, and how many a call takes here; Linux takes 1024. */
  private static final int VECTOR_BYTES = 16;

  private static final int MAX_VECTORS = 256;

  /** Each thread's iovecs. */
  private static final ThreadLocal<MemorySegment> VECTORS =
      ThreadLocal.withInitial(
          () -> Arena.ofAuto().allocate((long) VECTOR_BYTES * MAX_VECTORS, Long.BYTES));

  private HostCalls() {}

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
      vectors.setAtIndex(ValueLayout.JAVA_LONG, 2L * i, buffer.address());
      vectors.setAtIndex(ValueLayout.JAVA_LONG, 2L * i + 1, buffer.byteSize());
    }
    return Libc.call(write ? Call.PWRITEV : Call.PREADV, fd, vectors.address(), count, offset);
  }

  /** A descriptor of a file, or a negative number if the host does not give one. */
  static int open(Path file, boolean readOnly) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment path = arena.allocateFrom(file.toString(), StandardCharsets.UTF_8);
      int flags = (readOnly ? Libc.O_RDONLY : Libc.O_RDWR) | Libc.O_CLOEXEC;
      return (int) Libc.call(Call.OPENAT, Libc.AT_FDCWD, path.address(), flags);
    }
  }

  static void close(int fd) {
    Libc.close(fd);
  }

  /** Takes the lock of an open file, shared or alone; 0, or the errno. Never waits. */
  static int lock(int fd, boolean shared) {
    int how = (shared ? LOCK_SH : LOCK_EX) | LOCK_NB;
    return (int) -Libc.call(Call.FLOCK, fd, how);
  }

  /** Gives the space of a range back, which reads as zeroes then; false if that is not possible. */
  static boolean punchHole(int fd, long offset, long lengthBytes) {
    return Libc.call(Call.FALLOCATE, fd, PUNCH_HOLE_KEEP_SIZE, offset, lengthBytes) == 0;
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
    long at = Libc.call(Call.LSEEK, fd, offset, whence);
    if (at >= 0) {
      return at;
    }
    return at == -ENXIO ? Long.MAX_VALUE : offset;
  }

  /** The process that holds a lock on a file, as the kernel's list says; "" if it does not. */
  static String lockHolder(long inode) {
    try {
      for (String line : Files.readAllLines(Path.of("/proc/locks"))) {
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
}
