package parhelion.media.rootfs;

import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import parhelion.media.rootfs.Inode.Entry;
import parhelion.media.share.Attributes;
import parhelion.media.share.Attributes.Time;
import parhelion.media.share.FileError;
import parhelion.media.share.FileMode;
import parhelion.media.share.FileSystemStatus;
import parhelion.media.share.FileTree;
import parhelion.media.share.LinuxErrno;
import parhelion.media.share.Node;

/**
 * A file system whose names and attributes are in memory, whose files' content is wherever it came
 * from, and whose changes are in a {@link BlockStore}. Since no name of it is a name on the host,
 * no name or link can lead out of it, and every owner, mode and device is possible.
 *
 * <p>It is filled by one thread, then served to a guest. What it may hold is limited: files,
 * characters of names, bytes of attributes, chunks of written blocks; beyond is ENOSPC.
 *
 * <p>One lock for names and attributes, in package {@code rootfs} taken as {@code synchronized
 * (tree)}; files' data have their own ({@link FileData}), inside of which the tree's is not taken.
 */
public final class CowTree implements FileTree {
  /** What a tree may hold. */
  public record Limits(int files, long textBytes, int chunks) {
    /** A million files, 256 MiB of names and the like, 16 GiB or more of written blocks. */
    public static final Limits DEFAULT = new Limits(1 << 20, 256 << 20, 1 << 20);
  }

  private static final int MAX_LINKS = 65000;

  private final Limits limits;
  private final BlockStore store;
  private final FileData.Chunks chunks;
  private final Inode root;
  private final Runnable onClose;
  private int files;
  private long textBytes;
  private long lastNumber;
  private boolean closed;

  /** Whether times are those of changes; while the tree is filled they are what is filled in. */
  private boolean served;

  /**
   * An empty tree: a root directory that belongs to root.
   *
   * @param scratch a directory of the host's with room for what the guest will write
   * @param onClose lets go of what the files' content comes from
   */
  public CowTree(Path scratch, Limits limits, Runnable onClose) throws IOException {
    this.limits = limits;
    this.onClose = onClose;
    store = new BlockStore(scratch);
    chunks = new FileData.Chunks(limits.chunks);
    root = newInode(FileMode.DIRECTORY | 0755, null);
    root.parent = root;
    root.links = 2;
  }

  Inode rootInode() {
    return root;
  }

  @Override
  public Node root() {
    synchronized (this) {
      served = true;
    }
    return new CowNode(this, root, root);
  }

  @Override
  public boolean isInMemory() {
    return true;
  }

  @Override
  public boolean isReadOnly() {
    return false;
  }

  /** With the lock held: a file that has no name yet. */
  Inode newInode(int mode, @Nullable FileData data) {
    if (files >= limits.files) {
      throw FileError.of(LinuxErrno.ENOSPC);
    }
    files++;
    return new Inode(++lastNumber, mode, Time.now(), data);
  }

  /** Data for a regular file. */
  FileData data(Content content, long sizeBytes) {
    return new FileData(store, chunks, content, sizeBytes);
  }

  /** With the lock held: counts text that a tree must keep; a negative number gives some back. */
  void countText(long bytes) {
    if (bytes > 0 && textBytes + bytes > limits.textBytes) {
      throw FileError.of(LinuxErrno.ENOSPC);
    }
    textBytes += bytes;
  }

  static Map<String, Entry> entries(Inode directory) {
    Map<String, Entry> entries = directory.entries;
    if (entries == null) {
      throw FileError.of(LinuxErrno.ENOTDIR);
    }
    return entries;
  }

  /** With the lock held: what a directory has by a name, or null. */
  static @Nullable Inode find(Inode directory, String name) {
    Entry entry = entries(directory).get(name);
    return entry == null ? null : entry.inode();
  }

  /** With the lock held: gives a file a name that is free. */
  void enter(Inode directory, String name, Inode inode) {
    Map<String, Entry> entries = entries(directory);
    if (entries.containsKey(name)) {
      throw FileError.of(LinuxErrno.EEXIST);
    }
    if (directory.links == 0) {
      throw FileError.of(LinuxErrno.ENOENT); // it was removed
    }
    if (inode.links >= MAX_LINKS) {
      throw FileError.of(LinuxErrno.EMLINK);
    }
    countText(name.length());
    entries.put(name, new Entry(inode, directory.nextCookie()));
    if (inode.isDirectory()) {
      inode.links = 2;
      inode.parent = directory;
      directory.links++;
    } else {
      inode.links++;
    }
    touch(directory, inode);
  }

  private void touch(Inode directory, Inode inode) {
    if (served) {
      Time now = Time.now();
      directory.touch(now);
      inode.changed = now;
    }
  }

  /** With the lock held: takes a name away. The caller {@linkplain #reap reaps} the file. */
  Inode leave(Inode directory, String name) {
    Entry entry = entries(directory).remove(name);
    if (entry == null) {
      throw FileError.of(LinuxErrno.ENOENT);
    }
    countText(-name.length());
    Inode inode = entry.inode();
    if (inode.isDirectory()) {
      inode.links = 0;
      directory.links--;
    } else {
      inode.links--;
    }
    touch(directory, inode);
    return inode;
  }

  /** Without the lock: forgets a file that has neither names nor nodes any more. */
  void reap(Inode inode) {
    FileData data;
    synchronized (this) {
      if (inode.links > 0 || inode.references > 0 || inode.gone) {
        return;
      }
      inode.gone = true;
      files--;
      countText(-inode.target.length());
      inode.target = "";
      Map<String, byte[]> attributes = inode.attributes;
      if (attributes != null) {
        attributes.forEach((name, value) -> countText(-name.length() - value.length));
        inode.attributes = null;
      }
      data = inode.data;
    }
    if (data != null) {
      data.discard();
    }
  }

  /** Everything below a directory, and the directory's entries, are gone. For filling only. */
  void clear(Inode directory) {
    Map<String, Entry> entries = entries(directory);
    for (String name : entries.keySet().toArray(String[]::new)) {
      Inode inode = leave(directory, name);
      if (inode.isDirectory()) {
        clear(inode);
      }
      reap(inode);
    }
  }

  /** With the lock held: an extended attribute, counted. */
  void setAttribute(Inode inode, String name, byte[] value) {
    Map<String, byte[]> attributes = inode.attributes;
    if (attributes == null) {
      attributes = new HashMap<>(4);
      inode.attributes = attributes;
    }
    byte[] old = attributes.get(name);
    countText(value.length - (old == null ? -name.length() : old.length));
    attributes.put(name, value);
  }

  /** With the lock held. */
  Attributes attributes(Inode inode) {
    FileData data = inode.data;
    long size = data != null ? data.sizeBytes() : inode.isSymlink() ? inode.target.length() : 4096;
    return new Attributes(
        inode.number,
        inode.mode,
        inode.uid,
        inode.gid,
        inode.links,
        inode.device,
        FileMode.isDevice(inode.mode) ? 0 : size,
        BlockStore.BLOCK_BYTES,
        (size + 511) / 512,
        inode.accessed,
        inode.modified,
        inode.changed);
  }

  /** What is left of the limits. */
  synchronized FileSystemStatus status() {
    long blocks = (long) limits.chunks * 64;
    long free = Math.max(0, blocks - store.count());
    return new FileSystemStatus(
        BlockStore.BLOCK_BYTES, blocks, free, free, limits.files, limits.files - files);
  }

  /** How many files there are. */
  public synchronized int fileCount() {
    return files;
  }

  /** How many blocks the guest's changes take. */
  public int storedBlocks() {
    return store.count();
  }

  @Override
  public void close() {
    synchronized (this) {
      if (closed) {
        return;
      }
      closed = true;
    }
    try {
      store.close();
    } catch (IOException e) {
      // It has no name, and goes with its descriptor.
    }
    onClose.run();
  }
}
