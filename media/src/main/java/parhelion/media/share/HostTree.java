package parhelion.media.share;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import parhelion.host.Libc;

/**
 * A directory of the host, served as it is at every moment: what the guest changes is changed on
 * the host, and the other way round.
 *
 * <p>Confinement rests on one rule: a name is only ever looked up as a single component below a
 * descriptor that is held, never following a link (O_NOFOLLOW), and never "..". So whatever links
 * and renames a guest plays, or another process meanwhile, every descriptor was reached from the
 * root by entries of directories. What a node means is its descriptor (O_PATH), not its name.
 *
 * <p>Only regular files and directories are ever opened; FIFOs, sockets and devices are looked at.
 */
public final class HostTree implements FileTree {
  private final HostNode root;
  private final Ownership ownership;
  private final boolean readOnly;

  /** Devices that were met, in that order: inode numbers are told apart by them. */
  private final List<Long> devices = new CopyOnWriteArrayList<>();

  private HostTree(Path directory, Ownership ownership, boolean readOnly) {
    this.ownership = ownership;
    this.readOnly = readOnly;
    String name =
        new String(
            directory.toAbsolutePath().toString().getBytes(StandardCharsets.UTF_8),
            StandardCharsets.ISO_8859_1);
    int fd = Descriptors.open(Libc.AT_FDCWD, name, Libc.O_PATH | Libc.O_DIRECTORY, 0);
    root = new HostNode(this, fd, null, "");
  }

  /** Whether directories can be shared on this host: 64-bit Linux. */
  public static boolean isAvailable() {
    return Libc.isAvailable();
  }

  /**
   * Opens a directory; the path to it may have links.
   *
   * @throws IOException if it cannot be, with a phrase for the user
   */
  public static HostTree open(Path directory, Ownership ownership, boolean readOnly)
      throws IOException {
    if (!isAvailable()) {
      throw new IOException("directories can be shared on 64-bit Linux hosts only");
    }
    if (!Files.exists(directory)) {
      throw new IOException("there is no such directory");
    }
    if (!Files.isDirectory(directory)) {
      throw new IOException("it is not a directory");
    }
    HostTree tree;
    try {
      tree = new HostTree(directory, ownership, readOnly);
    } catch (FileError e) {
      throw new IOException("it cannot be opened (errno " + e.errno() + ")", e);
    }
    try {
      if (!readOnly) {
        ownership.probe(tree.root);
      }
      return tree;
    } catch (FileError e) {
      tree.close();
      throw new IOException(
          "its file system keeps no extended attributes, which 'mapped' needs", e);
    }
  }

  Ownership ownership() {
    return ownership;
  }

  @Override
  public boolean isReadOnly() {
    return readOnly;
  }

  void mustBeWritable() {
    if (readOnly) {
      throw FileError.of(LinuxErrno.EROFS);
    }
  }

  /** Makes inode numbers of several file systems below one directory distinct. */
  long inode(long device, long inode) {
    int index = devices.indexOf(device);
    if (index < 0) {
      synchronized (devices) {
        index = devices.indexOf(device);
        if (index < 0) {
          devices.add(device);
          index = devices.size() - 1;
        }
      }
    }
    return inode ^ (long) index << 48;
  }

  @Override
  public Node root() {
    return root.again();
  }

  @Override
  public void close() {
    root.close();
  }
}
