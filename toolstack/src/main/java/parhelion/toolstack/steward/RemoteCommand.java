package parhelion.toolstack.steward;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import parhelion.toolstack.steward.FrameReader.BrokenException;

/**
 * A command at the other end of a guest's control socket: the client's half of what {@code exec}
 * becomes once it is answered. Two threads carry the frames.
 */
public final class RemoteCommand {
  private static final int STREAM = 1;

  private RemoteCommand() {}

  /** The command of a connection, which is closed when the command has ended. */
  public static RunningCommand over(SocketChannel channel) {
    Outbox outbox = new Outbox();
    RunningCommand command = new RunningCommand(STREAM, outbox);
    Thread.ofVirtual().name("command frames out").start(() -> send(channel, outbox));
    Thread.ofVirtual().name("command frames in").start(() -> receive(channel, outbox, command));
    return command;
  }

  private static void send(SocketChannel channel, Outbox outbox) {
    try {
      for (byte[] batch = outbox.take(); batch != null; batch = outbox.take()) {
        ByteBuffer bytes = ByteBuffer.wrap(batch);
        while (bytes.hasRemaining()) {
          channel.write(bytes);
        }
      }
    } catch (IOException e) {
      // The other thread hears of it, too.
    }
  }

  private static void receive(SocketChannel channel, Outbox outbox, RunningCommand command) {
    ByteBuffer bytes = ByteBuffer.allocate(Wire.HEADER_BYTES + Wire.MAX_PAYLOAD);
    FrameReader reader = new FrameReader();
    String why = "the guest has ended";
    try (channel) {
      while (!command.exit().isDone() && channel.read(bytes) >= 0) {
        reader.accept(
            bytes.array(),
            0,
            bytes.position(),
            (type, which, stream, payload, length) -> {
              if (stream != STREAM || !command.take(type, which, payload, length)) {
                throw new BrokenException("a frame that is not allowed");
              }
            });
        bytes.clear();
      }
    } catch (IOException e) {
      why = "the guest has ended: " + e.getMessage();
    } catch (BrokenException e) {
      why = "the guest's process makes no sense: " + e.getMessage();
    }
    command.fail(why); // of no effect once it is done
    outbox.close();
  }
}
