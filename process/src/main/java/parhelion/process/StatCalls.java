package parhelion.process;

import java.nio.charset.StandardCharsets;
import parhelion.process.file.DirectoryFile;
import parhelion.process.file.FileStat;
import parhelion.process.file.Node;
import parhelion.process.file.OpenFile;

/** System calls that describe files, directories and file systems. */
final class StatCalls {
  private static final long SECOND = 1_000_000_000L;
  private static final int STATX_BASIC = 0x7ff;
  private static final int MAX_BUFFER = 1 << 18;
  private static final int TMPFS_MAGIC = 0x0102_1994;

  private StatCalls() {}

  static long stat(Task t, long path, long va, long c, long d, long e, long f) {
    return fstatat(t, NameCalls.AT_FDCWD, path, va, 0, 0, 0);
  }

  static long lstat(Task t, long path, long va, long c, long d, long e, long f) {
    return fstatat(t, NameCalls.AT_FDCWD, path, va, NameCalls.AT_SYMLINK_NOFOLLOW, 0, 0);
  }

  static long fstat(Task t, long fd, long va, long c, long d, long e, long f) {
    t.memory().bytes(va, encode(FileCalls.file(t, fd).stat()));
    return 0;
  }

  static long fstatat(Task t, long dirFd, long path, long va, long flags, long e, long f) {
    if ((flags & ~0x1900L) != 0) {
      throw new LinuxError(Errno.EINVAL);
    }
    t.memory().bytes(va, encode(statOf(t, dirFd, path, flags)));
    return 0;
  }

  private static FileStat statOf(Task t, long dirFd, long path, long flags) {
    if ((flags & NameCalls.AT_EMPTY_PATH) != 0
        && (int) dirFd != NameCalls.AT_FDCWD
        && t.memory().get8(path) == 0) {
      return FileCalls.file(t, dirFd).stat();
    }
    FileStat[] result = new FileStat[1];
    NameCalls.withNode(t, dirFd, path, flags, node -> result[0] = node.stat());
    return java.util.Objects.requireNonNull(result[0]);
  }

  /** struct stat. */
  private static byte[] encode(FileStat s) {
    byte[] out = new byte[144];
    Bytes.put64(out, 0, s.device());
    Bytes.put64(out, 8, s.inode());
    Bytes.put64(out, 16, s.links());
    Bytes.put32(out, 24, s.mode());
    Bytes.put32(out, 28, s.uid());
    Bytes.put32(out, 32, s.gid());
    Bytes.put64(out, 40, s.specialDevice());
    Bytes.put64(out, 48, s.sizeBytes());
    Bytes.put64(out, 56, s.blockBytes());
    Bytes.put64(out, 64, s.blocks512());
    time(out, 72, s.accessNanos());
    time(out, 88, s.modifyNanos());
    time(out, 104, s.changeNanos());
    return out;
  }

  private static void time(byte[] out, int at, long nanos) {
    Bytes.put64(out, at, Math.floorDiv(nanos, SECOND));
    Bytes.put64(out, at + 8, Math.floorMod(nanos, SECOND));
  }

  static long statx(Task t, long dirFd, long path, long flags, long mask, long va, long f) {
    if ((flags & ~0x7900L) != 0 || (int) mask < 0) {
      throw new LinuxError(Errno.EINVAL);
    }
    FileStat s = statOf(t, dirFd, path, flags);
    byte[] out = new byte[256];
    Bytes.put32(out, 0, STATX_BASIC);
    Bytes.put32(out, 4, s.blockBytes());
    Bytes.put32(out, 16, (int) s.links());
    Bytes.put32(out, 20, s.uid());
    Bytes.put32(out, 24, s.gid());
    Bytes.put16(out, 28, s.mode());
    Bytes.put64(out, 32, s.inode());
    Bytes.put64(out, 40, s.sizeBytes());
    Bytes.put64(out, 48, s.blocks512());
    time(out, 64, s.accessNanos());
    time(out, 96, s.changeNanos());
    time(out, 112, s.modifyNanos());
    device(out, 128, s.specialDevice());
    device(out, 136, s.device());
    t.memory().bytes(va, out);
    return 0;
  }

  private static void device(byte[] out, int at, long device) {
    Bytes.put32(out, at, (int) (device >>> 8 & 0xfff | device >>> 32 & 0xffff_f000L));
    Bytes.put32(out, at + 4, (int) (device & 0xff | device >>> 12 & 0xffff_ff00L));
  }

  // --- directories ---

  static long getdents64(Task t, long fd, long va, long size, long d, long e, long f) {
    return entries(t, fd, va, size, true);
  }

  static long getdents(Task t, long fd, long va, long size, long d, long e, long f) {
    return entries(t, fd, va, size, false);
  }

  private static long entries(Task t, long fd, long va, long sizeArgument, boolean wide) {
    if (!(FileCalls.file(t, fd) instanceof DirectoryFile directory)) {
      throw new LinuxError(Errno.ENOTDIR);
    }
    int size = (int) Math.min(sizeArgument & 0xffff_ffffL, MAX_BUFFER);
    byte[] out = new byte[size];
    int at = 0;
    long start = directory.position();
    for (Node.Entry entry = directory.next(); entry != null; entry = directory.next()) {
      byte[] name = entry.name().getBytes(StandardCharsets.ISO_8859_1);
      int length = (name.length + (wide ? 20 : 20) + 7) & ~7;
      if (at + length > size) {
        if (at == 0) {
          throw new LinuxError(Errno.EINVAL);
        }
        break;
      }
      Bytes.put64(out, at, entry.inode());
      Bytes.put64(out, at + 8, directory.advance());
      Bytes.put16(out, at + 16, length);
      int nameAt = wide ? at + 19 : at + 18;
      out[wide ? at + 18 : at + length - 1] = (byte) entry.type();
      System.arraycopy(name, 0, out, nameAt, name.length);
      at += length;
    }
    try {
      t.memory().write(va, out, 0, at);
    } catch (LinuxError error) {
      long ignored = directory.seek(start, 0);
      throw error;
    }
    return at;
  }

  // --- file systems ---

  static long statfs(Task t, long path, long va, long c, long d, long e, long f) {
    NameCalls.withNode(t, NameCalls.AT_FDCWD, path, 0, node -> t.memory().bytes(va, fileSystem(t)));
    return 0;
  }

  static long fstatfs(Task t, long fd, long va, long c, long d, long e, long f) {
    OpenFile ignored = FileCalls.file(t, fd);
    t.memory().bytes(va, fileSystem(t));
    return 0;
  }

  /** struct statfs: what the guest may know of the host's disk. */
  private static byte[] fileSystem(Task t) {
    byte[] out = new byte[120];
    Bytes.put64(out, 0, TMPFS_MAGIC);
    Bytes.put64(out, 8, 4096);
    Bytes.put64(out, 16, t.kernel.pool.total());
    Bytes.put64(out, 24, t.kernel.pool.available());
    Bytes.put64(out, 32, t.kernel.pool.available());
    Bytes.put64(out, 64, 255);
    Bytes.put64(out, 72, 4096);
    Bytes.put64(out, 80, t.kernel.options.writable() ? 0 : 1);
    return out;
  }
}
