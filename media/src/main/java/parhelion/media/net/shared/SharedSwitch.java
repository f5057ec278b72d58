package parhelion.media.net.shared;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.concurrent.Semaphore;
import org.jspecify.annotations.Nullable;
import parhelion.media.net.NetworkPort;
import parhelion.media.net.Packet;
import parhelion.media.net.VirtualSwitch.PortOptions;

/**
 * A port of a switch that is known by a name to all processes of a user. Whoever comes first has
 * the switch in its process; when that one ends, another one of those that were connected takes
 * over, and the rest connect to it. Packets that are on their way then are lost.
 *
 * <p>The name stands for a socket in a directory that only the user can enter; beside it a lock
 * file says who serves. Any thread.
 */
public final class SharedSwitch implements NetworkPort {
  private static final String NAME = "[A-Za-z0-9_][A-Za-z0-9_.-]{0,31}";
  private static final int ATTEMPTS = 100;
  private static final long ATTEMPT_MILLIS = 50;

  private final Path socket;
  private final Path lockFile;
  private final PortOptions options;

  /** There is something to connect to again; the thread that rejoins waits for it. */
  private final Semaphore lost = new Semaphore(0);

  private volatile @Nullable Receiver device;

  /**
   * What is behind the port now: a link to the process that serves, or a port of our own switch.
   */
  private volatile @Nullable SwitchLink link;

  private volatile @Nullable SwitchServer server;
  private volatile @Nullable NetworkPort own;
  private volatile boolean closed;

  private SharedSwitch(Path directory, String name, PortOptions options) {
    socket = directory.resolve("switch-" + name + ".sock");
    lockFile = directory.resolve("switch-" + name + ".lock");
    this.options = options;
  }

  /**
   * Plugs into the switch of that name, which is made if there is none.
   *
   * @param directory where sockets are: {@link #directoryOfUser}
   * @throws IOException if that fails; the message names the switch and what is wrong
   */
  public static SharedSwitch join(Path directory, String name, PortOptions options)
      throws IOException {
    if (!name.matches(NAME)) {
      throw new IOException(
          "'" + name + "' is no name of a switch: up to 32 letters, digits, '-', '_' and '.'");
    }
    SharedSwitch port = new SharedSwitch(directory, name, options);
    port.connect();
    Thread.ofVirtual().name("switch " + name).start(port::rejoin);
    return port;
  }

  /**
   * Where a user's processes find each other: {@code $XDG_RUNTIME_DIR/parhelion}, or a directory of
   * the user's own in {@code /tmp}; made if it is missing.
   *
   * @throws IOException if it cannot be made, or others could enter it
   */
  public static Path directoryOfUser() throws IOException {
    String runtime = System.getenv("XDG_RUNTIME_DIR");
    Path directory =
        runtime != null && runtime.startsWith("/")
            ? Path.of(runtime, "parhelion")
            : Path.of("/tmp", "parhelion-" + System.getProperty("user.name"));
    if (!Files.exists(directory, LinkOption.NOFOLLOW_LINKS)) {
      Files.createDirectories(directory.getParent());
      Files.createDirectory(
          directory,
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    }
    boolean ours =
        Files.isDirectory(directory, LinkOption.NOFOLLOW_LINKS)
            && Files.getOwner(directory, LinkOption.NOFOLLOW_LINKS)
                .getName()
                .equals(System.getProperty("user.name"))
            && PosixFilePermissions.toString(
                    Files.getPosixFilePermissions(directory, LinkOption.NOFOLLOW_LINKS))
                .endsWith("------");
    if (!ours) {
      throw new IOException(directory + " is not a directory of yours alone: remove it");
    }
    return directory;
  }

  /** Whether the switch is in this process. */
  public boolean serves() {
    return server != null;
  }

  // --- joining ---

  private void connect() throws IOException {
    IOException last = null;
    for (int i = 0; i < ATTEMPTS && !closed; i++) {
      try {
        if (connectToServer() || becomeServer()) {
          return;
        }
      } catch (IOException e) {
        last = e;
      }
      try {
        Thread.sleep(ATTEMPT_MILLIS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IOException("interrupted", e);
      }
    }
    throw new IOException(
        socket + " cannot be used" + (last == null ? "" : ": " + last.getMessage()), last);
  }

  private boolean connectToServer() throws IOException {
    SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
    boolean joined = false;
    try {
      try {
        channel.connect(UnixDomainSocketAddress.of(socket));
      } catch (IOException nobodyIsThere) {
        return false;
      }
      SwitchHello.write(channel, options);
      SwitchHello.awaitAnswer(channel);
      joined = true;
    } finally {
      if (!joined) {
        channel.close();
      }
    }
    SwitchLink made = new SwitchLink(channel, new FarEnd());
    link = made;
    made.start();
    if (closed) {
      made.close();
    }
    return true;
  }

  /** False if another process has just begun to serve. */
  private boolean becomeServer() throws IOException {
    FileChannel file =
        FileChannel.open(lockFile, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    SwitchServer made = null;
    try {
      FileLock lock = tryLock(file);
      if (lock == null) {
        return false;
      }
      made = SwitchServer.start(socket, lock);
      NetworkPort port = made.plug(options);
      Receiver known = device;
      if (known != null) {
        port.connect(known);
      }
      server = made;
      own = port;
      if (closed) {
        made.close();
      }
      return true;
    } finally {
      if (made == null) {
        file.close();
      }
    }
  }

  private static @Nullable FileLock tryLock(FileChannel file) throws IOException {
    try {
      return file.tryLock();
    } catch (OverlappingFileLockException byThisProcess) {
      return null;
    }
  }

  /** The thread that joins anew whenever the process that served has ended. */
  private void rejoin() {
    try {
      while (!closed) {
        lost.acquire();
        Thread.sleep(ATTEMPT_MILLIS);
        while (!closed && link == null && own == null) {
          try {
            connect();
          } catch (IOException e) {
            // Tried again until the device is unplugged.
          }
        }
        Receiver known = device;
        if (known != null) {
          known.roomToSend();
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** The switch as seen over a connection. */
  private final class FarEnd implements SwitchLink.End {
    @Override
    public boolean arrived(Packet packet) {
      Receiver known = device;
      return known == null || known.receive(packet);
    }

    @Override
    public void roomToOffer() {
      Receiver known = device;
      if (known != null) {
        known.roomToSend();
      }
    }

    @Override
    public void ended() {
      link = null;
      lost.release();
    }
  }

  // --- the port ---

  @Override
  public void connect(Receiver receiver) {
    device = receiver;
    NetworkPort port = own;
    if (port != null) {
      port.connect(receiver);
    }
  }

  @Override
  public boolean send(Packet packet) {
    NetworkPort port = own;
    SwitchLink far = link;
    if (port != null) {
      return port.send(packet);
    }
    return far == null || far.offer(packet);
  }

  @Override
  public void roomToReceive() {
    NetworkPort port = own;
    SwitchLink far = link;
    if (port != null) {
      port.roomToReceive();
    }
    if (far != null) {
      far.room();
    }
  }

  @Override
  public void close() {
    closed = true;
    lost.release();
    SwitchLink far = link;
    if (far != null) {
      far.close();
    }
    SwitchServer served = server;
    if (served != null) {
      served.close();
    }
  }
}
