package parhelion.media.rootfs;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import parhelion.media.share.AttributeChange;
import parhelion.media.share.Attributes;
import parhelion.media.share.Attributes.Time;
import parhelion.media.share.Creation;
import parhelion.media.share.FileError;
import parhelion.media.share.FileMode;
import parhelion.media.share.FileSystemStatus;
import parhelion.media.share.LinuxErrno;
import parhelion.media.share.Node;
import parhelion.media.share.OpenFile;
import parhelion.media.share.OpenFlags;

/** A client's reference to a file of a {@link CowTree}. */
final class CowNode implements Node {
  private static final int XATTR_CREATE = 1;
  private static final int XATTR_REPLACE = 2;

  private final CowTree tree;
  private final Inode inode;

  /** The directory by which a file was reached; a directory knows its own. */
  private final Inode reachedBy;

  CowNode(CowTree tree, Inode inode, Inode reachedBy) {
    this.tree = tree;
    this.inode = inode;
    this.reachedBy = reachedBy;
    synchronized (tree) {
      inode.references++;
    }
  }

  @Override
  public void close() {
    synchronized (tree) {
      inode.references--;
    }
    tree.reap(inode);
  }

  @Override
  public Attributes attributes() {
    synchronized (tree) {
      return tree.attributes(inode);
    }
  }

  @Override
  public Node again() {
    return new CowNode(tree, inode, reachedBy);
  }

  @Override
  public Node walk(String name) {
    synchronized (tree) {
      Inode found = CowTree.find(inode, name);
      if (found == null) {
        throw FileError.of(LinuxErrno.ENOENT);
      }
      return new CowNode(tree, found, inode);
    }
  }

  @Override
  public Node parent() {
    synchronized (tree) {
      Inode above = inode.parent;
      return new CowNode(tree, above == null ? reachedBy : above, reachedBy);
    }
  }

  @Override
  public void setAttributes(AttributeChange change) {
    Long size = change.sizeBytes();
    if (size != null) {
      resize(size);
    }
    synchronized (tree) {
      Time now = Time.now();
      Integer mode = change.mode();
      if (mode != null) {
        inode.mode = inode.mode & FileMode.TYPE | mode & FileMode.PERMISSIONS;
      }
      Integer uid = change.uid();
      Integer gid = change.gid();
      inode.uid = uid != null ? uid : inode.uid;
      inode.gid = gid != null ? gid : inode.gid;
      if ((uid != null || gid != null) && mode == null && FileMode.isRegular(inode.mode)) {
        inode.mode &= ~(FileMode.SET_USER | FileMode.SET_GROUP);
      }
      Time accessed = change.accessed();
      Time modified = change.modified();
      inode.accessed = accessed != null ? accessed : inode.accessed;
      inode.modified = modified != null ? modified : size != null ? now : inode.modified;
      inode.changed = now;
    }
  }

  private void resize(long size) {
    FileData data = inode.data;
    if (data == null) {
      throw FileError.of(inode.isDirectory() ? LinuxErrno.EISDIR : LinuxErrno.EINVAL);
    }
    if (size > FileData.MAX_BYTES) {
      throw FileError.of(LinuxErrno.EFBIG);
    }
    try {
      data.resize(size);
    } catch (IOException e) {
      throw CowFile.failure(e);
    }
  }

  @Override
  public OpenFile open(int flags) {
    if (inode.isDirectory()) {
      if (OpenFlags.writes(flags)) {
        throw FileError.of(LinuxErrno.EISDIR);
      }
      return new CowDirectory(tree, inode);
    }
    FileData data = inode.data;
    if (data == null) {
      throw FileError.of(inode.isSymlink() ? LinuxErrno.ELOOP : LinuxErrno.EOPNOTSUPP);
    }
    if ((flags & OpenFlags.DIRECTORY) != 0) {
      throw FileError.of(LinuxErrno.ENOTDIR);
    }
    if ((flags & OpenFlags.TRUNCATE) != 0) {
      resize(0);
      touch();
    }
    try {
      return new CowFile(this, data, flags);
    } catch (IOException e) {
      throw CowFile.failure(e);
    }
  }

  /** The file was written to. */
  void touch() {
    synchronized (tree) {
      inode.touch(Time.now());
      inode.mode &= ~(FileMode.isRegular(inode.mode) ? FileMode.SET_USER : 0);
    }
  }

  @Override
  public Opened create(String name, int flags, Creation what) {
    CowNode made;
    synchronized (tree) {
      Inode found = CowTree.find(inode, name);
      if (found != null) {
        if ((flags & OpenFlags.EXCLUSIVE) != 0) {
          throw FileError.of(LinuxErrno.EEXIST);
        }
        made = new CowNode(tree, found, inode);
      } else {
        made = enter(name, FileMode.REGULAR | what.mode() & FileMode.PERMISSIONS, what, "", 0);
      }
    }
    try {
      return new Opened(made, made.open(flags));
    } catch (FileError e) {
      made.close();
      throw e;
    }
  }

  private CowNode enter(String name, int mode, Creation what, String target, long device) {
    synchronized (tree) {
      if (CowTree.find(inode, name) != null) {
        throw FileError.of(LinuxErrno.EEXIST);
      }
      FileData data = FileMode.isRegular(mode) ? tree.data(Content.EMPTY, 0) : null;
      Inode made = tree.newInode(mode, data);
      CowNode node = new CowNode(tree, made, inode);
      try {
        made.uid = what.uid();
        made.gid = what.gid();
        made.device = device;
        tree.countText(target.length());
        made.target = target;
        tree.enter(inode, name, made);
        return node;
      } catch (FileError e) {
        made.target = "";
        node.close();
        throw e;
      }
    }
  }

  @Override
  public Node makeDirectory(String name, Creation what) {
    return enter(name, FileMode.DIRECTORY | what.mode() & FileMode.PERMISSIONS, what, "", 0);
  }

  @Override
  public Node makeNode(String name, long device, Creation what) {
    return enter(name, what.mode(), what, "", device);
  }

  @Override
  public Node makeSymlink(String name, String target, Creation what) {
    return enter(name, FileMode.SYMLINK | 0777, what, target, 0);
  }

  private CowNode ours(Node node) {
    if (node instanceof CowNode cow && cow.tree == tree) {
      return cow;
    }
    throw FileError.of(LinuxErrno.EXDEV);
  }

  @Override
  public void link(Node target, String name) {
    Inode linked = ours(target).inode;
    synchronized (tree) {
      if (linked.isDirectory()) {
        throw FileError.of(LinuxErrno.EPERM);
      }
      if (linked.links == 0) {
        throw FileError.of(LinuxErrno.ENOENT);
      }
      tree.enter(inode, name, linked);
    }
  }

  @Override
  public void rename(String oldName, Node newDirectory, String newName) {
    Inode to = ours(newDirectory).inode;
    Inode replaced = null;
    synchronized (tree) {
      Inode moved = CowTree.find(inode, oldName);
      if (moved == null) {
        throw FileError.of(LinuxErrno.ENOENT);
      }
      Inode there = CowTree.find(to, newName);
      if (there == moved) {
        return; // two names of one file, as rename(2) has it
      }
      if (moved.isDirectory() && isBelow(to, moved)) {
        throw FileError.of(LinuxErrno.EINVAL);
      }
      if (to.links == 0) {
        throw FileError.of(LinuxErrno.ENOENT);
      }
      tree.countText(newName.length()); // may fail: before anything is changed
      tree.countText(-newName.length());
      if (there != null) {
        mayGo(there, moved.isDirectory());
        replaced = tree.leave(to, newName);
      }
      Inode left = tree.leave(inode, oldName);
      tree.enter(to, newName, left);
    }
    if (replaced != null) {
      tree.reap(replaced);
    }
  }

  private static boolean isBelow(Inode directory, Inode above) {
    Inode at = directory;
    while (true) {
      if (at == above) {
        return true;
      }
      Inode next = at.parent;
      if (next == null || next == at) {
        return false;
      }
      at = next;
    }
  }

  /** Refuses to remove what is not of that kind, or is not empty. */
  private static void mayGo(Inode inode, boolean directory) {
    Map<String, Inode.Entry> entries = inode.entries;
    if (directory && entries == null) {
      throw FileError.of(LinuxErrno.ENOTDIR);
    }
    if (!directory && entries != null) {
      throw FileError.of(LinuxErrno.EISDIR);
    }
    if (entries != null && !entries.isEmpty()) {
      throw FileError.of(LinuxErrno.ENOTEMPTY);
    }
  }

  @Override
  public void unlink(String name, boolean directory) {
    Inode gone;
    synchronized (tree) {
      Inode found = CowTree.find(inode, name);
      if (found == null) {
        throw FileError.of(LinuxErrno.ENOENT);
      }
      mayGo(found, directory);
      gone = tree.leave(inode, name);
    }
    tree.reap(gone);
  }

  /** By which name the directory that the file was reached by has it. */
  private String ownName(Inode directory) {
    for (Map.Entry<String, Inode.Entry> entry : CowTree.entries(directory).entrySet()) {
      if (entry.getValue().inode() == inode) {
        return entry.getKey();
      }
    }
    throw FileError.of(inode == directory ? LinuxErrno.EBUSY : LinuxErrno.ENOENT);
  }

  private Inode directory() {
    Inode above = inode.parent;
    return above == null ? reachedBy : above;
  }

  @Override
  public void renameSelf(Node newDirectory, String newName) {
    synchronized (tree) {
      Inode directory = directory();
      CowNode at = new CowNode(tree, directory, directory);
      try {
        at.rename(ownName(directory), newDirectory, newName);
      } finally {
        at.close();
      }
    }
  }

  @Override
  public void unlinkSelf() {
    synchronized (tree) {
      Inode directory = directory();
      CowNode at = new CowNode(tree, directory, directory);
      try {
        at.unlink(ownName(directory), inode.isDirectory());
      } finally {
        at.close();
      }
    }
  }

  @Override
  public String readLink() {
    synchronized (tree) {
      if (!inode.isSymlink()) {
        throw FileError.of(LinuxErrno.EINVAL);
      }
      return inode.target;
    }
  }

  private static void mayBeSet(String name) {
    // POSIX ACLs would have to be obeyed and inherited; the rest are only kept.
    if (!name.startsWith("user.")
        && !name.startsWith("security.")
        && !name.startsWith("trusted.")) {
      throw FileError.of(LinuxErrno.EOPNOTSUPP);
    }
  }

  private byte @Nullable [] value(String name) {
    Map<String, byte[]> attributes = inode.attributes;
    return attributes == null ? null : attributes.get(name);
  }

  @Override
  public byte[] attribute(String name) {
    mayBeSet(name);
    synchronized (tree) {
      byte[] value = value(name);
      if (value == null) {
        throw FileError.of(LinuxErrno.ENODATA);
      }
      return value.clone();
    }
  }

  @Override
  public byte[] attributeNames() {
    StringBuilder names = new StringBuilder();
    synchronized (tree) {
      Map<String, byte[]> attributes = inode.attributes;
      if (attributes != null) {
        attributes.keySet().forEach(name -> names.append(name).append('\0'));
      }
    }
    return names.toString().getBytes(StandardCharsets.ISO_8859_1);
  }

  @Override
  public void setAttribute(String name, byte[] value, int flags) {
    mayBeSet(name);
    synchronized (tree) {
      boolean there = value(name) != null;
      if (there && (flags & XATTR_CREATE) != 0) {
        throw FileError.of(LinuxErrno.EEXIST);
      }
      if (!there && (flags & XATTR_REPLACE) != 0) {
        throw FileError.of(LinuxErrno.ENODATA);
      }
      tree.setAttribute(inode, name, value.clone());
      inode.changed = Time.now();
    }
  }

  @Override
  public void removeAttribute(String name) {
    mayBeSet(name);
    synchronized (tree) {
      Map<String, byte[]> attributes = inode.attributes;
      byte[] old = attributes == null ? null : attributes.remove(name);
      if (old == null) {
        throw FileError.of(LinuxErrno.ENODATA);
      }
      tree.countText(-name.length() - old.length);
      inode.changed = Time.now();
    }
  }

  @Override
  public FileSystemStatus fileSystem() {
    return tree.status();
  }
}
