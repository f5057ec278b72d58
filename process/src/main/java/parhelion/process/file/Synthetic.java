package parhelion.process.file;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import parhelion.process.Errno;
import parhelion.process.LinuxError;

/** Nodes that are on no disk: directories, files with computed text, links and devices. */
public final class Synthetic {
  private Synthetic() {}

  /** A directory whose entries are computed when asked for. */
  public static Node directory(long inode, Supplier<Map<String, Node>> entries) {
    return new Node() {
      @Override
      public FileStat stat() {
        return FileStat.synthetic(FileStat.S_IFDIR | 0555, inode, 0, 0);
      }

      @Override
      public @Nullable Node child(String name) {
        return entries.get().get(name);
      }

      @Override
      public List<Entry> list() {
        List<Entry> list = new ArrayList<>();
        entries
            .get()
            .forEach(
                (name, node) -> {
                  FileStat s = node.stat();
                  list.add(new Entry(name, s.inode(), s.directoryType()));
                });
        list.sort((a, b) -> a.name().compareTo(b.name()));
        return list;
      }

      @Override
      public OpenFile open(int flags) {
        if ((flags & (OpenFile.O_ACCMODE | OpenFile.O_CREAT)) != 0) {
          throw new LinuxError(Errno.EISDIR);
        }
        return new DirectoryFile(flags, this);
      }
    };
  }

  /** A read-only file whose text is computed when it is opened; a character is a byte. */
  public static Node text(long inode, Supplier<String> content) {
    return new Node() {
      @Override
      public FileStat stat() {
        return FileStat.synthetic(FileStat.S_IFREG | 0444, inode, 0, 0);
      }

      @Override
      public OpenFile open(int flags) {
        if ((flags & OpenFile.O_ACCMODE) != 0) {
          throw new LinuxError(Errno.EACCES);
        }
        return new BytesFile(flags, stat(), content.get().getBytes(StandardCharsets.ISO_8859_1));
      }
    };
  }

  /** A symbolic link; {@code target} null where it is followed by its text. */
  public static Node link(
      long inode, Supplier<String> text, @Nullable Supplier<@Nullable Node> target) {
    return new Node() {
      @Override
      public FileStat stat() {
        return FileStat.synthetic(FileStat.S_IFLNK | 0777, inode, 0, 0);
      }

      @Override
      public String link() {
        return text.get();
      }

      @Override
      public @Nullable Node linkTarget() {
        return target == null ? null : target.get();
      }

      @Override
      public OpenFile open(int flags) {
        throw new LinuxError(Errno.ELOOP);
      }
    };
  }

  /** What opens a device. */
  public interface Opener {
    OpenFile open(int flags);
  }

  public static Node device(long inode, int major, int minor, Opener opener) {
    return new Node() {
      @Override
      public FileStat stat() {
        return FileStat.synthetic(FileStat.S_IFCHR | 0666, inode, 0, HostNode.device(major, minor));
      }

      @Override
      public OpenFile open(int flags) {
        return opener.open(flags);
      }

      @Override
      public void checkAccess(int mode) {
        if ((mode & 1) != 0) {
          throw new LinuxError(Errno.EACCES);
        }
      }
    };
  }

  /** The node of something that is open already: opening it gives that. */
  public static Node ofOpen(OpenFile file) {
    return new Node() {
      @Override
      public FileStat stat() {
        return file.stat();
      }

      @Override
      public OpenFile open(int flags) {
        return file.retain();
      }

      @Override
      public void checkAccess(int mode) {}
    };
  }
}
