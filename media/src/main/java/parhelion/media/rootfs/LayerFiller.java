package parhelion.media.rootfs;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import parhelion.media.rootfs.Inode.Entry;
import parhelion.media.rootfs.TarMembers.Member;
import parhelion.media.share.Attributes;
import parhelion.media.share.Attributes.Time;
import parhelion.media.share.FileError;
import parhelion.media.share.FileMode;

/**
 * Puts the members of archives into a {@link CowTree}, layer over layer, by the rules of OCI's
 * image layers: what comes later replaces, {@code .wh.NAME} removes NAME of the layers below,
 * {@code .wh..wh..opq} all that its directory has of them.
 *
 * <p>Ways through symbolic links stay within the tree, as if its root were the only one. A name
 * with ".." is refused: no honest archive has one.
 */
final class LayerFiller {
  private static final String WHITEOUT = ".wh.";
  private static final String OPAQUE = ".wh..wh..opq";
  private static final int MAX_LINKS = 40;
  private static final int MAX_DEPTH = 1024;
  private static final int MAX_NAME = 255;
  private static final int MAX_PATH = 4095;

  private final CowTree tree;
  private int layer;

  LayerFiller(CowTree tree) {
    this.tree = tree;
  }

  /** Adds a layer over those that are there. */
  void add(ByteRange archive) throws IOException {
    layer++;
    TarMembers members = new TarMembers(archive);
    Member member;
    try {
      while ((member = members.next()) != null) {
        put(member);
      }
    } catch (FileError e) {
      throw new RootFsException(
          "it holds more than a root file system may (" + e.getMessage() + ")");
    }
  }

  private void put(Member member) throws RootFsException {
    String path = member.path();
    if (path.length() > MAX_PATH || member.linkTarget().length() > MAX_PATH) {
      throw new RootFsException("it has a name that is too long");
    }
    Deque<String> names = new ArrayDeque<>();
    for (String name : path.split("/", -1)) {
      if (name.equals("..")) {
        throw new RootFsException("it has a name that leads out of it: " + printable(path));
      }
      if (name.length() > MAX_NAME || names.size() > MAX_DEPTH) {
        throw new RootFsException("it has a name that is too long");
      }
      if (!name.isEmpty() && !name.equals(".")) {
        names.addLast(name);
      }
    }
    String last = names.pollLast();
    if (last == null) {
      if (member.type() == '5') {
        describe(tree.rootInode(), member);
      }
      return;
    }
    Inode directory = directory(names, path);
    if (last.equals(OPAQUE)) {
      prune(directory);
    } else if (last.startsWith(WHITEOUT)) {
      Inode below = CowTree.find(directory, last.substring(WHITEOUT.length()));
      if (below != null && below.layer < layer) {
        remove(directory, last.substring(WHITEOUT.length()));
      }
    } else {
      put(directory, last, member);
    }
  }

  private static String printable(String path) {
    return path.replaceAll("[^\\x20-\\x7e]", "?");
  }

  /** The directory of a way; those that are missing are made. */
  private Inode directory(Deque<String> names, String path) throws RootFsException {
    Inode at = tree.rootInode();
    int links = 0;
    while (!names.isEmpty()) {
      String name = names.removeFirst();
      if (name.equals("..")) { // of a link's target
        at = at.parent == null ? at : at.parent;
        continue;
      }
      Inode next = CowTree.find(at, name);
      if (next == null) {
        next = tree.newInode(FileMode.DIRECTORY | 0755, null);
        next.layer = layer;
        tree.enter(at, name, next);
      } else if (next.isSymlink()) {
        if (++links > MAX_LINKS) {
          throw new RootFsException("it has links in a circle: " + printable(path));
        }
        at = follow(at, next, names);
        continue;
      } else if (!next.isDirectory()) {
        throw new RootFsException("it has a file where a directory must be: " + printable(path));
      }
      at = next;
    }
    return at;
  }

  /** Puts a link's target in front of the names that are left; where they are looked up. */
  private Inode follow(Inode at, Inode link, Deque<String> names) throws RootFsException {
    String[] target = link.target.split("/", -1);
    for (int i = target.length - 1; i >= 0; i--) {
      if (!target[i].isEmpty() && !target[i].equals(".")) {
        if (target[i].length() > MAX_NAME || names.size() > MAX_DEPTH) {
          throw new RootFsException("it has a name that is too long");
        }
        names.addFirst(target[i]);
      }
    }
    return link.target.startsWith("/") ? tree.rootInode() : at;
  }

  private void put(Inode directory, String name, Member member) throws RootFsException {
    Inode there = CowTree.find(directory, name);
    if (member.type() == '5') {
      if (there != null && there.isDirectory()) {
        describe(there, member);
        return;
      }
      if (there != null && there.isSymlink() && isDirectoryBehind(directory, there)) {
        return; // "lib" over a link to "usr/lib": the link stays, as with tar -h and Docker
      }
    }
    Inode linked = null;
    if (member.type() == '1') {
      linked = find(member.linkTarget());
      if (linked == null || linked.isDirectory()) {
        throw new RootFsException(
            "it has a hard link to what it does not hold: " + printable(member.path()));
      }
      if (linked == there) {
        return;
      }
    }
    Inode made = linked != null ? linked : make(member);
    if (made == null) {
      return;
    }
    if (there != null) {
      remove(directory, name);
    }
    tree.enter(directory, name, made);
  }

  private boolean isDirectoryBehind(Inode directory, Inode link) throws RootFsException {
    Deque<String> names = new ArrayDeque<>();
    Inode at = follow(directory, link, names);
    for (String name : names) {
      Inode next = name.equals("..") ? at.parent : CowTree.find(at, name);
      if (next == null || !next.isDirectory()) {
        return false;
      }
      at = next;
    }
    return true;
  }

  /** What a hard link is to: a name from the root, whose last part is not followed. */
  private @Nullable Inode find(String path) throws RootFsException {
    Inode at = tree.rootInode();
    Deque<String> names = new ArrayDeque<>();
    for (String name : path.split("/", -1)) {
      if (!name.isEmpty() && !name.equals(".")) {
        names.addLast(name);
      }
    }
    int links = 0;
    while (!names.isEmpty()) {
      String name = names.removeFirst();
      if (!at.isDirectory() || name.equals("..")) {
        return null;
      }
      Inode next = CowTree.find(at, name);
      if (next == null) {
        return null;
      }
      if (next.isSymlink() && !names.isEmpty()) {
        if (++links > MAX_LINKS || next.target.contains("..")) {
          return null;
        }
        at = follow(at, next, names);
      } else {
        at = next;
      }
    }
    return at;
  }

  /** A new file, or null for a member of a kind that is none. */
  private @Nullable Inode make(Member member) {
    int type =
        switch (member.type()) {
          case '0' -> FileMode.REGULAR;
          case '2' -> FileMode.SYMLINK;
          case '3' -> FileMode.CHARACTER;
          case '4' -> FileMode.BLOCK;
          case '5' -> FileMode.DIRECTORY;
          case '6' -> FileMode.FIFO;
          default -> 0;
        };
    if (type == 0) {
      return null;
    }
    FileData data = null;
    if (type == FileMode.REGULAR) {
      long size = member.data().sizeBytes();
      data = tree.data(size == 0 ? Content.EMPTY : member.data().content(), size);
    }
    Inode inode = tree.newInode(type, data);
    if (type == FileMode.SYMLINK) {
      tree.countText(member.linkTarget().length());
      inode.target = member.linkTarget();
    }
    if (type == FileMode.CHARACTER || type == FileMode.BLOCK) {
      inode.device = Attributes.device(member.major(), member.minor());
    }
    describe(inode, member);
    return inode;
  }

  private void describe(Inode inode, Member member) {
    inode.layer = layer;
    int mode = inode.isSymlink() ? 0777 : member.mode();
    inode.mode = inode.mode & FileMode.TYPE | mode;
    inode.uid = member.uid();
    inode.gid = member.gid();
    Time time = new Time(member.seconds(), 0);
    inode.modified = time;
    inode.accessed = time;
    member.attributes().forEach((name, value) -> tree.setAttribute(inode, name, value));
  }

  private void remove(Inode directory, String name) {
    Inode gone = tree.leave(directory, name);
    if (gone.isDirectory()) {
      tree.clear(gone);
    }
    tree.reap(gone);
  }

  /** Takes from a directory what it has of the layers below; what is of this one stays. */
  private void prune(Inode directory) {
    Map<String, Entry> entries = CowTree.entries(directory);
    for (Map.Entry<String, Entry> entry : Map.copyOf(entries).entrySet()) {
      Inode inode = entry.getValue().inode();
      if (inode.layer < layer) {
        remove(directory, entry.getKey());
      } else if (inode.isDirectory()) {
        prune(inode);
      }
    }
  }
}
