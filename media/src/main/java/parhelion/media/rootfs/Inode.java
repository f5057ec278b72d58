package parhelion.media.rootfs;

import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import parhelion.media.share.Attributes.Time;
import parhelion.media.share.FileMode;

/**
 * A file of a {@link CowTree}. Everything is guarded by the tree's lock, but for {@link #data},
 * which guards itself.
 */
final class Inode {
  /** A name of a directory, and where a listing goes on behind it. */
  record Entry(Inode inode, long cookie) {}

  final long number;

  /** Which of an image's layers it is of; files that a guest makes are of none. */
  int layer;

  int mode;
  int uid;
  int gid;
  long device;
  int links;
  Time accessed;
  Time modified;
  Time changed;

  /** The target of a symbolic link. */
  String target = "";

  @Nullable Map<String, byte[]> attributes;

  /** In the order in which they came, which is that of their cookies. */
  final @Nullable Map<String, Entry> entries;

  /** Of a directory: the one it is in; the root is in itself. */
  @Nullable Inode parent;

  final @Nullable FileData data;

  /** It is counted no more. */
  boolean gone;

  /** How many nodes stand for it. */
  int references;

  private long lastCookie = 2;

  Inode(long number, int mode, Time now, @Nullable FileData data) {
    this.number = number;
    this.mode = mode;
    this.data = data;
    accessed = now;
    modified = now;
    changed = now;
    entries = FileMode.isDirectory(mode) ? new LinkedHashMap<>() : null;
  }

  boolean isDirectory() {
    return entries != null;
  }

  boolean isSymlink() {
    return FileMode.isSymlink(mode);
  }

  long nextCookie() {
    return ++lastCookie;
  }

  void touch(Time now) {
    modified = now;
    changed = now;
  }
}
