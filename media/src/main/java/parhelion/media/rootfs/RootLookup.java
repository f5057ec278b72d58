package parhelion.media.rootfs;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/**
 * Looks into a root file system from outside: links are followed as its own programs would see
 * them. Before it is served to a guest.
 */
public final class RootLookup {
  private static final int MAX_LINKS = 40;
  private static final int MAX_NAMES = 4096;

  private final CowTree tree;

  /** Looks into a tree. */
  public RootLookup(CowTree tree) {
    this.tree = tree;
  }

  private @Nullable Inode find(String path) {
    Deque<String> names = new ArrayDeque<>();
    push(path, names);
    Inode at = tree.rootInode();
    int links = 0;
    while (!names.isEmpty()) {
      String name = names.removeFirst();
      if (!at.isDirectory()) {
        return null;
      }
      if (name.equals("..")) {
        at = at.parent == null ? at : at.parent;
        continue;
      }
      Inode next = CowTree.find(at, name);
      if (next == null) {
        return null;
      }
      if (next.isSymlink()) {
        if (++links > MAX_LINKS || names.size() > MAX_NAMES) {
          return null;
        }
        at = next.target.startsWith("/") ? tree.rootInode() : at;
        push(next.target, names);
      } else {
        at = next;
      }
    }
    return at;
  }

  private static void push(String path, Deque<String> names) {
    String[] parts = path.split("/", -1);
    for (int i = parts.length - 1; i >= 0; i--) {
      if (!parts[i].isEmpty() && !parts[i].equals(".")) {
        names.addFirst(parts[i]);
      }
    }
  }

  /** Whether there is a program by an absolute path. */
  public boolean isProgram(String path) {
    synchronized (tree) {
      Inode found = find(path);
      return found != null && found.data != null && (found.mode & 0111) != 0;
    }
  }

  /** A file's text, a byte a character; empty if there is none, or one that is too long. */
  public String text(String path, int mostBytes) throws IOException {
    Inode found;
    synchronized (tree) {
      found = find(path);
    }
    FileData data = found == null ? null : found.data;
    if (data == null || data.sizeBytes() > mostBytes) {
      return "";
    }
    ByteBuffer bytes = ByteBuffer.allocate((int) data.sizeBytes());
    try (Content.Reader reader = data.content().open()) {
      int unused = data.read(0, bytes, reader);
    }
    return new String(bytes.array(), StandardCharsets.ISO_8859_1);
  }
}
