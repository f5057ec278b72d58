package parhelion.cpu.rewrite;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static parhelion.cpu.memory.Host.U;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/**
 * Host memory for generated code: the same shared memory mapped twice, once to write and once to
 * execute, so that no page is ever both. Space is handed out upward; when it is used up, everything
 * is dropped at once ({@link #reset}).
 *
 * <p>The memory is anonymous and not a memory file as Linux's perf looks for names
 * (/tmp/perf-PID.map) only where no file is mapped; it takes shared anonymous memory, /dev/zero,
 * for none.
 */
final class CodeArena implements AutoCloseable {
  /**
   * System property, for tests: if it is true, the host is taken to refuse executable memory, as
   * SELinux can.
   */
  static final String REFUSE = "parhelion.refuse.code";

  private static final int PROT_READ = 1;
  private static final int PROT_WRITE = 2;
  private static final int PROT_EXEC = 4;
  private static final int MAP_SHARED = 1;
  private static final int MAP_ANONYMOUS = 0x20;
  private static final int MAP_NORESERVE = 0x4000;
  private static final int MREMAP_MAYMOVE = 1;

  private static final long CHUNK = 1 << 20;

  private final MethodHandle madvise =
      handle("madvise", FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_INT));
  private final long sizeBytes;
  private final long writable;
  private final long executable;
  private long used;

  /** What may be used of it. */
  private long limit;

  /**
   * Maps {@code sizeBytes}, of which the host provides what is touched.
   *
   * @throws UnsupportedOperationException with the reason, where the host does not allow it
   */
  CodeArena(long sizeBytes) {
    this.sizeBytes = sizeBytes;
    limit = sizeBytes;
    writable = map(sizeBytes);
    long second = -1;
    try {
      second = mapAgain(writable, sizeBytes);
      makeExecutable(second, sizeBytes);
      executable = second;
    } catch (Throwable e) {
      unmap(writable, sizeBytes);
      if (second != -1) {
        unmap(second, sizeBytes);
      }
      throw e;
    }
  }

  private static long map(long bytes) {
    try {
      MethodHandle mmap =
          handle(
              "mmap",
              FunctionDescriptor.of(
                  JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG));
      int flags = MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE;
      long address = (long) mmap.invokeExact(0L, bytes, PROT_READ | PROT_WRITE, flags, -1, 0L);
      if (address == -1L) {
        throw new UnsupportedOperationException("the host refuses memory for code");
      }
      return address;
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
  }

  /** Maps shared memory a second time: what mremap does where the old size is 0. */
  private static long mapAgain(long address, long bytes) {
    try {
      MethodHandle mremap =
          handle(
              "mremap",
              FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_INT));
      long second = (long) mremap.invokeExact(address, 0L, bytes, MREMAP_MAYMOVE);
      if (second == -1L) {
        throw new UnsupportedOperationException("the host does not map memory for code twice");
      }
      return second;
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
  }

  private static void makeExecutable(long address, long bytes) {
    try {
      MethodHandle mprotect =
          handle("mprotect", FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_INT));
      int result =
          Boolean.getBoolean(REFUSE)
              ? -1
              : (int) mprotect.invokeExact(address, bytes, PROT_READ | PROT_EXEC);
      if (result != 0) {
        throw new UnsupportedOperationException("the host refuses executable memory");
      }
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
  }

  private static void unmap(long address, long bytes) {
    try {
      MethodHandle munmap = handle("munmap", FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_LONG));
      int ignored = (int) munmap.invokeExact(address, bytes);
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
  }

  private static MethodHandle handle(String function, FunctionDescriptor type) {
    Linker linker = Linker.nativeLinker();
    MemorySegment address =
        linker
            .defaultLookup()
            .find(function)
            .orElseThrow(
                () -> new UnsupportedOperationException("the C library has no " + function));
    return linker.downcallHandle(address, type);
  }

  /** A handle that calls code at an address with two longs; see {@link Routines#enter}. */
  static final MethodHandle ENTER =
      Linker.nativeLinker()
          .downcallHandle(FunctionDescriptor.ofVoid(new MemoryLayout[] {JAVA_LONG, JAVA_LONG}));

  /** What was written is wanted in the other mapping only: it need not count twice. */
  private void forgetWritten(long from) {
    try {
      int ignored = (int) madvise.invokeExact(writable + from, CHUNK, 4 /* DONTNEED */);
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
  }

  /** Host address, to execute, of the next code, at a multiple of 16. */
  long next() {
    return executable + used;
  }

  /** Whether {@code bytes} more fit. */
  boolean hasRoom(long bytes) {
    return used + bytes <= limit;
  }

  /** Uses no more than the first {@code bytes} of what was mapped. */
  void limit(long bytes) {
    limit = Math.min(bytes, sizeBytes);
  }

  /** Takes over code that was written for {@link #next}. */
  void add(byte[] code, int length) {
    U.copyMemory(
        code, jdk.internal.misc.Unsafe.ARRAY_BYTE_BASE_OFFSET, null, writable + used, length);
    long before = used;
    used = (used + length + 15) & -16L;
    if ((before ^ used) >= CHUNK) {
      forgetWritten(before & -CHUNK);
    }
  }

  /** Replaces four bytes of code, which other threads may be executing: see the assembler. */
  void patch(long address, int value) {
    U.putIntRelease(null, writable + (address - executable), value);
  }

  /** Replaces eight bytes of code that nobody executes. */
  void write(long address, long value) {
    U.putLong(writable + (address - executable), value);
  }

  /** Replaces code that nobody executes. */
  void write(long address, byte[] bytes) {
    U.copyMemory(
        bytes,
        jdk.internal.misc.Unsafe.ARRAY_BYTE_BASE_OFFSET,
        null,
        writable + (address - executable),
        bytes.length);
  }

  long usedBytes() {
    return used;
  }

  /** Forgets all code behind the first {@code keep} bytes. */
  void reset(long keep) {
    used = keep;
  }

  @Override
  public void close() {
    unmap(writable, sizeBytes);
    unmap(executable, sizeBytes);
  }
}
