package parhelion.media.net.nat.tftp;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import parhelion.media.share.Attributes;
import parhelion.media.share.FileError;
import parhelion.media.share.FileMode;
import parhelion.media.share.HostTree;
import parhelion.media.share.LinuxErrno;
import parhelion.media.share.Node;
import parhelion.media.share.OpenFile;
import parhelion.media.share.OpenFlags;
import parhelion.media.share.Ownership;

/**
 * Finds files for TFTP below a directory of the host, and nowhere else. Names go through the same
 * {@link HostTree} as a shared directory's, component by component; links are followed here, never
 * by the host's kernel, so they lead out of the directory as little as "..": both end at its top.
 */
final class TftpFiles {
  private static final int MAX_LINKS = 16;
  private static final int MAX_COMPONENTS = 128;

  private final Path directory;

  TftpFiles(Path directory) {
    this.directory = directory;
  }

  /**
   * A file that is open.
   *
   * @param bytes its length at this moment
   */
  record Found(OpenFile file, long bytes) {}

  /**
   * Opens a regular file for reading.
   *
   * @param name a byte a character, with or without a slash before it
   * @throws FileError if there is none
   * @throws IOException if the directory itself cannot be read
   */
  Found open(String name) throws IOException {
    try (HostTree tree = HostTree.open(directory, Ownership.PASSTHROUGH, true);
        Node node = find(tree, name)) {
      Attributes attributes = node.attributes();
      if (!FileMode.isRegular(attributes.mode())) {
        throw FileError.of(LinuxErrno.ENOENT);
      }
      return new Found(node.open(OpenFlags.READ_ONLY), attributes.sizeBytes());
    }
  }

  /** Whether a node is a symbolic link; lets go of it if that cannot be found out. */
  private static boolean isLink(Node node) {
    try {
      return FileMode.isSymlink(node.attributes().mode());
    } catch (FileError e) {
      node.close();
      throw e;
    }
  }

  private static Node find(HostTree tree, String name) {
    Deque<String> left = new ArrayDeque<>(Arrays.asList(name.split("/", MAX_COMPONENTS)));
    int links = 0;
    Node at = tree.root();
    boolean found = false;
    try {
      while (!left.isEmpty()) {
        String component = left.pop();
        if (component.isEmpty() || component.equals(".")) {
          continue;
        }
        if (component.indexOf('/') >= 0 || component.indexOf('\0') >= 0) {
          throw FileError.of(LinuxErrno.ENOENT);
        }
        Node next = component.equals("..") ? at.parent() : at.walk(component);
        if (isLink(next)) {
          String target;
          try (next) {
            target = next.readLink();
          }
          if (links++ == MAX_LINKS || target.startsWith("/")) {
            throw FileError.of(LinuxErrno.ENOENT);
          }
          String[] components = target.split("/", MAX_COMPONENTS);
          for (int i = components.length - 1; i >= 0; i--) {
            left.push(components[i]);
          }
          continue; // from the directory that the link is in
        }
        at.close();
        at = next;
      }
      found = true;
      return at;
    } finally {
      if (!found) {
        at.close();
      }
    }
  }
}
