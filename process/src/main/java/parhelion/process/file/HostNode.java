package parhelion.process.file;

import static parhelion.cpu.memory.Host.U;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import parhelion.host.Libc;
import parhelion.process.Errno;
import parhelion.process.LinuxError;

/**
 * A file of the host below a directory that the user named. It is held by an O_PATH descriptor got
 * with O_NOFOLLOW from its parent's, so no link, rename or race on the host can lead outside: names
 * with more than one component are never given to the host.
 *
 * <p>Kernel file systems (proc, sysfs and the like) are not entered: their links are doors.
 */
public final class HostNode extends Node {
  private static final int MAX_ENTRIES = 1 << 20;
  private static final int STATX_BYTES = 256;
  private static final int STATX_BASIC = 0x7ff;

  /** proc, sysfs, debugfs, tracefs, devpts, securityfs, cgroup, cgroup2, bpf, selinux, efivarfs. */
  private static final long[] FORBIDDEN_FILE_SYSTEMS = {
    0x9fa0L,
    0x6265_6572L,
    0x6462_6720L,
    0x7472_6163L,
    0x1cd1L,
    0x7363_6673L,
    0x27_e0ebL,
    0x6367_7270L,
    0xcafe_4a11L,
    0xf97c_ff8cL,
    0xde5e_81e4L
  };

  /** Descriptors that guests may keep open on the host, over all worlds. */
  private static final int MAX_CLAIMED = 4096;

  private static final AtomicInteger CLAIMED = new AtomicInteger();

  private final int fd;
  private final @Nullable HostNode parent;
  private final String name;
  private final boolean writable;
  private final boolean ownsFd;
  private @Nullable FileStat stat;
  private boolean claimed;

  private HostNode(
      int fd, @Nullable HostNode parent, String name, boolean writable, boolean ownsFd) {
    this.fd = fd;
    this.parent = parent;
    this.name = name;
    this.writable = writable;
    this.ownsFd = ownsFd;
  }

  /** The directory (or file) {@code hostPath} as a place to mount; -errno as an exception. */
  public static HostNode mount(String hostPath, boolean writable) {
    int fd = Libc.openat(Libc.AT_FDCWD, hostPath, Libc.O_PATH, 0);
    if (fd < 0) {
      throw new LinuxError(-fd);
    }
    return new HostNode(fd, null, "", writable, true);
  }

  /** A handle of the file behind an open descriptor, which stays the caller's. */
  static HostNode ofOpen(int fd, boolean writable) {
    return new HostNode(fd, null, "", writable, false);
  }

  /** The same file as a handle that closes nothing. */
  public HostNode borrowed() {
    return new HostNode(fd, null, "", writable, false);
  }

  static FileStat statOf(int fd) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment empty = Libc.name(arena, "");
      MemorySegment buffer = arena.allocate(STATX_BYTES, 8);
      check(
          Libc.call(
              Libc.Call.STATX,
              fd,
              empty.address(),
              Libc.AT_EMPTY_PATH | Libc.AT_SYMLINK_NOFOLLOW,
              STATX_BASIC,
              buffer.address()));
      long at = buffer.address();
      return new FileStat(
          device(U.getInt(at + 0x88), U.getInt(at + 0x8c)),
          U.getLong(at + 0x20),
          U.getShort(at + 0x1c) & 0xffff,
          U.getInt(at + 0x10) & 0xffff_ffffL,
          U.getInt(at + 0x14),
          U.getInt(at + 0x18),
          device(U.getInt(at + 0x80), U.getInt(at + 0x84)),
          U.getLong(at + 0x28),
          U.getInt(at + 0x04),
          U.getLong(at + 0x30),
          time(at + 0x40),
          time(at + 0x70),
          time(at + 0x60));
    }
  }

  private static long time(long at) {
    return U.getLong(at) * 1_000_000_000L + U.getInt(at + 8);
  }

  /** Linux's encoding of a device number for user space. */
  public static long device(int major, int minor) {
    return (minor & 0xffL)
        | (major & 0xfffL) << 8
        | (minor & 0xffff_ff00L) << 12
        | (major & 0xffff_f000L) << 32;
  }

  static long check(long result) {
    if (result < 0) {
      throw new LinuxError((int) -result);
    }
    return result;
  }

  @Override
  public FileStat stat() {
    FileStat known = stat;
    if (known == null) {
      known = statOf(fd);
      stat = known;
    }
    return known;
  }

  @Override
  public @Nullable Node child(String childName) {
    int childFd = Libc.openat(fd, single(childName), Libc.O_PATH | Libc.O_NOFOLLOW, 0);
    if (childFd == -Errno.ENOENT) {
      return null;
    }
    check(childFd);
    HostNode child = new HostNode(childFd, this, childName, writable, true);
    try {
      if (child.stat().device() != stat().device()) {
        child.refuseKernelFileSystem();
      }
    } catch (LinuxError e) {
      child.close();
      throw e;
    }
    return child;
  }

  private void refuseKernelFileSystem() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment buffer = arena.allocate(256, 8);
      check(Libc.call(Libc.Call.FSTATFS, fd, buffer.address()));
      long type = U.getLong(buffer.address()) & 0xffff_ffffL;
      for (long forbidden : FORBIDDEN_FILE_SYSTEMS) {
        if (type == forbidden) {
          throw new LinuxError(Errno.EACCES);
        }
      }
    }
  }

  /** The host must never be given a path: a name with a slash is a bug of ours. */
  private static String single(String name) {
    if (name.isEmpty() || name.indexOf('/') >= 0 || name.equals("..") || name.indexOf(0) >= 0) {
      throw new IllegalStateException("not a name: " + name);
    }
    return name;
  }

  @Override
  public List<Entry> list() {
    int directory = Libc.openat(fd, ".", Libc.O_RDONLY | Libc.O_DIRECTORY, 0);
    check(directory);
    List<Entry> entries = new ArrayList<>();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment buffer = arena.allocate(32768, 8);
      while (entries.size() < MAX_ENTRIES) {
        int n = (int) check(Libc.call(Libc.Call.GETDENTS64, directory, buffer.address(), 32768));
        if (n == 0) {
          break;
        }
        for (long at = buffer.address(), end = at + n; at < end; ) {
          int length = U.getShort(at + 16) & 0xffff;
          int type = U.getByte(at + 18) & 0xff;
          String entry =
              MemorySegment.ofAddress(at + 19)
                  .reinterpret(length - 19L)
                  .getString(0, StandardCharsets.ISO_8859_1);
          if (!entry.equals(".") && !entry.equals("..")) {
            entries.add(new Entry(entry, U.getLong(at), type));
          }
          at += length;
        }
      }
    } finally {
      Libc.close(directory);
    }
    return entries;
  }

  @Override
  public String link() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment empty = Libc.name(arena, "");
      MemorySegment buffer = arena.allocate(4097);
      int n =
          (int) check(Libc.call(Libc.Call.READLINKAT, fd, empty.address(), buffer.address(), 4096));
      byte[] text = new byte[n];
      MemorySegment.copy(buffer, java.lang.foreign.ValueLayout.JAVA_BYTE, 0, text, 0, n);
      return new String(text, StandardCharsets.ISO_8859_1);
    }
  }

  private void checkWritable() {
    if (!writable) {
      throw new LinuxError(Errno.EROFS);
    }
  }

  @Override
  public OpenFile open(int flags) {
    FileStat s = stat();
    if (s.isDirectory()) {
      if ((flags & (OpenFile.O_ACCMODE | OpenFile.O_CREAT)) != 0) {
        throw new LinuxError(Errno.EISDIR);
      }
      return new DirectoryFile(flags, pinned());
    }
    if ((flags & OpenFile.O_PATH) != 0) {
      return new PathFile(flags, pinned());
    }
    if (!s.isRegular()) {
      throw new LinuxError(s.isSymlink() ? Errno.ELOOP : Errno.ENXIO);
    }
    if ((flags & OpenFile.O_ACCMODE) != 0 || (flags & OpenFile.O_TRUNC) != 0) {
      checkWritable();
    }
    int hostFlags =
        (flags & (OpenFile.O_ACCMODE | OpenFile.O_TRUNC | OpenFile.O_APPEND))
            | Libc.O_NONBLOCK
            | Libc.O_NOCTTY;
    return HostFile.of(reopen(hostFlags), flags, writable);
  }

  /** Opens the very file that this handle holds. */
  private int reopen(int hostFlags) {
    int opened;
    if (parent != null) {
      opened = Libc.openat(parent.fd, name, hostFlags | Libc.O_NOFOLLOW, 0);
    } else {
      opened = Libc.openat(Libc.AT_FDCWD, "/proc/self/fd/" + fd, hostFlags, 0);
    }
    check(opened);
    FileStat now = statOf(opened);
    if (now.inode() != stat().inode() || now.device() != stat().device()) {
      Libc.close(opened);
      throw new LinuxError(Errno.ESTALE);
    }
    return opened;
  }

  /** Counts a descriptor that a guest keeps open; ENFILE when there are too many. */
  static void claim() {
    if (CLAIMED.incrementAndGet() > MAX_CLAIMED) {
      CLAIMED.decrementAndGet();
      throw new LinuxError(Errno.ENFILE);
    }
  }

  static void unclaim() {
    CLAIMED.decrementAndGet();
  }

  /** A handle of the same file that lives on its own, and is counted. */
  HostNode pinned() {
    claim();
    long copy = Libc.call(Libc.Call.FCNTL, fd, 1030 /* F_DUPFD_CLOEXEC */, 3);
    if (copy < 0) {
      unclaim();
      throw new LinuxError((int) -copy);
    }
    HostNode pinned = new HostNode((int) copy, null, name, writable, true);
    pinned.claimed = true;
    return pinned;
  }

  @Override
  public OpenFile create(String fileName, int flags, int mode) {
    checkWritable();
    int hostFlags =
        (flags & (OpenFile.O_ACCMODE | OpenFile.O_APPEND))
            | Libc.O_CREAT
            | Libc.O_EXCL
            | Libc.O_NOFOLLOW
            | Libc.O_NONBLOCK;
    int opened = Libc.openat(fd, single(fileName), hostFlags, mode & 07777);
    check(opened);
    return HostFile.of(opened, flags, writable);
  }

  /** A call with a name in this directory. */
  private void named(Libc.Call call, String entry, long c, long d) {
    checkWritable();
    try (Arena arena = Arena.ofConfined()) {
      check(Libc.call(call, fd, Libc.name(arena, single(entry)).address(), c, d));
    }
  }

  @Override
  public void makeDirectory(String directory, int mode) {
    named(Libc.Call.MKDIRAT, directory, mode & 07777, 0);
  }

  @Override
  public void makeLink(String linkName, String content) {
    checkWritable();
    try (Arena arena = Arena.ofConfined()) {
      check(
          Libc.call(
              Libc.Call.SYMLINKAT,
              Libc.name(arena, content).address(),
              fd,
              Libc.name(arena, single(linkName)).address()));
    }
  }

  @Override
  public void remove(String entry, boolean directory) {
    named(Libc.Call.UNLINKAT, entry, directory ? Libc.AT_REMOVEDIR : 0, 0);
  }

  private static HostNode sameKind(Node node) {
    if (node instanceof HostNode host) {
      host.checkWritable();
      return host;
    }
    throw new LinuxError(Errno.EXDEV);
  }

  @Override
  public void rename(String entry, Node newDirectory, String newName, int flags) {
    checkWritable();
    HostNode to = sameKind(newDirectory);
    try (Arena arena = Arena.ofConfined()) {
      check(
          Libc.call(
              Libc.Call.RENAMEAT2,
              fd,
              Libc.name(arena, single(entry)).address(),
              to.fd,
              Libc.name(arena, single(newName)).address(),
              flags));
    }
  }

  @Override
  public void linkTo(String entry, Node newDirectory, String newName) {
    checkWritable();
    HostNode to = sameKind(newDirectory);
    try (Arena arena = Arena.ofConfined()) {
      check(
          Libc.call(
              Libc.Call.LINKAT,
              fd,
              Libc.name(arena, single(entry)).address(),
              to.fd,
              Libc.name(arena, single(newName)).address(),
              0));
    }
  }

  /** Through the host's own /proc, as fchmodat follows links and an O_PATH handle is not one. */
  @Override
  public void changeMode(int mode) {
    checkWritable();
    if (stat().isSymlink()) {
      throw new LinuxError(Errno.EOPNOTSUPP);
    }
    try (Arena arena = Arena.ofConfined()) {
      check(Libc.call(Libc.Call.FCHMODAT, Libc.AT_FDCWD, self(arena), mode & 07777, 0));
    }
    stat = null;
  }

  private long self(Arena arena) {
    return Libc.name(arena, "/proc/self/fd/" + fd).address();
  }

  @Override
  public void changeOwner(int uid, int gid) {
    checkWritable();
    try (Arena arena = Arena.ofConfined()) {
      check(
          Libc.call(
              Libc.Call.FCHOWNAT,
              fd,
              Libc.name(arena, "").address(),
              uid,
              gid,
              Libc.AT_EMPTY_PATH));
    }
    stat = null;
  }

  @Override
  public void changeTimes(long accessNanos, long modifyNanos) {
    checkWritable();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment times = arena.allocate(32, 8);
      putTime(times.address(), accessNanos);
      putTime(times.address() + 16, modifyNanos);
      HostNode directory = parent;
      if (directory != null) {
        long entry = Libc.name(arena, name).address();
        check(
            Libc.call(
                Libc.Call.UTIMENSAT,
                directory.fd,
                entry,
                times.address(),
                Libc.AT_SYMLINK_NOFOLLOW));
      } else {
        check(Libc.call(Libc.Call.UTIMENSAT, Libc.AT_FDCWD, self(arena), times.address(), 0));
      }
    }
    stat = null;
  }

  private static void putTime(long at, long nanos) {
    long special = nanos == OMIT ? 0x3fff_fffeL : 0x3fff_ffffL;
    boolean plain = nanos != OMIT && nanos != NOW;
    U.putLong(at, plain ? Math.floorDiv(nanos, 1_000_000_000L) : 0);
    U.putLong(at + 8, plain ? Math.floorMod(nanos, 1_000_000_000L) : special);
  }

  @Override
  public void checkAccess(int mode) {
    if ((mode & 2) != 0) {
      checkWritable();
    }
    FileStat s = stat();
    int uid = (int) Libc.call(Libc.Call.GETUID, 0);
    int gid = (int) Libc.call(Libc.Call.GETGID, 0);
    if (uid == 0) {
      if ((mode & 1) != 0 && !s.isDirectory() && (s.mode() & 0111) == 0) {
        throw new LinuxError(Errno.EACCES);
      }
      return;
    }
    int shift = s.uid() == uid ? 6 : s.gid() == gid ? 3 : 0;
    if ((s.mode() >>> shift & mode & 7) != (mode & 7)) {
      throw new LinuxError(Errno.EACCES);
    }
  }

  @Override
  public void close() {
    if (ownsFd) {
      Libc.close(fd);
    }
    if (claimed) {
      unclaim();
    }
  }
}
