package parhelion.media.rootfs;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import parhelion.media.share.Attributes;
import parhelion.media.share.FileError;
import parhelion.media.share.FileMode;
import parhelion.media.share.HostTree;
import parhelion.media.share.Node;
import parhelion.media.share.OpenFile;
import parhelion.media.share.Ownership;

/**
 * Puts a directory of the host into a {@link CowTree}: names and attributes once, content when it
 * is read. The directory itself is never changed; whoever changes it meanwhile changes what the
 * guest reads.
 */
final class HostFiller {
  private static final int READ_BYTES = 1 << 18;

  private final CowTree tree;
  private final HostTree host;

  /** Files with several names, by their number on the host. */
  private final Map<Long, Inode> linked = new HashMap<>();

  private HostFiller(CowTree tree, HostTree host) {
    this.tree = tree;
    this.host = host;
  }

  /** A directory that is still to be read. */
  private record Todo(List<String> path, Inode into) {}

  static CowTree fill(Path directory, Path scratch) throws IOException {
    HostTree host = HostTree.open(directory, Ownership.USER_IS_ROOT, true);
    CowTree tree;
    try {
      tree = new CowTree(scratch, CowTree.Limits.DEFAULT, host::close);
    } catch (IOException e) {
      host.close();
      throw e;
    }
    try {
      HostFiller filler = new HostFiller(tree, host);
      Deque<Todo> todo = new ArrayDeque<>();
      todo.add(new Todo(List.of(), tree.rootInode()));
      while (!todo.isEmpty()) {
        filler.read(todo.removeFirst(), todo);
      }
      return tree;
    } catch (FileError e) {
      tree.close();
      throw new RootFsException("it cannot be read whole (" + e.getMessage() + ")");
    }
  }

  private void read(Todo directory, Deque<Todo> todo) {
    Node node = walk(directory.path);
    try {
      describe(directory.into, node.attributes());
      List<String> names = new ArrayList<>();
      OpenFile open = node.open(0);
      try {
        open.list(
            0,
            (inode, mode, cookie, name) -> {
              if (!name.equals(".") && !name.equals("..")) {
                names.add(name);
              }
              return true;
            });
      } finally {
        open.close();
      }
      for (String name : names) {
        Node entry = node.walk(name);
        try {
          add(directory, name, entry, todo);
        } finally {
          entry.close();
        }
      }
    } finally {
      node.close();
    }
  }

  private void add(Todo directory, String name, Node entry, Deque<Todo> todo) {
    Attributes attributes = entry.attributes();
    Inode known = linked.get(attributes.inode());
    if (known != null) {
      tree.enter(directory.into, name, known);
      return;
    }
    List<String> path = new ArrayList<>(directory.path);
    path.add(name);
    FileData data = null;
    if (FileMode.isRegular(attributes.mode())) {
      data = tree.data(() -> open(path), attributes.sizeBytes());
    }
    Inode made = tree.newInode(attributes.mode(), data);
    if (FileMode.isSymlink(attributes.mode())) {
      String target = entry.readLink();
      tree.countText(target.length());
      made.target = target;
    }
    describe(made, attributes);
    tree.enter(directory.into, name, made);
    if (made.isDirectory()) {
      todo.addLast(new Todo(path, made));
    } else if (attributes.links() > 1) {
      linked.put(attributes.inode(), made);
    }
  }

  private static void describe(Inode inode, Attributes from) {
    inode.mode = from.mode();
    inode.uid = from.uid();
    inode.gid = from.gid();
    inode.device = from.device();
    inode.accessed = from.accessed();
    inode.modified = from.modified();
    inode.changed = from.changed();
  }

  private Node walk(List<String> path) {
    Node at = host.root();
    for (String name : path) {
      Node next;
      try {
        next = at.walk(name);
      } finally {
        at.close();
      }
      at = next;
    }
    return at;
  }

  private Content.Reader open(List<String> path) throws IOException {
    OpenFile file;
    try {
      Node node = walk(path);
      try {
        file = node.open(0);
      } finally {
        node.close();
      }
    } catch (FileError e) {
      throw new IOException("the host's file is gone (" + e.getMessage() + ")", e);
    }
    return new Content.Reader() {
      @Override
      public void read(long offset, ByteBuffer into) throws IOException {
        HostFiller.read(file, offset, into);
      }

      @Override
      public void close() {
        file.close();
      }
    };
  }

  private static void read(OpenFile file, long offset, ByteBuffer into) throws IOException {
    try {
      if (into.isDirect()) {
        int unused = file.read(offset, into);
      } else {
        ByteBuffer direct = ByteBuffer.allocateDirect(Math.min(READ_BYTES, into.remaining()));
        int unused = file.read(offset, direct);
        into.put(direct.flip());
      }
    } catch (FileError e) {
      throw new IOException("the host's file cannot be read (" + e.getMessage() + ")", e);
    }
    while (into.hasRemaining()) {
      into.put((byte) 0); // it has become shorter
    }
  }
}
