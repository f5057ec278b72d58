package parhelion.toolstack.control;

import java.io.IOException;
import java.net.SocketException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import parhelion.toolstack.UserError;

/**
 * The sockets of the user's running guests, {@code NAME.sock} each, in a directory that nobody else
 * may enter: its permissions are the access control. A socket on which nobody listens was left by a
 * process that was killed; it goes when somebody comes across it. Any thread.
 */
public final class GuestNames {
  private static final String SUFFIX = ".sock";
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9_.-]{0,62}");

  /** What a Unix socket's path may have, with the NUL. */
  private static final int MAX_PATH_BYTES = 107;

  private final Path directory;

  /**
   * Names in a directory, which is made if it does not exist.
   *
   * @throws UserError if it cannot be, or is not the user's alone
   */
  public GuestNames(Path directory) {
    this.directory = directory;
    try {
      Files.createDirectories(directory.toAbsolutePath().getParent());
      Files.createDirectory(
          directory,
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    } catch (FileAlreadyExistsException e) {
      // Looked at below.
    } catch (IOException | UnsupportedOperationException e) {
      throw new UserError(
          directory + ": cannot be made for the sockets of guests: set XDG_RUNTIME_DIR", e);
    }
    check();
  }

  /**
   * In {@code $XDG_RUNTIME_DIR/parhelion}, or {@code /tmp/parhelion-USER} where that is not set.
   */
  public static GuestNames ofUser() {
    String given = System.getProperty("parhelion.run", "");
    if (!given.isEmpty()) {
      return new GuestNames(Path.of(given));
    }
    String runtime = System.getenv("XDG_RUNTIME_DIR");
    if (runtime != null && runtime.startsWith("/") && Files.isWritable(Path.of(runtime))) {
      return new GuestNames(Path.of(runtime, "parhelion"));
    }
    String user = System.getProperty("user.name", "user").replaceAll("[^A-Za-z0-9_.-]", "_");
    return new GuestNames(Path.of("/tmp/parhelion-" + user));
  }

  /** Somebody else may have made it before us. */
  private void check() {
    try {
      PosixFileAttributes a =
          Files.readAttributes(directory, PosixFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
      Path own = Files.createTempFile(directory, ".owner", "");
      String us;
      try {
        us = Files.getOwner(own).getName();
      } finally {
        Files.delete(own);
      }
      boolean alone = PosixFilePermissions.toString(a.permissions()).equals("rwx------");
      if (!a.isDirectory() || !alone || !a.owner().getName().equals(us)) {
        throw new UserError(
            directory + ": is not a directory of yours alone (0700): remove it, or chmod it");
      }
    } catch (IOException | UnsupportedOperationException e) {
      throw new UserError(directory + ": cannot be used for the sockets of guests: remove it", e);
    }
  }

  /** The socket of a name. */
  public Path socket(String name) {
    if (!NAME.matcher(name).matches()) {
      throw new UserError(
          "'" + name + "' cannot be a guest's name: use letters, digits, '.', '-' and '_'");
    }
    Path path = directory.resolve(name + SUFFIX);
    if (path.toString().getBytes(java.nio.charset.StandardCharsets.UTF_8).length > MAX_PATH_BYTES) {
      throw new UserError(path + ": is too long for a socket: give a shorter name");
    }
    return path;
  }

  /** Opens the socket of a name that no running guest has; {@link #release} gives it back. */
  ServerSocketChannel claim(String name) throws IOException {
    Path path = socket(name);
    return locked(
        () -> {
          if (Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
            SocketChannel other = connectOrRemove(path);
            if (other != null) {
              other.close();
              throw new UserError(
                  "a guest called "
                      + name
                      + " is running: give another --name, or parhelion stop "
                      + name);
            }
          }
          ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
          try {
            server.bind(UnixDomainSocketAddress.of(path));
          } catch (IOException e) {
            server.close();
            throw new UserError(path + ": cannot be opened: " + e.getMessage(), e);
          }
          return server;
        });
  }

  /** Closes a socket that was claimed. */
  void release(String name, ServerSocketChannel server) throws IOException {
    locked(
        () -> {
          server.close();
          Files.deleteIfExists(socket(name));
          return true;
        });
  }

  /** Connects to a running guest. */
  SocketChannel connect(String name) throws IOException {
    Path path = socket(name);
    return locked(() -> Optional.ofNullable(Files.exists(path) ? connectOrRemove(path) : null))
        .orElseThrow(
            () -> new UserError("no guest called " + name + " is running: see parhelion list"));
  }

  /** The names of the running guests, sorted. */
  public List<String> running() throws IOException {
    return locked(
        () -> {
          List<String> names = new ArrayList<>();
          try (DirectoryStream<Path> files = Files.newDirectoryStream(directory, "*" + SUFFIX)) {
            for (Path file : files) {
              SocketChannel channel = connectOrRemove(file);
              if (channel != null) {
                channel.close();
                String name = String.valueOf(file.getFileName());
                names.add(name.substring(0, name.length() - SUFFIX.length()));
              }
            }
          }
          names.sort(null);
          return names;
        });
  }

  private static @Nullable SocketChannel connectOrRemove(Path path) throws IOException {
    SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
    try {
      channel.connect(UnixDomainSocketAddress.of(path));
      return channel;
    } catch (SocketException e) { // nobody listens any more
      channel.close();
      Files.deleteIfExists(path);
      return null;
    }
  }

  private interface Work<T> {
    T run() throws IOException;
  }

  /** Between processes by a lock on a file, within this one by the monitor. */
  private <T> T locked(Work<T> work) throws IOException {
    synchronized (GuestNames.class) {
      try (FileChannel file =
              FileChannel.open(
                  directory.resolve(".lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
          FileLock _ = file.lock()) {
        return work.run();
      }
    }
  }
}
