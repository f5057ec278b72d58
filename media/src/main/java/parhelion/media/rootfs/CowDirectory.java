package parhelion.media.rootfs;

import java.nio.ByteBuffer;
import java.util.Map;
import parhelion.media.rootfs.Inode.Entry;
import parhelion.media.share.FileError;
import parhelion.media.share.LinuxErrno;
import parhelion.media.share.OpenFile;

/** A directory of a {@link CowTree} that is open. */
final class CowDirectory implements OpenFile {
  private static final long SELF = 1;
  private static final long PARENT = 2;

  private final CowTree tree;
  private final Inode inode;

  CowDirectory(CowTree tree, Inode inode) {
    this.tree = tree;
    this.inode = inode;
  }

  @Override
  public int read(long offset, ByteBuffer into) {
    throw FileError.of(LinuxErrno.EISDIR);
  }

  @Override
  public int write(long offset, ByteBuffer from) {
    throw FileError.of(LinuxErrno.EBADF);
  }

  @Override
  public void list(long cookie, EntrySink sink) {
    synchronized (tree) {
      Inode above = inode.parent == null ? inode : inode.parent;
      if (cookie < SELF && !sink.entry(inode.number, inode.mode, SELF, ".")
          || cookie < PARENT && !sink.entry(above.number, above.mode, PARENT, "..")) {
        return;
      }
      for (Map.Entry<String, Entry> named : CowTree.entries(inode).entrySet()) {
        Entry entry = named.getValue();
        Inode found = entry.inode();
        if (entry.cookie() > cookie
            && !sink.entry(found.number, found.mode, entry.cookie(), named.getKey())) {
          return;
        }
      }
    }
  }

  @Override
  public void sync(boolean dataOnly) {}

  @Override
  public void close() {}
}
