package parhelion.process;

import java.util.function.Consumer;
import parhelion.process.file.DirectoryFile;
import parhelion.process.file.Node;
import parhelion.process.file.OpenFile;
import parhelion.process.file.Tree;

/** System calls that take names: opening, making, removing, renaming, changing. */
final class NameCalls {
  static final int AT_FDCWD = -100;
  static final int AT_SYMLINK_NOFOLLOW = 0x100;
  static final int AT_REMOVEDIR = 0x200;
  static final int AT_SYMLINK_FOLLOW = 0x400;
  static final int AT_EMPTY_PATH = 0x1000;
  private static final int CREATE_RACES = 3;
  private static final long SECOND = 1_000_000_000L;
  private static final long UTIME_NOW = 0x3fff_ffffL;
  private static final long UTIME_OMIT = 0x3fff_fffeL;

  private NameCalls() {}

  // --- places ---

  /** Canonical path that a relative name begins at. */
  private static String base(Task t, long dirFd, String path) {
    if (path.startsWith("/")) {
      return "/";
    }
    if ((int) dirFd == AT_FDCWD) {
      return t.process.directory.path;
    }
    OpenFile file = FileCalls.file(t, dirFd);
    if (!file.stat().isDirectory()) {
      throw new LinuxError(Errno.ENOTDIR);
    }
    return file.path();
  }

  static Tree.Place place(Task t, long dirFd, String path, boolean follow) {
    return t.kernel.tree.resolve(base(t, dirFd, path), path, follow);
  }

  private static Tree.Place place(Task t, long dirFd, long pathVa, boolean follow) {
    return place(t, dirFd, t.memory().path(pathVa), follow);
  }

  /** Does something with the node that a path, or with AT_EMPTY_PATH the descriptor, means. */
  static void withNode(Task t, long dirFd, long pathVa, long flags, Consumer<Node> action) {
    String path = t.memory().path(pathVa);
    if (path.isEmpty() && (flags & AT_EMPTY_PATH) != 0 && (int) dirFd != AT_FDCWD) {
      action.accept(nodeOf(t, dirFd));
      return;
    }
    String name = path.isEmpty() && (flags & AT_EMPTY_PATH) != 0 ? "." : path;
    try (Tree.Place place = place(t, dirFd, name, (flags & AT_SYMLINK_NOFOLLOW) == 0)) {
      action.accept(place.node());
    }
  }

  /** The node of an open file; read-only where it has none. */
  static Node nodeOf(Task t, long fd) {
    OpenFile file = FileCalls.file(t, fd);
    Node node = file.node();
    return node != null ? node : parhelion.process.file.Synthetic.ofOpen(file);
  }

  // --- opening ---

  static long open(Task t, long path, long flags, long mode, long d, long e, long f) {
    return openat(t, AT_FDCWD, path, flags, mode, 0, 0);
  }

  static long creat(Task t, long path, long mode, long c, long d, long e, long f) {
    int flags = OpenFile.O_CREAT | OpenFile.O_WRONLY | OpenFile.O_TRUNC;
    return openat(t, AT_FDCWD, path, flags, mode, 0, 0);
  }

  static long openat(
      Task t, long dirFd, long pathVa, long flagsArgument, long mode, long e, long f) {
    int flags = (int) flagsArgument;
    if ((flags & OpenFile.O_TMPFILE) != 0) {
      throw new LinuxError(Errno.EOPNOTSUPP);
    }
    if ((flags & OpenFile.O_PATH) != 0) {
      flags &= OpenFile.O_PATH | OpenFile.O_DIRECTORY | OpenFile.O_NOFOLLOW | OpenFile.O_CLOEXEC;
    }
    String path = t.memory().path(pathVa);
    OpenFile file = null;
    for (int attempt = 0; file == null; attempt++) {
      try {
        file = open(t, dirFd, path, flags, (int) mode);
      } catch (LinuxError error) {
        boolean lostRace =
            error.errno == Errno.EEXIST && (flags & OpenFile.O_EXCL) == 0 && attempt < CREATE_RACES;
        if (!lostRace) {
          throw error;
        }
      }
    }
    return t.process.files.add(file, 0, (flags & OpenFile.O_CLOEXEC) != 0);
  }

  private static OpenFile open(Task t, long dirFd, String path, int flags, int mode) {
    boolean exclusive =
        (flags & (OpenFile.O_CREAT | OpenFile.O_EXCL)) == (OpenFile.O_CREAT | OpenFile.O_EXCL);
    boolean follow = (flags & OpenFile.O_NOFOLLOW) == 0 && !exclusive;
    try (Tree.Place place = place(t, dirFd, path, follow)) {
      if (!place.exists()) {
        if ((flags & OpenFile.O_CREAT) == 0) {
          throw new LinuxError(Errno.ENOENT);
        }
        if (place.isSlashed()) {
          throw new LinuxError(Errno.EISDIR);
        }
        int effective = mode & ~t.process.directory.umask & 07777;
        OpenFile file = place.directory().create(place.name(), flags, effective);
        file.setPath(place.path());
        return file;
      }
      if (exclusive) {
        throw new LinuxError(Errno.EEXIST);
      }
      Node node = place.node();
      if ((flags & OpenFile.O_DIRECTORY) != 0 && !node.isDirectory()) {
        throw new LinuxError(Errno.ENOTDIR);
      }
      if (node.isSymlink() && (flags & OpenFile.O_PATH) == 0) {
        throw new LinuxError(Errno.ELOOP);
      }
      OpenFile file = node.open(flags);
      if (file.path().isEmpty()) {
        file.setPath(place.path());
      }
      if (file instanceof DirectoryFile directory) {
        directory.setMounted(t.kernel.tree.mountedIn(place.path()));
      }
      return file;
    }
  }

  // --- directories ---

  static long getcwd(Task t, long va, long size, long c, long d, long e, long f) {
    String path = t.process.directory.path;
    if (Long.compareUnsigned(size, path.length() + 1L) < 0) {
      throw new LinuxError(Errno.ERANGE);
    }
    t.memory().bytes(va, (path + "\0").getBytes(java.nio.charset.StandardCharsets.ISO_8859_1));
    return path.length() + 1L;
  }

  static long chdir(Task t, long pathVa, long b, long c, long d, long e, long f) {
    try (Tree.Place place = place(t, AT_FDCWD, pathVa, true)) {
      if (!place.node().isDirectory()) {
        throw new LinuxError(Errno.ENOTDIR);
      }
      place.node().checkAccess(1);
      t.process.directory.path = place.path();
    }
    return 0;
  }

  static long fchdir(Task t, long fd, long b, long c, long d, long e, long f) {
    OpenFile file = FileCalls.file(t, fd);
    if (!file.stat().isDirectory()) {
      throw new LinuxError(Errno.ENOTDIR);
    }
    t.process.directory.path = file.path();
    return 0;
  }

  static long mkdir(Task t, long path, long mode, long c, long d, long e, long f) {
    return mkdirat(t, AT_FDCWD, path, mode, 0, 0, 0);
  }

  static long mkdirat(Task t, long dirFd, long pathVa, long mode, long d, long e, long f) {
    try (Tree.Place place = place(t, dirFd, pathVa, false)) {
      checkAbsent(place);
      place
          .directory()
          .makeDirectory(place.name(), (int) mode & ~t.process.directory.umask & 01777);
    }
    return 0;
  }

  private static void checkAbsent(Tree.Place place) {
    if (place.exists()) {
      throw new LinuxError(Errno.EEXIST);
    }
  }

  static long rmdir(Task t, long path, long b, long c, long d, long e, long f) {
    return unlinkat(t, AT_FDCWD, path, AT_REMOVEDIR, 0, 0, 0);
  }

  static long unlink(Task t, long path, long b, long c, long d, long e, long f) {
    return unlinkat(t, AT_FDCWD, path, 0, 0, 0, 0);
  }

  static long unlinkat(Task t, long dirFd, long pathVa, long flags, long d, long e, long f) {
    if ((flags & ~AT_REMOVEDIR) != 0) {
      throw new LinuxError(Errno.EINVAL);
    }
    boolean directory = flags != 0;
    try (Tree.Place place = place(t, dirFd, pathVa, false)) {
      boolean isDirectory = place.node().isDirectory();
      if (t.kernel.tree.isMount(place.path())) {
        throw new LinuxError(directory || !isDirectory ? Errno.EBUSY : Errno.EISDIR);
      }
      if (directory && !isDirectory) {
        throw new LinuxError(Errno.ENOTDIR);
      }
      if (!directory && isDirectory) {
        throw new LinuxError(Errno.EISDIR);
      }
      place.directory().remove(place.name(), directory);
    }
    return 0;
  }

  // --- names ---

  static long rename(Task t, long from, long to, long c, long d, long e, long f) {
    return renameat2(t, AT_FDCWD, from, AT_FDCWD, to, 0, 0);
  }

  static long renameat(Task t, long fromFd, long from, long toFd, long to, long e, long f) {
    return renameat2(t, fromFd, from, toFd, to, 0, 0);
  }

  static long renameat2(
      Task t, long fromFd, long fromVa, long toFd, long toVa, long flags, long f) {
    if ((flags & ~3L) != 0) {
      throw new LinuxError(Errno.EINVAL);
    }
    try (Tree.Place from = place(t, fromFd, fromVa, false);
        Tree.Place to = place(t, toFd, toVa, false)) {
      boolean directory = from.node().isDirectory();
      if (!to.exists() && to.isSlashed() && !directory) {
        throw new LinuxError(Errno.ENOTDIR);
      }
      if (t.kernel.tree.isMount(from.path()) || t.kernel.tree.isMount(to.path())) {
        throw new LinuxError(Errno.EBUSY);
      }
      from.directory().rename(from.name(), to.directory(), to.name(), (int) flags);
    }
    return 0;
  }

  static long link(Task t, long from, long to, long c, long d, long e, long f) {
    return linkat(t, AT_FDCWD, from, AT_FDCWD, to, 0, 0);
  }

  static long linkat(Task t, long fromFd, long fromVa, long toFd, long toVa, long flags, long f) {
    if ((flags & ~(long) AT_SYMLINK_FOLLOW) != 0) {
      throw new LinuxError(Errno.EINVAL);
    }
    try (Tree.Place from = place(t, fromFd, fromVa, flags != 0);
        Tree.Place to = place(t, toFd, toVa, false)) {
      Node node = from.node();
      checkAbsent(to);
      if (node.isDirectory() || t.kernel.tree.isMount(from.path())) {
        throw new LinuxError(Errno.EPERM);
      }
      from.directory().linkTo(from.name(), to.directory(), to.name());
    }
    return 0;
  }

  static long symlink(Task t, long text, long path, long c, long d, long e, long f) {
    return symlinkat(t, text, AT_FDCWD, path, 0, 0, 0);
  }

  static long symlinkat(Task t, long textVa, long dirFd, long pathVa, long d, long e, long f) {
    String text = t.memory().path(textVa);
    if (text.isEmpty()) {
      throw new LinuxError(Errno.ENOENT);
    }
    try (Tree.Place place = place(t, dirFd, pathVa, false)) {
      checkAbsent(place);
      place.directory().makeLink(place.name(), text);
    }
    return 0;
  }

  static long readlink(Task t, long path, long va, long size, long d, long e, long f) {
    return readlinkat(t, AT_FDCWD, path, va, size, 0, 0);
  }

  static long readlinkat(Task t, long dirFd, long pathVa, long va, long size, long e, long f) {
    if ((int) size <= 0) {
      throw new LinuxError(Errno.EINVAL);
    }
    long[] result = new long[1];
    withNode(
        t,
        dirFd,
        pathVa,
        AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH,
        node -> {
          if (!node.isSymlink()) {
            throw new LinuxError(Errno.EINVAL);
          }
          byte[] text = node.link().getBytes(java.nio.charset.StandardCharsets.ISO_8859_1);
          int n = Math.min(text.length, (int) size);
          t.memory().write(va, text, 0, n);
          result[0] = n;
        });
    return result[0];
  }

  // --- attributes ---

  static long access(Task t, long path, long mode, long c, long d, long e, long f) {
    return faccessat2(t, AT_FDCWD, path, mode, 0, 0, 0);
  }

  static long faccessat(Task t, long dirFd, long path, long mode, long d, long e, long f) {
    return faccessat2(t, dirFd, path, mode, 0, 0, 0);
  }

  static long faccessat2(Task t, long dirFd, long path, long mode, long flags, long e, long f) {
    if ((mode & ~7L) != 0 || (flags & ~0x1300L) != 0) {
      throw new LinuxError(Errno.EINVAL);
    }
    withNode(t, dirFd, path, flags, node -> node.checkAccess((int) mode));
    return 0;
  }

  static long chmod(Task t, long path, long mode, long c, long d, long e, long f) {
    return fchmodat2(t, AT_FDCWD, path, mode, 0, 0, 0);
  }

  static long fchmodat(Task t, long dirFd, long path, long mode, long d, long e, long f) {
    return fchmodat2(t, dirFd, path, mode, 0, 0, 0);
  }

  static long fchmodat2(Task t, long dirFd, long path, long mode, long flags, long e, long f) {
    withNode(t, dirFd, path, flags, node -> node.changeMode((int) mode & 07777));
    return 0;
  }

  static long fchmod(Task t, long fd, long mode, long c, long d, long e, long f) {
    nodeOf(t, fd).changeMode((int) mode & 07777);
    return 0;
  }

  static long chown(Task t, long path, long uid, long gid, long d, long e, long f) {
    return fchownat(t, AT_FDCWD, path, uid, gid, 0, 0);
  }

  static long lchown(Task t, long path, long uid, long gid, long d, long e, long f) {
    return fchownat(t, AT_FDCWD, path, uid, gid, AT_SYMLINK_NOFOLLOW, 0);
  }

  static long fchownat(Task t, long dirFd, long path, long uid, long gid, long flags, long f) {
    withNode(t, dirFd, path, flags, node -> node.changeOwner((int) uid, (int) gid));
    return 0;
  }

  static long fchown(Task t, long fd, long uid, long gid, long d, long e, long f) {
    nodeOf(t, fd).changeOwner((int) uid, (int) gid);
    return 0;
  }

  static long umask(Task t, long mask, long b, long c, long d, long e, long f) {
    int old = t.process.directory.umask;
    t.process.directory.umask = (int) mask & 0777;
    return old;
  }

  static long truncate(Task t, long pathVa, long length, long c, long d, long e, long f) {
    if (length < 0) {
      throw new LinuxError(Errno.EINVAL);
    }
    OpenFile file = open(t, AT_FDCWD, t.memory().path(pathVa), OpenFile.O_WRONLY, 0);
    try {
      file.truncate(length);
    } finally {
      file.release();
    }
    return 0;
  }

  static long utime(Task t, long path, long va, long c, long d, long e, long f) {
    long access = va == 0 ? Node.NOW : nanos(t.memory().get64(va), 0);
    long modify = va == 0 ? Node.NOW : nanos(t.memory().get64(va + 8), 0);
    withNode(t, AT_FDCWD, path, 0, node -> node.changeTimes(access, modify));
    return 0;
  }

  static long utimes(Task t, long path, long va, long c, long d, long e, long f) {
    return futimesat(t, AT_FDCWD, path, va, 0, 0, 0);
  }

  static long futimesat(Task t, long dirFd, long path, long va, long d, long e, long f) {
    long access = va == 0 ? Node.NOW : timeval(t, va);
    long modify = va == 0 ? Node.NOW : timeval(t, va + 16);
    withNode(t, dirFd, path, 0, node -> node.changeTimes(access, modify));
    return 0;
  }

  private static long timeval(Task t, long va) {
    long micros = t.memory().get64(va + 8);
    if (micros < 0 || micros >= 1_000_000) {
      throw new LinuxError(Errno.EINVAL);
    }
    return nanos(t.memory().get64(va), micros * 1000);
  }

  private static long nanos(long seconds, long nanos) {
    return Math.clamp(seconds, -(1L << 33), 1L << 33) * SECOND + nanos;
  }

  private static long timespec(Task t, long va) {
    long nanos = t.memory().get64(va + 8);
    if (nanos == UTIME_NOW) {
      return Node.NOW;
    }
    if (nanos == UTIME_OMIT) {
      return Node.OMIT;
    }
    if (nanos < 0 || nanos >= SECOND) {
      throw new LinuxError(Errno.EINVAL);
    }
    return nanos(t.memory().get64(va), nanos);
  }

  static long utimensat(Task t, long dirFd, long path, long va, long flags, long e, long f) {
    long access = va == 0 ? Node.NOW : timespec(t, va);
    long modify = va == 0 ? Node.NOW : timespec(t, va + 16);
    if (path == 0) {
      nodeOf(t, dirFd).changeTimes(access, modify);
    } else {
      withNode(t, dirFd, path, flags, node -> node.changeTimes(access, modify));
    }
    return 0;
  }
}
