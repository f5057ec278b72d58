package parhelion.media.net.nat.tcp;

import java.io.IOException;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.SocketChannel;
import org.jspecify.annotations.Nullable;
import parhelion.media.net.nat.loop.EventLoop;

/** A connected, non-blocking socket of the host. */
final class SocketFarSide implements FarSide, EventLoop.Ready {
  private final SocketChannel channel;
  private final SelectionKey key;
  private @Nullable Listener listener;
  private int interest;

  /** There may be bytes to read: the last read has not shown otherwise, or the selector has. */
  private boolean readable = true;

  /** The channel is registered with the loop anew. */
  SocketFarSide(EventLoop loop, SocketChannel channel) throws IOException {
    this.channel = channel;
    channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
    channel.setOption(StandardSocketOptions.SO_KEEPALIVE, true);
    key = loop.register(channel, 0, this);
  }

  @Override
  public void attach(Listener connection) {
    listener = connection;
  }

  @Override
  public void write(ByteBuffer bytes) throws IOException {
    channel.write(bytes);
  }

  @Override
  public int read(ByteBuffer into) throws IOException {
    if (!readable) {
      return 0;
    }
    int read = channel.read(into);
    readable = read < 0 || !into.hasRemaining();
    return read;
  }

  @Override
  public void shutdownOutput() throws IOException {
    channel.shutdownOutput();
  }

  @Override
  public void interest(boolean readable, boolean writable) {
    int wanted = (readable ? SelectionKey.OP_READ : 0) | (writable ? SelectionKey.OP_WRITE : 0);
    if (wanted != interest && key.isValid()) {
      interest = wanted;
      key.interestOps(wanted);
    }
  }

  @Override
  public void ready(int operations) {
    Listener connection = listener;
    if (connection == null) {
      return;
    }
    if ((operations & SelectionKey.OP_WRITE) != 0) {
      connection.farWritable();
    }
    if ((operations & SelectionKey.OP_READ) != 0) {
      readable = true;
      connection.farReadable();
    }
  }

  @Override
  public void close() {
    closeQuietly(channel);
  }

  @Override
  public void reset() {
    reset(channel);
  }

  static void reset(SocketChannel channel) {
    try {
      channel.setOption(StandardSocketOptions.SO_LINGER, 0);
    } catch (IOException alreadyBroken) {
      // Closing is all that is left to do.
    }
    closeQuietly(channel);
  }

  static void closeQuietly(SocketChannel channel) {
    try {
      channel.close();
    } catch (IOException alreadyBroken) {
      // It is closed either way.
    }
  }
}
