package parhelion.toolstack.control;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import parhelion.toolstack.Screen;
import parhelion.toolstack.UserError;

/**
 * Listens on a guest's socket while it runs: a virtual thread for each connection, which answers
 * one request after the other until the other side goes or runs a command.
 */
public final class ControlServer implements AutoCloseable {
  /** Connections at one time; more wait to be accepted. */
  private static final int MAX_CONNECTIONS = 128;

  /** What fits into an answer's line, in base 64. */
  private static final int MAX_PICTURE_BYTES = 760 << 10;

  private final GuestNames names;
  private final String name;
  private final ControlledGuest guest;
  private final ServerSocketChannel server;
  private final Semaphore places = new Semaphore(MAX_CONNECTIONS);
  private final Set<SocketChannel> connections = ConcurrentHashMap.newKeySet();

  private ControlServer(
      GuestNames names, String name, ControlledGuest guest, ServerSocketChannel server) {
    this.names = names;
    this.name = name;
    this.guest = guest;
    this.server = server;
  }

  /**
   * Starts to listen.
   *
   * @throws UserError if a guest of that name is running
   */
  public static ControlServer open(GuestNames names, String name, ControlledGuest guest)
      throws IOException {
    ControlServer control = new ControlServer(names, name, guest, names.claim(name));
    Thread.ofVirtual().name("control").start(control::listen);
    return control;
  }

  private void listen() {
    try {
      while (true) {
        places.acquireUninterruptibly();
        SocketChannel channel = server.accept();
        connections.add(channel);
        Thread.ofVirtual().name("control connection").start(() -> serve(channel));
      }
    } catch (IOException e) {
      // Closed: the guest has ended.
    }
  }

  private void serve(SocketChannel channel) {
    try (channel) {
      for (String line = Lines.read(channel); line != null; line = Lines.read(channel)) {
        if (!answer(channel, line)) {
          return;
        }
      }
    } catch (ClosedChannelException e) {
      // One of us is ending.
    } catch (IOException e) {
      // The other side has gone, or talks nonsense without an end.
    } finally {
      connections.remove(channel);
      places.release();
    }
  }

  /** Answers a request; false when the connection is used up. */
  private boolean answer(SocketChannel channel, String line) throws IOException {
    String wrong;
    try {
      Action action = Lines.parse(line, Action.class);
      if (action instanceof Action.Exec exec) {
        CommandRelay.run(guest.steward(), exec, channel);
        return false;
      }
      Lines.write(channel, perform(action));
      return true;
    } catch (UserError e) {
      wrong = String.valueOf(e.getMessage());
    } catch (JsonProcessingException | IllegalArgumentException e) {
      wrong = "no such request: " + firstLine(e);
    }
    Lines.write(channel, Lines.object().put("ok", false).put("error", wrong));
    return true;
  }

  private static String firstLine(Exception e) {
    return String.valueOf(e.getMessage()).lines().findFirst().orElse("");
  }

  private ObjectNode perform(Action action) {
    ObjectNode answer = Lines.object().put("ok", true);
    switch (action) {
      case Action.Info info -> answer.set("guest", Lines.JSON.valueToTree(guest.info()));
      case Action.Stop stop -> guest.stop(stop.force());
      case Action.Attach attach -> {
        ControlledGuest.Attached attached = guest.attach(attach.kind(), attach.device());
        answer.put("device", attached.name());
        if (!attached.where().isEmpty()) {
          answer.put("where", attached.where());
        }
      }
      case Action.Detach detach -> guest.detach(detach.device(), detach.force());
      case Action.Resize resize -> guest.resize(resize.device(), resize.bytes());
      case Action.Memory memory -> guest.memory(memory.mib());
      case Action.Keys keys -> guest.type(keys.text());
      case Action.Screen screen -> {
        Screen shot = guest.screen();
        answer.put("text", shot.text()).put("width", shot.width()).put("height", shot.height());
        if (screen.picture()) {
          if (shot.png().length > MAX_PICTURE_BYTES) {
            throw new UserError(
                "a picture of " + shot.png().length + " bytes is too large to be handed on");
          }
          answer.put("png", shot.png());
        }
      }
      case Action.Exec exec -> throw new IllegalArgumentException("exec");
    }
    return answer;
  }

  /** Stops to listen, and ends all connections. */
  @Override
  public void close() {
    try {
      names.release(name, server);
    } catch (IOException e) {
      // The socket stays behind and is removed by whoever finds it.
    }
    for (SocketChannel channel : connections) {
      try {
        channel.close();
      } catch (IOException e) {
        // It is of no use any more.
      }
    }
  }
}
