package parhelion.media.net.nat.dns;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.nio.channels.SelectableChannel;
import java.nio.channels.SelectionKey;
import java.nio.channels.SocketChannel;
import java.security.SecureRandom;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import parhelion.media.net.nat.loop.EventLoop;
import parhelion.media.net.nat.loop.Timer;

/**
 * One query on its way: asks one resolver after the other, each from a socket of its own with a
 * random number, so that nobody can guess what an answer must look like.
 */
final class DnsExchange {
  private static final SecureRandom RANDOM = new SecureRandom();
  private static final int MIN_TRIES = 2;
  private static final int MAX_MESSAGE = 65535;

  private final EventLoop loop;
  private final byte[] query;
  private final DnsMessage.Question question;
  private final boolean stream;
  private final List<InetSocketAddress> resolvers;
  private final long timeoutNanos;
  private final Consumer<byte @Nullable []> whenDone;
  private final Timer timer;
  private final int id = RANDOM.nextInt(1 << 16);
  private int tries;
  private boolean done;
  private @Nullable SelectableChannel channel;
  private ByteBuffer output = ByteBuffer.allocate(0);
  private ByteBuffer input = ByteBuffer.allocate(0);

  /** The consumer gets the answer, with the query's number, or null if there was none. */
  DnsExchange(
      EventLoop loop,
      byte[] query,
      DnsMessage.Question question,
      boolean stream,
      List<InetSocketAddress> resolvers,
      long timeoutNanos,
      Consumer<byte @Nullable []> whenDone) {
    this.loop = loop;
    this.query = query;
    this.question = question;
    this.stream = stream;
    this.resolvers = resolvers;
    this.timeoutNanos = timeoutNanos;
    this.whenDone = whenDone;
    this.timer = loop.timer(this::next);
  }

  /** Asks the next resolver, or gives up. */
  void next() {
    closeChannel();
    while (tries < Math.max(resolvers.size(), MIN_TRIES) && !resolvers.isEmpty()) {
      InetSocketAddress resolver = resolvers.get(tries++ % resolvers.size());
      try {
        if (stream) {
          askByStream(resolver);
        } else {
          askByDatagram(resolver);
        }
        timer.setIn(timeoutNanos);
        return;
      } catch (IOException | RuntimeException failed) {
        closeChannel();
      }
    }
    finish(null);
  }

  private void askByDatagram(InetSocketAddress resolver) throws IOException {
    DatagramChannel socket = DatagramChannel.open();
    channel = socket;
    socket.configureBlocking(false);
    socket.connect(resolver);
    loop.register(socket, SelectionKey.OP_READ, ready -> datagram(socket));
    socket.write(ByteBuffer.wrap(DnsMessage.withId(query, id)));
  }

  private void datagram(DatagramChannel socket) {
    try {
      ByteBuffer received = ByteBuffer.allocate(MAX_MESSAGE);
      if (socket.read(received) <= 0) {
        return;
      }
      byte[] message = new byte[received.flip().remaining()];
      received.get(message);
      take(message);
    } catch (IOException refused) {
      next();
    }
  }

  private void askByStream(InetSocketAddress resolver) throws IOException {
    SocketChannel socket = SocketChannel.open();
    channel = socket;
    socket.configureBlocking(false);
    output = ByteBuffer.allocate(2 + query.length);
    output.putShort((short) query.length).put(DnsMessage.withId(query, id)).flip();
    input = ByteBuffer.allocate(2);
    socket.connect(resolver);
    SelectionKey[] key = new SelectionKey[1];
    key[0] = loop.register(socket, SelectionKey.OP_CONNECT, ready -> stream(socket, key[0]));
    if (!socket.isConnectionPending()) {
      key[0].interestOps(SelectionKey.OP_WRITE);
    }
  }

  private void stream(SocketChannel socket, SelectionKey key) {
    try {
      if (socket.isConnectionPending() && !socket.finishConnect()) {
        return;
      }
      if (output.hasRemaining()) {
        socket.write(output);
        key.interestOps(output.hasRemaining() ? SelectionKey.OP_WRITE : SelectionKey.OP_READ);
        return;
      }
      int read = socket.read(input);
      if (read < 0) {
        next();
        return;
      }
      if (!input.hasRemaining() && input.capacity() == 2) {
        input = ByteBuffer.allocate(2 + (input.getShort(0) & 0xffff)).position(2);
        socket.read(input);
      }
      if (!input.hasRemaining() && input.capacity() > 2) {
        byte[] message = new byte[input.capacity() - 2];
        input.position(2).get(message);
        take(message);
      }
    } catch (IOException failed) {
      next();
    }
  }

  private void take(byte[] message) {
    if (DnsMessage.answers(message, id, question)) {
      finish(DnsMessage.withId(message, DnsMessage.id(query)));
    } else if (stream) {
      next();
    }
  }

  /** Ends the exchange without telling anyone. */
  void cancel() {
    done = true;
    timer.cancel();
    closeChannel();
  }

  private void finish(byte @Nullable [] answer) {
    if (!done) {
      cancel();
      whenDone.accept(answer);
    }
  }

  private void closeChannel() {
    SelectableChannel open = channel;
    channel = null;
    try {
      if (open != null) {
        open.close();
      }
    } catch (IOException alreadyBroken) {
      // It is closed either way.
    }
  }
}
