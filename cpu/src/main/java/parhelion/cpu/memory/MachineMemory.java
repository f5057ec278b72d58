package parhelion.cpu.memory;

import static parhelion.cpu.memory.Host.U;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Machine memory: one off-heap region of 4 KiB frames, addressed by machine (physical) address from
 * 0. Pages that nobody has touched cost nothing, as the region is mapped lazily. Every access here
 * is bounds checked; the CPU's fast paths use {@link #hostAddress} of a frame that they checked
 * once.
 *
 * <p>Writers other than the CPU's own stores (hypercalls, builders, devices) use the put and copy
 * methods here: they tell the {@link WriteListener} when a frame that holds decoded code changes.
 */
public final class MachineMemory implements AutoCloseable {
  public static final int PAGE_SHIFT = 12;
  public static final int PAGE_SIZE = 1 << PAGE_SHIFT;

  /** Told of every write to a frame that was marked as holding decoded code. */
  public interface WriteListener {
    void codeWritten(long pa, long lengthBytes);
  }

  /** Runs of this length and more are not filled with zeroes but given back to the host. */
  private static final long GIVE_BACK_BYTES = 256 << 10;

  private static final int MADV_DONTNEED = 4;

  private final long base;
  private final long sizeBytes;

  /** The host maps zeroes where its {@code madvise} took pages away: so only on Linux. */
  private boolean canGiveBack = System.getProperty("os.name", "").equals("Linux");

  private @Nullable MethodHandle madvise;

  /** Bits of a frame's mark: it holds decoded code; it is not plain memory. */
  public static final int MARK_CODE = 1;

  public static final int MARK_SPECIAL = 2;

  /** Off-heap, a byte for each frame, as generated code looks here, too. */
  private final long codeFrames;

  private WriteListener listener = (pa, length) -> {};
  private final Arena arena = Arena.ofShared();
  private boolean closed;
  private final List<Runnable> closers = new ArrayList<>(1);

  /** Maps {@code frames} frames of zeroes; throws OutOfMemoryError where the host refuses. */
  public MachineMemory(long frames) {
    if (frames <= 0 || frames > 1L << 31) {
      throw new IllegalArgumentException("machine memory of " + frames + " frames");
    }
    sizeBytes = frames << PAGE_SHIFT;
    base = map(sizeBytes);
    codeFrames = U.allocateMemory(frames);
    U.setMemory(codeFrames, frames, (byte) 0);
  }

  private long map(long bytes) {
    try {
      Linker linker = Linker.nativeLinker();
      MethodHandle mmap =
          linker.downcallHandle(
              linker.defaultLookup().find("mmap").orElseThrow(),
              FunctionDescriptor.of(
                  ValueLayout.JAVA_LONG,
                  ValueLayout.JAVA_LONG,
                  ValueLayout.JAVA_LONG,
                  ValueLayout.JAVA_INT,
                  ValueLayout.JAVA_INT,
                  ValueLayout.JAVA_INT,
                  ValueLayout.JAVA_LONG));
      // PROT_READ|PROT_WRITE; MAP_PRIVATE|MAP_ANONYMOUS|MAP_NORESERVE as Linux numbers them.
      long address = (long) mmap.invokeExact(0L, bytes, 3, 0x4022, -1, 0L);
      if (address == -1L) {
        throw new OutOfMemoryError("the host refuses " + (bytes >> 20) + " MiB of guest memory");
      }
      return address;
    } catch (java.util.NoSuchElementException e) {
      canGiveBack = false;
      return arena.allocate(bytes, PAGE_SIZE).address();
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
  }

  public long sizeBytes() {
    return sizeBytes;
  }

  public long frames() {
    return sizeBytes >>> PAGE_SHIFT;
  }

  public void setWriteListener(WriteListener listener) {
    this.listener = listener;
  }

  /** True when {@code [pa, pa + length)} lies in machine memory. */
  public boolean contains(long pa, long length) {
    return pa >= 0 && length >= 0 && pa <= sizeBytes - length;
  }

  /**
   * Host address of machine address {@code pa}; {@code length} bytes from it are checked to exist.
   */
  public long hostAddress(long pa, long length) {
    if (!contains(pa, length)) {
      throw new IndexOutOfBoundsException(
          "machine address 0x" + Long.toHexString(pa) + " + " + length);
    }
    return base + pa;
  }

  /** Host address of machine address 0; only for code that has checked its addresses itself. */
  public long base() {
    return base;
  }

  public boolean isCodeFrame(long mfn) {
    Objects.checkIndex(mfn, frames());
    return (U.getByte(codeFrames + mfn) & MARK_CODE) != 0;
  }

  public void markCodeFrame(long mfn, boolean code) {
    mark(mfn, MARK_CODE, code);
  }

  /**
   * Whether a frame is not to be accessed as the page tables say: a place of device registers, or
   * memory that cannot be written. Its translations are all the monitor's.
   */
  public boolean isSpecial(long mfn) {
    Objects.checkIndex(mfn, frames());
    return (U.getByte(codeFrames + mfn) & MARK_SPECIAL) != 0;
  }

  public void markSpecial(long mfn, boolean special) {
    mark(mfn, MARK_SPECIAL, special);
  }

  private void mark(long mfn, int bit, boolean set) {
    Objects.checkIndex(mfn, frames());
    int old = U.getByte(codeFrames + mfn);
    U.putByte(codeFrames + mfn, (byte) (set ? old | bit : old & ~bit));
  }

  /** Host address of a byte for each frame: MARK_CODE and MARK_SPECIAL. */
  public long codeFrameMarks() {
    return codeFrames;
  }

  /** Says that memory was changed by its host address, by input from a file for instance. */
  public void noteWrite(long pa, long length) {
    long unused = writable(pa, length);
  }

  private long writable(long pa, long length) {
    long host = hostAddress(pa, length);
    if (length > 0) {
      for (long mfn = pa >>> PAGE_SHIFT, last = (pa + length - 1) >>> PAGE_SHIFT;
          mfn <= last;
          mfn++) {
        if ((U.getByte(codeFrames + mfn) & MARK_CODE) != 0) {
          listener.codeWritten(pa, length);
          break;
        }
      }
    }
    return host;
  }

  public byte getByte(long pa) {
    return U.getByte(hostAddress(pa, 1));
  }

  public short getShort(long pa) {
    return U.getShort(hostAddress(pa, 2));
  }

  public int getInt(long pa) {
    return U.getInt(hostAddress(pa, 4));
  }

  public long getLong(long pa) {
    return U.getLong(hostAddress(pa, 8));
  }

  public void putByte(long pa, byte value) {
    U.putByte(writable(pa, 1), value);
  }

  public void putShort(long pa, short value) {
    U.putShort(writable(pa, 2), value);
  }

  public void putInt(long pa, int value) {
    U.putInt(writable(pa, 4), value);
  }

  public void putLong(long pa, long value) {
    U.putLong(writable(pa, 8), value);
  }

  public boolean compareAndSetLong(long pa, long expected, long value) {
    return U.compareAndSetLong(null, writable(pa, 8), expected, value);
  }

  public boolean compareAndSetInt(long pa, int expected, int value) {
    return U.compareAndSetInt(null, writable(pa, 4), expected, value);
  }

  public void read(long pa, byte[] into, int offset, int length) {
    java.util.Objects.checkFromIndexSize(offset, length, into.length);
    U.copyMemory(
        null, hostAddress(pa, length), into, Unsafe.ARRAY_BYTE_BASE_OFFSET + offset, length);
  }

  public void write(long pa, byte[] from, int offset, int length) {
    java.util.Objects.checkFromIndexSize(offset, length, from.length);
    U.copyMemory(from, Unsafe.ARRAY_BYTE_BASE_OFFSET + offset, null, writable(pa, length), length);
  }

  public void copy(long fromPa, long toPa, long length) {
    U.copyMemory(hostAddress(fromPa, length), writable(toPa, length), length);
  }

  public void fill(long pa, long length, byte value) {
    U.setMemory(writable(pa, length), length, value);
  }

  /**
   * Fills with zeroes. Of a long run the host gets its pages back, which costs less, and nothing
   * for pages that were never touched.
   */
  public void clear(long pa, long length) {
    long host = writable(pa, length);
    long page = U.pageSize();
    long from = (host + page - 1) & -page;
    long to = (host + length) & -page;
    if (length >= GIVE_BACK_BYTES && from < to && giveBack(from, to - from)) {
      U.setMemory(host, from - host, (byte) 0);
      U.setMemory(to, host + length - to, (byte) 0);
    } else {
      U.setMemory(host, length, (byte) 0);
    }
  }

  /** Fills whole pages with zeroes, which the host has back until they are touched. */
  public void discard(long pa, long length) {
    long host = writable(pa, length);
    if ((host | length) % U.pageSize() != 0 || !giveBack(host, length)) {
      U.setMemory(host, length, (byte) 0);
    }
  }

  /** Whether the host took its pages and will map zeroes when they are touched. */
  private boolean giveBack(long host, long length) {
    if (!canGiveBack) {
      return false;
    }
    try {
      MethodHandle handle = madvise;
      if (handle == null) {
        Linker linker = Linker.nativeLinker();
        handle =
            linker.downcallHandle(
                linker.defaultLookup().findOrThrow("madvise"),
                FunctionDescriptor.of(
                    ValueLayout.JAVA_INT,
                    ValueLayout.JAVA_LONG,
                    ValueLayout.JAVA_LONG,
                    ValueLayout.JAVA_INT));
        madvise = handle;
      }
      canGiveBack = (int) handle.invokeExact(host, length, MADV_DONTNEED) == 0;
      return canGiveBack;
    } catch (java.util.NoSuchElementException e) {
      canGiveBack = false;
      return false;
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
  }

  private static final class Unsafe {
    static final long ARRAY_BYTE_BASE_OFFSET = jdk.internal.misc.Unsafe.ARRAY_BYTE_BASE_OFFSET;
  }

  /** Has {@code closer} run when the memory is given back: what was made for it goes with it. */
  public void onClose(Runnable closer) {
    closers.add(closer);
  }

  /** Gives the memory back to the host. No access may follow. */
  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    closers.forEach(Runnable::run);
    U.freeMemory(codeFrames);
    try {
      Linker linker = Linker.nativeLinker();
      var munmap = linker.defaultLookup().find("munmap");
      if (munmap.isPresent()) {
        MethodHandle handle =
            linker.downcallHandle(
                munmap.get(),
                FunctionDescriptor.of(
                    ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG));
        int ignored = (int) handle.invokeExact(base, sizeBytes);
      }
      arena.close();
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
  }

  /** The whole memory as a segment, for bulk reads by tools. */
  public MemorySegment segment() {
    return MemorySegment.ofAddress(base).reinterpret(sizeBytes);
  }
}
