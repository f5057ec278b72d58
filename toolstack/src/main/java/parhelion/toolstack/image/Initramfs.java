package parhelion.toolstack.image;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.zip.GZIPOutputStream;
import org.jspecify.annotations.Nullable;

/**
 * Builds an initramfs: a cpio archive in "newc" format (Linux's
 * Documentation/driver-api/early-userspace/buffer-format.rst). The same parts give the same bytes:
 * times are 0, owners are root, inodes are counted. Device nodes are only written down, so nobody
 * needs to be root. Missing parent directories are added.
 */
public final class Initramfs {
  static final int S_IFMT = 0170000;
  static final int S_IFDIR = 0040000;
  static final int S_IFREG = 0100000;
  static final int S_IFLNK = 0120000;
  static final int S_IFCHR = 0020000;
  static final int S_IFBLK = 0060000;
  static final int S_IFIFO = 0010000;
  private static final int MAX_BYTES = 1 << 30;

  /** Of a path with the NUL behind it: the kernel does not read more. */
  static final int MAX_PATH_BYTES = 4096;

  private final ByteArrayOutputStream out = new ByteArrayOutputStream(1 << 16);
  private final Set<String> directories = new HashSet<>();
  private int inode;

  /** An empty archive. */
  public Initramfs() {
    directories.add("");
  }

  /** Adds a directory; {@code mode} is the permission bits, such as 0755. */
  public Initramfs directory(String path, int mode) {
    parents(path);
    if (directories.add(path)) {
      entry(path, S_IFDIR | mode & 07777, 0, 0, new byte[0]);
    }
    return this;
  }

  /** Adds a regular file. */
  public Initramfs file(String path, int mode, byte[] content) {
    parents(path);
    entry(path, S_IFREG | mode & 07777, 0, 0, content);
    return this;
  }

  /** Adds a symbolic link. */
  public Initramfs symlink(String path, String target) {
    parents(path);
    entry(path, S_IFLNK | 0777, 0, 0, target.getBytes(StandardCharsets.UTF_8));
    return this;
  }

  /** Adds a character device. */
  public Initramfs characterDevice(String path, int mode, int major, int minor) {
    parents(path);
    entry(path, S_IFCHR | mode & 07777, major, minor, new byte[0]);
    return this;
  }

  /**
   * Adds a host directory's content, in the order of names, owned by root. Sockets are left out.
   *
   * @throws ImageException if it cannot be read or is too large
   */
  public Initramfs tree(Path root) {
    try {
      addTree(root, "");
    } catch (NotDirectoryException e) {
      throw ImageException.of(root.toString(), "is not a directory", "give a directory", e);
    } catch (IOException e) {
      throw ImageException.unreadable(root.toString(), "check its files", e);
    }
    return this;
  }

  /**
   * The initrd that a user names: a file as it is, a directory as an archive, to which the device
   * nodes are added that an ordinary user's directory cannot have.
   *
   * @param limitBytes the most that it may have
   * @throws ImageException if it is missing, unreadable, empty or too large
   */
  public static byte[] load(Path fileOrDirectory, long limitBytes) {
    String name = fileOrDirectory.toString();
    byte @Nullable [] bytes;
    try {
      if (Files.isDirectory(fileOrDirectory)) {
        bytes = withConsole(new Initramfs().tree(fileOrDirectory), fileOrDirectory).toBytes();
      } else {
        long size = Files.size(fileOrDirectory);
        bytes = size > Math.min(limitBytes, MAX_BYTES) ? null : Files.readAllBytes(fileOrDirectory);
      }
    } catch (NoSuchFileException e) {
      throw ImageException.of(name, "there is no such file", "check --initrd", e);
    } catch (IOException e) {
      throw ImageException.unreadable(name, "check it", e);
    }
    if (bytes == null || bytes.length > limitBytes) {
      throw ImageException.of(
          name, "is larger than " + limitBytes + " bytes", "give the guest more --memory");
    }
    if (bytes.length == 0) {
      throw ImageException.of(name, "is empty", "check --initrd");
    }
    return bytes;
  }

  private static Initramfs withConsole(Initramfs archive, Path root) {
    if (!Files.exists(root.resolve("dev/console"), LinkOption.NOFOLLOW_LINKS)) {
      archive.characterDevice("dev/console", 0600, 5, 1);
    }
    if (!Files.exists(root.resolve("dev/null"), LinkOption.NOFOLLOW_LINKS)) {
      archive.characterDevice("dev/null", 0666, 1, 3);
    }
    return archive;
  }

  private void addTree(Path directory, String prefix) throws IOException {
    List<Path> children = new ArrayList<>();
    try (DirectoryStream<Path> stream = Files.newDirectoryStream(directory)) {
      stream.forEach(children::add);
    }
    children.sort(null);
    for (Path child : children) {
      String path = prefix + child.getFileName();
      Map<String, Object> unix =
          Files.readAttributes(child, "unix:mode,rdev,size", LinkOption.NOFOLLOW_LINKS);
      int mode = (Integer) unix.getOrDefault("mode", 0);
      switch (mode & S_IFMT) {
        case S_IFDIR -> {
          directory(path, mode);
          addTree(child, path + "/");
        }
        case S_IFREG -> {
          long bytes = (Long) unix.getOrDefault("size", 0L);
          if (bytes > MAX_BYTES - out.size()) {
            throw tooLarge();
          }
          file(path, mode, Files.readAllBytes(child));
        }
        case S_IFLNK -> symlink(path, Files.readSymbolicLink(child).toString());
        case S_IFCHR, S_IFBLK, S_IFIFO -> {
          long device = (Long) unix.getOrDefault("rdev", 0L);
          parents(path);
          entry(path, mode, major(device), minor(device), new byte[0]);
        }
        default -> {}
      }
    }
  }

  /** glibc's split of a 64-bit dev_t. */
  private static int major(long device) {
    return (int) ((device >>> 8 & 0xfff) | (device >>> 32 & ~0xfffL));
  }

  private static int minor(long device) {
    return (int) ((device & 0xff) | (device >>> 12 & ~0xffL));
  }

  private static ImageException tooLarge() {
    return new ImageException("an initramfs may have at most 1 GiB; leave something out");
  }

  private void parents(String path) {
    int bytes = path.getBytes(StandardCharsets.UTF_8).length;
    if (path.isEmpty() || path.startsWith("/") || path.endsWith("/") || bytes >= MAX_PATH_BYTES) {
      throw new ImageException("'" + path + "' cannot be a path in an initramfs; make it relative");
    }
    for (int slash = path.indexOf('/'); slash > 0; slash = path.indexOf('/', slash + 1)) {
      String parent = path.substring(0, slash);
      if (directories.add(parent)) {
        entry(parent, S_IFDIR | 0755, 0, 0, new byte[0]);
      }
    }
  }

  private void entry(String path, int mode, int major, int minor, byte[] content) {
    if ((long) out.size() + content.length + path.length() + 512 > MAX_BYTES) {
      throw tooLarge();
    }
    int links = (mode & S_IFMT) == S_IFDIR ? 2 : 1;
    CpioHeader header = new CpioHeader(inode++, mode, 0, 0, links, 0, content.length, major, minor);
    out.writeBytes(header.named(path.getBytes(StandardCharsets.UTF_8)));
    out.writeBytes(content);
    pad(out);
  }

  private static void pad(ByteArrayOutputStream out) {
    while ((out.size() & 3) != 0) {
      out.write(0);
    }
  }

  /** The archive, not compressed: what boots fastest. */
  public byte[] toBytes() {
    ByteArrayOutputStream whole = new ByteArrayOutputStream(out.size() + 256);
    whole.writeBytes(out.toByteArray());
    whole.writeBytes(CpioHeader.trailer());
    return whole.toByteArray();
  }

  /** The archive, gzipped, for a guest with little memory to spare. */
  public byte[] toGzip() {
    ByteArrayOutputStream packed = new ByteArrayOutputStream(out.size() / 2 + 64);
    try (OutputStream gzip = new GZIPOutputStream(packed)) {
      gzip.write(toBytes());
    } catch (IOException e) {
      throw new IllegalStateException("writing to memory failed", e);
    }
    return packed.toByteArray();
  }
}
