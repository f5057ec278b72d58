package parhelion.media.rootfs;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.WritableByteChannel;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import parhelion.media.share.Attributes;
import parhelion.media.share.FileError;
import parhelion.media.share.FileMode;

/**
 * All files of a root file system, one after the other, for whoever makes an archive of it: a
 * directory before what is in it. Before it is served to a guest.
 */
public final class RootListing {
  private static final int CHUNK_BYTES = 1 << 18;

  private RootListing() {}

  /** Takes one file after the other. */
  public interface Visitor {
    /** The next one. */
    void visit(File file) throws IOException;
  }

  /** A file by one of its names. A file with several names comes once for each. */
  public static final class File {
    private final String path;
    private final Attributes attributes;
    private final String target;
    private final @Nullable FileData data;

    File(String path, Attributes attributes, String target, @Nullable FileData data) {
      this.path = path;
      this.attributes = attributes;
      this.target = target;
      this.data = data;
    }

    /** From the root, without a slash at its beginning, a byte a character; "" is the root. */
    public String path() {
      return path;
    }

    /** What stat says of it. */
    public Attributes attributes() {
      return attributes;
    }

    /** Where a symbolic link leads, a byte a character; else empty. */
    public String target() {
      return target;
    }

    /**
     * Writes a regular file's bytes: as many as its attributes say.
     *
     * @throws IOException with a phrase for the user if it cannot be read whole any more
     */
    public void copyTo(WritableByteChannel out) throws IOException {
      FileData from = data;
      if (from == null) {
        return;
      }
      ByteBuffer chunk =
          ByteBuffer.allocateDirect(Math.clamp(attributes.sizeBytes(), 1, CHUNK_BYTES));
      try (Content.Reader reader = from.content().open()) {
        for (long at = 0; at < attributes.sizeBytes(); at += chunk.limit()) {
          chunk.clear().limit((int) Math.min(chunk.capacity(), attributes.sizeBytes() - at));
          int unused = from.read(at, chunk, reader);
          chunk.flip();
          writeAll(chunk, out);
        }
      } catch (FileError e) {
        throw new RootFsException("/" + path + " cannot be read (" + e.getMessage() + ")");
      }
    }
  }

  private static void writeAll(ByteBuffer bytes, WritableByteChannel out) throws IOException {
    while (bytes.hasRemaining()) {
      int unused = out.write(bytes);
    }
  }

  private record Todo(String path, Inode inode) {}

  /**
   * Shows every file to a visitor.
   *
   * @param mostPathBytes a longer path is refused
   * @throws IOException the visitor's, or a phrase for the user
   */
  public static void visit(CowTree tree, int mostPathBytes, Visitor visitor) throws IOException {
    Deque<Todo> todo = new ArrayDeque<>();
    todo.push(new Todo("", tree.rootInode()));
    while (!todo.isEmpty()) {
      Todo next = todo.pop();
      File file;
      synchronized (tree) {
        Inode inode = next.inode;
        file = new File(next.path, tree.attributes(inode), inode.target, inode.data);
        Map<String, Inode.Entry> entries = inode.entries;
        if (entries != null) {
          for (Map.Entry<String, Inode.Entry> entry : entries.entrySet()) {
            String path = next.path.isEmpty() ? entry.getKey() : next.path + '/' + entry.getKey();
            if (path.length() > mostPathBytes) {
              throw new RootFsException("it has a path of more than " + mostPathBytes + " bytes");
            }
            todo.push(new Todo(path, entry.getValue().inode()));
          }
        }
      }
      if ((file.attributes.mode() & FileMode.TYPE) != FileMode.SOCKET) {
        visitor.visit(file);
      }
    }
  }
}
