package parhelion.media.share;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import parhelion.host.Libc;
import parhelion.host.Libc.Call;
import parhelion.media.share.Attributes.Time;

/** A file of a {@link HostTree}: a descriptor that says which, without having it open. */
final class HostNode implements Node {
  private static final int STATX_BYTES = 256;
  private static final int STATFS_BYTES = 120;
  private static final int STATX_BASIC_STATS = 0x7ff;
  private static final int PATH_BYTES = 4096;
  private static final int VALUE_BYTES = 65536;
  private static final int UTIME_OMIT = 0x3ffffffe;

  private final HostTree tree;
  private final int fd;
  private final @Nullable HostNode parent;
  private volatile Place place;
  private final AtomicInteger references = new AtomicInteger(1);

  /** Where the file was when we last knew; only {@code Trename} and {@code Tremove} rest on it. */
  private record Place(@Nullable HostNode directory, String name) {}

  /** Takes over the descriptor, and adds a reference to the parent. */
  HostNode(HostTree tree, int fd, @Nullable HostNode parent, String name) {
    this.tree = tree;
    this.fd = fd;
    this.parent = parent == null ? null : parent.again();
    place = new Place(this.parent, name);
  }

  int fd() {
    return fd;
  }

  /** A name by which calls that take no descriptor of this kind reach the very file. */
  String path() {
    return "/proc/self/fd/" + fd;
  }

  @Override
  public HostNode again() {
    int before = references.getAndUpdate(n -> n == 0 ? 0 : n + 1);
    if (before == 0) { // the tree is closed: the descriptor may be another file by now
      throw FileError.of(LinuxErrno.EBADF);
    }
    return this;
  }

  @Override
  public void close() {
    // A loop: a guest's directories may be as deep as it likes.
    HostNode node = this;
    while (node != null && node.references.decrementAndGet() == 0) {
      Descriptors.close(node.fd);
      node = node.parent;
    }
  }

  @Override
  public Attributes attributes() {
    return tree.ownership().seen(this, hostAttributes());
  }

  /** The attributes as the host has them. */
  Attributes hostAttributes() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment s = arena.allocate(STATX_BYTES, 8);
      HostFiles.must(
          Call.STATX,
          fd,
          Libc.name(arena, "").address(),
          Libc.AT_EMPTY_PATH | Libc.AT_SYMLINK_NOFOLLOW,
          STATX_BASIC_STATS,
          s.address());
      long device = Attributes.device(int32(s, 136), int32(s, 140));
      return new Attributes(
          tree.inode(device, int64(s, 32)),
          s.get(ValueLayout.JAVA_SHORT, 28) & 0xffff,
          int32(s, 20),
          int32(s, 24),
          Integer.toUnsignedLong(int32(s, 16)),
          Attributes.device(int32(s, 128), int32(s, 132)),
          int64(s, 40),
          Integer.toUnsignedLong(int32(s, 4)),
          int64(s, 48),
          new Time(int64(s, 64), int32(s, 72)),
          new Time(int64(s, 112), int32(s, 120)),
          new Time(int64(s, 96), int32(s, 104)));
    }
  }

  private static int int32(MemorySegment s, long at) {
    return s.get(ValueLayout.JAVA_INT, at);
  }

  private static long int64(MemorySegment s, long at) {
    return s.get(ValueLayout.JAVA_LONG, at);
  }

  @Override
  public HostNode walk(String name) {
    return new HostNode(
        tree, Descriptors.open(fd, name, Libc.O_PATH | Libc.O_NOFOLLOW, 0), this, name);
  }

  @Override
  public HostNode parent() {
    HostNode above = parent;
    return above == null ? again() : above.again();
  }

  @Override
  public void setAttributes(AttributeChange change) {
    tree.mustBeWritable();
    Long size = change.sizeBytes();
    if (size != null) {
      truncate(size);
    }
    if (change.uid() != null || change.gid() != null) {
      tree.ownership().setOwner(this, change.uid(), change.gid());
    }
    Integer mode = change.mode();
    if (mode != null) {
      tree.ownership().setMode(this, mode & FileMode.PERMISSIONS);
    }
    if (change.accessed() != null || change.modified() != null) {
      setTimes(change.accessed(), change.modified());
    }
  }

  private void truncate(long size) {
    if (!FileMode.isRegular(hostAttributes().mode())) {
      throw FileError.of(LinuxErrno.EINVAL);
    }
    int open = Descriptors.open(Libc.AT_FDCWD, path(), OpenFlags.WRITE_ONLY | safe(), 0);
    try {
      HostFiles.must(Call.FTRUNCATE, open, size, 0);
    } finally {
      Descriptors.close(open);
    }
  }

  private static int safe() {
    return OpenFlags.NON_BLOCKING | OpenFlags.NO_TERMINAL;
  }

  private void setTimes(@Nullable Time accessed, @Nullable Time modified) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment times = arena.allocate(32, 8);
      putTime(times, 0, accessed);
      putTime(times, 16, modified);
      if (FileMode.isSymlink(hostAttributes().mode())) {
        // Linux 5.8 and newer; the time of a link is worth no failure.
        long ignored =
            Libc.call(
                Call.UTIMENSAT,
                fd,
                Libc.name(arena, "").address(),
                times.address(),
                Libc.AT_EMPTY_PATH,
                0);
        return;
      }
      HostFiles.must(
          Call.UTIMENSAT, Libc.AT_FDCWD, Libc.name(arena, path()).address(), times.address(), 0);
    }
  }

  private static void putTime(MemorySegment times, long at, @Nullable Time time) {
    times.set(ValueLayout.JAVA_LONG, at, time == null ? 0 : time.seconds());
    times.set(ValueLayout.JAVA_LONG, at + 8, time == null ? UTIME_OMIT : time.nanos());
  }

  void changeHostMode(int mode) {
    try (Arena arena = Arena.ofConfined()) {
      HostFiles.must(Call.FCHMODAT, Libc.AT_FDCWD, Libc.name(arena, path()).address(), mode, 0);
    }
  }

  /** Minus one leaves an owner as it is. */
  void changeHostOwner(int uid, int gid) {
    try (Arena arena = Arena.ofConfined()) {
      HostFiles.must(
          Call.FCHOWNAT, fd, Libc.name(arena, "").address(), uid, gid, Libc.AT_EMPTY_PATH);
    }
  }

  @Override
  public OpenFile open(int flags) {
    if (OpenFlags.writes(flags)) {
      tree.mustBeWritable();
    }
    Attributes host = hostAttributes();
    if (FileMode.isDirectory(host.mode())) {
      if (OpenFlags.writes(flags)) {
        throw FileError.of(LinuxErrno.EISDIR);
      }
      int open = Descriptors.open(fd, ".", Libc.O_DIRECTORY, 0);
      return new HostOpenFile(open, tree.ownership().hidesTypes());
    }
    // What is to the guest a device or a FIFO, its own kernel opens: never the file that stands for
    // it.
    if (!FileMode.isRegular(host.mode())
        || !FileMode.isRegular(tree.ownership().seen(this, host).mode())) {
      throw FileError.of(LinuxErrno.EOPNOTSUPP);
    }
    if ((flags & OpenFlags.DIRECTORY) != 0) {
      throw FileError.of(LinuxErrno.ENOTDIR);
    }
    return new HostOpenFile(
        Descriptors.open(Libc.AT_FDCWD, path(), hostFlags(flags), 0), /* hidesTypes= */ false);
  }

  private static int hostFlags(int flags) {
    int kept =
        OpenFlags.ACCESS_MODE
            | OpenFlags.TRUNCATE
            | OpenFlags.APPEND
            | OpenFlags.DATA_SYNC
            | OpenFlags.SYNC;
    return flags & kept | safe();
  }

  @Override
  public Opened create(String name, int flags, Creation what) {
    tree.mustBeWritable();
    int create = hostFlags(flags) | OpenFlags.CREATE | OpenFlags.EXCLUSIVE | Libc.O_NOFOLLOW;
    int open;
    try {
      int mode = tree.ownership().hostMode(what.mode(), /* directory= */ false);
      open = Descriptors.open(fd, name, create, mode & 0777);
    } catch (FileError e) {
      if (e.errno() == LinuxErrno.EEXIST && (flags & OpenFlags.EXCLUSIVE) == 0) {
        return openExisting(name, flags);
      }
      throw e;
    }
    HostNode made = new HostNode(tree, open, this, name);
    try {
      tree.ownership().created(made, FileMode.REGULAR | what.mode() & FileMode.PERMISSIONS, what);
    } catch (FileError e) {
      made.close();
      throw e;
    }
    return new Opened(made, new HostOpenFile(made));
  }

  private Opened openExisting(String name, int flags) {
    HostNode found = walk(name);
    try {
      if (FileMode.isSymlink(found.hostAttributes().mode())) {
        throw FileError.of(LinuxErrno.ELOOP);
      }
      return new Opened(found, found.open(flags));
    } catch (FileError e) {
      found.close();
      throw e;
    }
  }

  @Override
  public Node makeDirectory(String name, Creation what) {
    tree.mustBeWritable();
    int mode = tree.ownership().hostMode(what.mode(), /* directory= */ true);
    withName(name, path -> HostFiles.must(Call.MKDIRAT, fd, path, mode & 0777));
    return made(name, FileMode.DIRECTORY | what.mode() & FileMode.PERMISSIONS, what);
  }

  private Node made(String name, int mode, Creation what) {
    HostNode made = walk(name);
    try {
      tree.ownership().created(made, mode, what);
      return made;
    } catch (FileError e) {
      made.close();
      throw e;
    }
  }

  private interface WithName {
    void call(long path);
  }

  private static void withName(String name, WithName body) {
    try (Arena arena = Arena.ofConfined()) {
      body.call(Libc.name(arena, name).address());
    }
  }

  @Override
  public Node makeNode(String name, long device, Creation what) {
    tree.mustBeWritable();
    int hostType = tree.ownership().hostNodeType(what.mode());
    int mode = tree.ownership().hostMode(what.mode(), /* directory= */ false) & 0777;
    withName(name, path -> HostFiles.must(Call.MKNODAT, fd, path, hostType | mode, 0));
    HostNode made = walk(name);
    try {
      tree.ownership().created(made, what.mode(), what);
      tree.ownership().setDevice(made, device);
      return made;
    } catch (FileError e) {
      made.close();
      throw e;
    }
  }

  @Override
  public Node makeSymlink(String name, String target, Creation what) {
    tree.mustBeWritable();
    withName(
        target, text -> withName(name, path -> HostFiles.must(Call.SYMLINKAT, text, fd, path)));
    return made(name, FileMode.SYMLINK | 0777, what);
  }

  private HostNode ours(Node node) {
    if (node instanceof HostNode host && host.tree == tree) {
      return host;
    }
    throw FileError.of(LinuxErrno.EXDEV);
  }

  @Override
  public void link(Node target, String name) {
    tree.mustBeWritable();
    String from = ours(target).path();
    withName(
        from,
        old ->
            withName(
                name,
                path ->
                    HostFiles.must(
                        Call.LINKAT, Libc.AT_FDCWD, old, fd, path, Libc.AT_SYMLINK_FOLLOW)));
  }

  @Override
  public void rename(String oldName, Node newDirectory, String newName) {
    tree.mustBeWritable();
    int to = ours(newDirectory).fd;
    withName(
        oldName,
        from -> withName(newName, path -> HostFiles.must(Call.RENAMEAT2, fd, from, to, path, 0)));
  }

  /** Where the file is, if it is still there. */
  private HostNode findSelf(Place where) {
    HostNode directory = where.directory();
    if (directory == null) {
      throw FileError.of(LinuxErrno.EBUSY);
    }
    HostNode found = directory.walk(where.name());
    try {
      if (found.hostAttributes().inode() != hostAttributes().inode()) {
        throw FileError.of(LinuxErrno.ENOENT);
      }
    } finally {
      found.close();
    }
    return directory;
  }

  @Override
  public void renameSelf(Node newDirectory, String newName) {
    Place where = place;
    findSelf(where).rename(where.name(), newDirectory, newName);
    // The new directory is not held by us: if it goes, the file cannot be found there any more.
    place = new Place(null, newName);
  }

  @Override
  public void unlink(String name, boolean directory) {
    tree.mustBeWritable();
    int flags = directory ? Libc.AT_REMOVEDIR : 0;
    withName(name, path -> HostFiles.must(Call.UNLINKAT, fd, path, flags));
  }

  @Override
  public void unlinkSelf() {
    Place where = place;
    findSelf(where).unlink(where.name(), FileMode.isDirectory(hostAttributes().mode()));
  }

  @Override
  public String readLink() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment target = arena.allocate(PATH_BYTES);
      long length =
          HostFiles.must(
              Call.READLINKAT, fd, Libc.name(arena, "").address(), target.address(), PATH_BYTES);
      byte[] bytes = target.asSlice(0, length).toArray(ValueLayout.JAVA_BYTE);
      return new String(bytes, StandardCharsets.ISO_8859_1);
    } catch (FileError e) {
      throw e.errno() == LinuxErrno.ENOENT ? FileError.of(LinuxErrno.EINVAL) : e;
    }
  }

  @Override
  public byte[] attribute(String name) {
    tree.ownership().mayUseAttribute(name);
    return hostAttribute(name);
  }

  byte[] hostAttribute(String name) {
    try (Arena arena = Arena.ofConfined()) {
      long path = attributePath(arena);
      long attribute = Libc.name(arena, name).address();
      long size = HostFiles.must(Call.GETXATTR, path, attribute, 0, 0);
      MemorySegment value = arena.allocate(Math.max(1, Math.min(size, VALUE_BYTES)));
      long length =
          HostFiles.must(Call.GETXATTR, path, attribute, value.address(), value.byteSize());
      return value.asSlice(0, Math.min(length, size)).toArray(ValueLayout.JAVA_BYTE);
    }
  }

  /** A link's own attributes cannot be named so, and have none of ours. */
  private long attributePath(Arena arena) {
    if (FileMode.isSymlink(hostAttributes().mode())) {
      throw FileError.of(LinuxErrno.EOPNOTSUPP);
    }
    return Libc.name(arena, path()).address();
  }

  @Override
  public byte[] attributeNames() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment names = arena.allocate(VALUE_BYTES);
      long length =
          HostFiles.must(Call.LISTXATTR, attributePath(arena), names.address(), names.byteSize());
      String all =
          new String(
              names.asSlice(0, length).toArray(ValueLayout.JAVA_BYTE), StandardCharsets.ISO_8859_1);
      StringBuilder shown = new StringBuilder();
      for (String name : all.split("\0")) {
        if (tree.ownership().showsAttribute(name)) {
          shown.append(name).append('\0');
        }
      }
      return shown.toString().getBytes(StandardCharsets.ISO_8859_1);
    }
  }

  @Override
  public void setAttribute(String name, byte[] value, int flags) {
    tree.mustBeWritable();
    tree.ownership().mayUseAttribute(name);
    setHostAttribute(name, value, flags);
  }

  void setHostAttribute(String name, byte[] value, int flags) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment bytes = arena.allocate(Math.max(1, value.length));
      MemorySegment.copy(value, 0, bytes, ValueLayout.JAVA_BYTE, 0, value.length);
      HostFiles.must(
          Call.SETXATTR,
          attributePath(arena),
          Libc.name(arena, name).address(),
          bytes.address(),
          value.length,
          flags);
    }
  }

  @Override
  public void removeAttribute(String name) {
    tree.mustBeWritable();
    tree.ownership().mayUseAttribute(name);
    removeHostAttribute(name);
  }

  void removeHostAttribute(String name) {
    try (Arena arena = Arena.ofConfined()) {
      HostFiles.must(Call.REMOVEXATTR, attributePath(arena), Libc.name(arena, name).address(), 0);
    }
  }

  @Override
  public FileSystemStatus fileSystem() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment s = arena.allocate(STATFS_BYTES, 8);
      HostFiles.must(Call.FSTATFS, fd, s.address(), 0);
      return new FileSystemStatus(
          (int) int64(s, 8), int64(s, 16), int64(s, 24), int64(s, 32), int64(s, 40), int64(s, 48));
    }
  }
}
