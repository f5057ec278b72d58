package parhelion.process.file;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import parhelion.process.Errno;
import parhelion.process.LinuxError;

/** An open directory. Its entries are those of when reading began; the offset counts entries. */
public final class DirectoryFile extends OpenFile {
  private final Node node;
  private @Nullable List<Node.Entry> entries;
  private Collection<String> mounted = List.of();
  private long position;

  DirectoryFile(int flags, Node node) {
    super(flags & ~(O_CLOEXEC | O_NOFOLLOW));
    this.node = node;
  }

  /** Names of mounts in this directory, which it may not have itself. */
  public void setMounted(Collection<String> names) {
    mounted = names;
  }

  @Override
  public FileStat stat() {
    return node.stat();
  }

  @Override
  public Node node() {
    return node;
  }

  @Override
  protected void closed() {
    node.close();
  }

  @Override
  public int read(byte[] into, int length) {
    throw new LinuxError(Errno.EISDIR);
  }

  @Override
  public int readAt(byte[] into, int length, long position) {
    throw new LinuxError(Errno.EISDIR);
  }

  @Override
  public void sync(boolean dataOnly) {}

  /** The next entry, or null at the end; {@link #advance} moves on. */
  public Node.@Nullable Entry next() {
    List<Node.Entry> all = entries;
    if (all == null) {
      all = snapshot();
      entries = all;
    }
    return position < all.size() ? all.get((int) position) : null;
  }

  private List<Node.Entry> snapshot() {
    List<Node.Entry> all = new ArrayList<>();
    long inode = node.stat().inode();
    all.add(new Node.Entry(".", inode, 4));
    all.add(new Node.Entry("..", inode, 4));
    Set<String> seen = new HashSet<>();
    for (Node.Entry entry : node.list()) {
      seen.add(entry.name());
      all.add(entry);
    }
    for (String name : mounted) {
      if (seen.add(name)) {
        all.add(new Node.Entry(name, 1, 4));
      }
    }
    return all;
  }

  /** Goes to the next entry; returns its offset. */
  public long advance() {
    return ++position;
  }

  public long position() {
    return position;
  }

  @Override
  public long seek(long offset, int whence) {
    long to =
        switch (whence) {
          case 0 -> offset;
          case 1 -> position + offset;
          default -> throw new LinuxError(Errno.EINVAL);
        };
    if (to < 0) {
      throw new LinuxError(Errno.EINVAL);
    }
    if (to == 0) {
      entries = null;
    }
    position = to;
    return to;
  }
}
