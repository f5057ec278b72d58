package parhelion.media.net.nat.dns;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import parhelion.media.net.nat.loop.EventLoop;
import parhelion.media.net.nat.loop.Timer;
import parhelion.media.net.nat.tcp.FarSide;

/** DNS over a guest's TCP connection (RFC 7766): messages with their length in front. */
final class DnsStream implements FarSide {
  private static final int MAX_QUERY = 4096;
  private static final int MAX_RUNNING = 8;
  private static final int MAX_WAITING_BYTES = 128 << 10;
  private static final long IDLE_NANOS = TimeUnit.SECONDS.toNanos(30);

  private final BiConsumer<byte[], Consumer<byte[]>> queries;
  private final Consumer<DnsStream> whenClosed;
  private final Timer idle;
  private final Deque<ByteBuffer> answers = new ArrayDeque<>();
  private @Nullable Listener listener;
  private ByteBuffer input = ByteBuffer.allocate(2);
  private int running;
  private int waitingBytes;
  private boolean ended;
  private boolean closed;

  DnsStream(
      EventLoop loop,
      BiConsumer<byte[], Consumer<byte[]>> queries,
      Consumer<DnsStream> whenClosed) {
    this.queries = queries;
    this.whenClosed = whenClosed;
    this.idle = loop.timer(this::shutdownOutput);
    idle.setIn(IDLE_NANOS);
  }

  @Override
  public void attach(Listener connection) {
    listener = connection;
  }

  @Override
  public void write(ByteBuffer bytes) throws IOException {
    idle.setIn(IDLE_NANOS);
    while (bytes.hasRemaining() && running < MAX_RUNNING && waitingBytes < MAX_WAITING_BYTES) {
      int length = Math.min(bytes.remaining(), input.remaining());
      input.put(bytes.slice(bytes.position(), length));
      bytes.position(bytes.position() + length);
      if (!input.hasRemaining()) {
        complete();
      }
    }
  }

  private void complete() throws IOException {
    if (input.capacity() == 2) {
      int length = input.getShort(0) & 0xffff;
      if (length == 0 || length > MAX_QUERY) {
        throw new IOException("a query of " + length + " bytes");
      }
      input = ByteBuffer.allocate(2 + length).position(2);
      return;
    }
    byte[] query = new byte[input.capacity() - 2];
    input.position(2).get(query);
    input = ByteBuffer.allocate(2);
    if (!DnsMessage.isQuery(query)) {
      throw new IOException("no query");
    }
    running++;
    queries.accept(query, this::answered);
  }

  private void answered(byte[] answer) {
    running--;
    if (closed) {
      return;
    }
    ByteBuffer framed = ByteBuffer.allocate(2 + answer.length);
    framed.putShort((short) answer.length).put(answer).flip();
    answers.add(framed);
    waitingBytes += framed.remaining();
    tell();
  }

  private void tell() {
    if (listener != null) {
      listener.farReadable();
      listener.farWritable();
    }
  }

  @Override
  public int read(ByteBuffer into) {
    int before = into.position();
    while (!answers.isEmpty() && into.hasRemaining()) {
      ByteBuffer first = answers.getFirst();
      int length = Math.min(first.remaining(), into.remaining());
      into.put(first.slice(first.position(), length));
      first.position(first.position() + length);
      if (!first.hasRemaining()) {
        answers.removeFirst();
      }
    }
    int read = into.position() - before;
    waitingBytes -= read;
    if (read > 0 && listener != null) {
      listener.farWritable();
    }
    return read == 0 && ended && running == 0 ? -1 : read;
  }

  @Override
  public void shutdownOutput() {
    ended = true;
    tell();
  }

  @Override
  public void interest(boolean readable, boolean writable) {
    // The listener is told of everything.
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      idle.cancel();
      answers.clear();
      whenClosed.accept(this);
    }
  }

  @Override
  public void reset() {
    close();
  }
}
