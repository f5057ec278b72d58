package parhelion.process;

import org.jspecify.annotations.Nullable;
import parhelion.process.file.OpenFile;
import parhelion.process.memory.AddressSpace;
import parhelion.process.memory.Backing;
import parhelion.process.memory.SharedPages;

/** System calls on the address space. */
final class MemoryCalls {
  private static final int MAP_SHARED = 1;
  private static final int MAP_PRIVATE = 2;
  private static final int MAP_SHARED_VALIDATE = 3;
  private static final int MAP_FIXED = 0x10;
  private static final int MAP_ANONYMOUS = 0x20;
  private static final int MAP_GROWSDOWN = 0x100;
  private static final int MAP_FIXED_NOREPLACE = 0x10_0000;
  private static final int MREMAP_MAYMOVE = 1;
  private static final int MREMAP_FIXED = 2;
  private static final int MADV_DONTNEED = 4;

  private MemoryCalls() {}

  private static long length(long bytes) {
    if (bytes == 0) {
      throw new LinuxError(Errno.EINVAL);
    }
    return AddressSpace.roundUp(bytes);
  }

  private static void checkRange(long va, long length) {
    if ((va & 4095) != 0 || !AddressSpace.isRange(va, length)) {
      throw new LinuxError(Errno.EINVAL);
    }
  }

  static long mmap(
      Task t, long hint, long bytes, long prot, long flagsArgument, long fd, long offset) {
    int flags = (int) flagsArgument;
    AddressSpace space = t.process.space;
    int type = flags & 3;
    if (type == 0 || (offset & 4095) != 0 || offset < 0) {
      throw new LinuxError(Errno.EINVAL);
    }
    long length = length(bytes);
    int rights = (int) prot & 7;
    boolean shared = type == MAP_SHARED || type == MAP_SHARED_VALIDATE;
    Backing backing = backing(t, flags, shared, rights, (int) fd);
    boolean done = false;
    try {
      long va;
      if ((flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) != 0) {
        va = hint;
        checkRange(va, length);
        if (va < AddressSpace.BOTTOM) {
          throw new LinuxError(Errno.EPERM);
        }
        if ((flags & MAP_FIXED_NOREPLACE) != 0 && !space.isFree(va, length)) {
          throw new LinuxError(Errno.EEXIST);
        }
      } else {
        va = space.findFree(length, hint);
      }
      boolean grows = (flags & MAP_GROWSDOWN) != 0 && backing == null;
      space.map(va, length, rights, backing, backing == null ? 0 : offset, grows);
      done = true;
      return va;
    } finally {
      if (!done && backing != null) {
        backing.release(space.pool());
      }
    }
  }

  private static @Nullable Backing backing(Task t, int flags, boolean shared, int rights, int fd) {
    if ((flags & MAP_ANONYMOUS) != 0) {
      return shared ? new SharedPages(null, true) : null;
    }
    OpenFile file = FileCalls.file(t, fd);
    if (!file.isReadable()) {
      throw new LinuxError(Errno.EACCES);
    }
    if (!file.stat().isRegular()) {
      if (file.stat().specialDevice() == parhelion.process.file.HostNode.device(1, 5)) {
        return shared ? new SharedPages(null, true) : null;
      }
      throw new LinuxError(Errno.ENODEV);
    }
    if (!shared) {
      return new FilePages(file);
    }
    boolean write = (rights & AddressSpace.WRITE) != 0;
    if (write && !file.isWritable()) {
      throw new LinuxError(Errno.EACCES);
    }
    return new SharedPages(new FileStore(file.retain()), write);
  }

  /** A file below a shared mapping. */
  private record FileStore(OpenFile file) implements SharedPages.Store {
    @Override
    public boolean load(long index, byte[] page) {
      return file.readAt(page, page.length, index << 12) > 0;
    }

    @Override
    public void save(long index, byte[] page) {
      long left = file.stat().sizeBytes() - (index << 12);
      if (left > 0) {
        int ignored = file.writeAt(page, (int) Math.min(left, page.length), index << 12);
      }
    }

    @Override
    public void close() {
      file.release();
    }

    @Override
    public String name() {
      return file.path();
    }
  }

  static long munmap(Task t, long va, long bytes, long c, long d, long e, long f) {
    if (bytes == 0 || Long.compareUnsigned(bytes, AddressSpace.TOP) > 0) {
      throw new LinuxError(Errno.EINVAL);
    }
    long length = AddressSpace.roundUp(bytes);
    checkRange(va, length);
    t.process.space.unmap(va, length);
    return 0;
  }

  static long mprotect(Task t, long va, long bytes, long prot, long d, long e, long f) {
    if ((va & 4095) != 0 || (prot & ~0x0300_000fL) != 0) {
      throw new LinuxError(Errno.EINVAL);
    }
    long length = AddressSpace.roundUp(bytes);
    if (length == 0) {
      return 0;
    }
    if (!AddressSpace.isRange(va, length)) {
      throw new LinuxError(Errno.ENOMEM);
    }
    t.process.space.protect(va, length, (int) prot & 7);
    return 0;
  }

  static long brk(Task t, long va, long b, long c, long d, long e, long f) {
    return va < 0 ? t.process.space.brk : t.process.space.setBrk(va);
  }

  static long mremap(Task t, long va, long oldBytes, long newBytes, long flags, long to, long f) {
    boolean fixed = (flags & MREMAP_FIXED) != 0;
    boolean mayMove = (flags & MREMAP_MAYMOVE) != 0;
    if ((flags & ~3L) != 0 || (fixed && !mayMove) || oldBytes == 0) {
      throw new LinuxError(Errno.EINVAL);
    }
    long oldLength = length(oldBytes);
    long newLength = length(newBytes);
    checkRange(va, oldLength);
    if (fixed) {
      checkRange(to, newLength);
      if (to < AddressSpace.BOTTOM || (to < va + oldLength && va < to + newLength)) {
        throw new LinuxError(Errno.EINVAL);
      }
    }
    return t.process.space.remap(va, oldLength, newLength, mayMove, fixed ? to : -1);
  }

  static long msync(Task t, long va, long bytes, long flags, long d, long e, long f) {
    long length = AddressSpace.roundUp(bytes);
    if ((va & 4095) != 0 || (flags & ~7L) != 0) {
      throw new LinuxError(Errno.EINVAL);
    }
    if (!AddressSpace.isRange(va, length)) {
      throw new LinuxError(Errno.ENOMEM);
    }
    if (length > 0) {
      t.process.space.sync(va, length);
    }
    return 0;
  }

  static long mincore(Task t, long va, long bytes, long vectorVa, long d, long e, long f) {
    long length = AddressSpace.roundUp(bytes);
    checkRange(va, length);
    if (!t.process.space.isMapped(va, length)) {
      throw new LinuxError(Errno.ENOMEM);
    }
    for (long page = 0; page < length >>> 12; page++) {
      t.memory().put8(vectorVa + page, 1);
    }
    return 0;
  }

  static long madvise(Task t, long va, long bytes, long advice, long d, long e, long f) {
    if ((va & 4095) != 0) {
      throw new LinuxError(Errno.EINVAL);
    }
    long length = AddressSpace.roundUp(bytes);
    checkRange(va, length);
    if (length == 0) {
      return 0;
    }
    if (!t.process.space.isMapped(va, length)) {
      throw new LinuxError(Errno.ENOMEM);
    }
    if (advice == MADV_DONTNEED) {
      t.process.space.dropPages(va, va + length);
    }
    return 0;
  }
}
