package parhelion.media.share;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Serves one client's requests on threads of its own, several at a time, since files may keep them
 * waiting. The client's side calls {@link #hasRoom}, {@link #buffer} and {@link #submit} from one
 * thread; answers are given back by whichever thread made them.
 *
 * <p>What is in flight is bounded in number and in bytes: a request that finds no room stays where
 * it is, with the client.
 *
 * <p>Order: requests are begun as they come and end in any order, as 9P allows; a client waits for
 * an answer where it minds. Tversion and Tflush are answered once what came before is done.
 */
public final class NinePServer implements AutoCloseable {
  private static final int MAX_REQUESTS = 64;
  private static final int MAX_BYTES = 8 << 20;
  private static final int WORKERS = 4;
  private static final int IDLE_SECONDS = 10;
  private static final int SMALL_BYTES = 8192;
  private static final int MAX_POOLED = 16;

  private final FileTree tree;
  private final ExecutorService workers;
  private final Object lock = new Object();

  /** By tag; of two with one tag, the later. */
  private final Map<Integer, Request> running = new HashMap<>();

  private final ArrayDeque<ByteBuffer> small = new ArrayDeque<>();
  private final ArrayDeque<ByteBuffer> large = new ArrayDeque<>();
  private final ArrayDeque<Request> afterVersion = new ArrayDeque<>();
  private NinePSession session;
  private int requests;
  private int bytes;
  private boolean versionWaits;
  private boolean closed;

  /** Takes the answers. */
  public interface Answers {
    /**
     * Takes an answer, by any thread. Once it is copied, {@link Answer#done} gives its room back.
     */
    void answer(Answer answer);
  }

  /** An answer, and the room that it takes. */
  public final class Answer {
    private final ByteBuffer message;
    private final int heldBytes;

    private Answer(ByteBuffer message, int heldBytes) {
      this.message = message;
      this.heldBytes = heldBytes;
    }

    /** The message, from its position to its limit. */
    public ByteBuffer message() {
      return message;
    }

    /** The message was taken. */
    public void done() {
      giveBack(message);
      synchronized (lock) {
        requests--;
        bytes -= heldBytes;
      }
    }
  }

  /**
   * A request, and the Tflushes that wait for it.
   *
   * @param type null for one that there is not
   */
  private record Request(
      int tag,
      @Nullable NinePType type,
      ByteBuffer message,
      Answers answers,
      List<Request> afterwards) {}

  /** A server for a tree, which stays open when it is closed. */
  public NinePServer(FileTree tree, String name) {
    this.tree = tree;
    session = new NinePSession(tree);
    ThreadPoolExecutor pool =
        new ThreadPoolExecutor(
            WORKERS,
            WORKERS,
            IDLE_SECONDS,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(),
            Thread.ofPlatform().daemon().name(name + "-", 0).factory());
    pool.allowCoreThreadTimeOut(true);
    workers = pool;
  }

  /** The longest message that the client may send now. */
  public int messageBytes() {
    synchronized (lock) {
      return session.messageBytes();
    }
  }

  /** Whether there is room for a request. */
  public boolean hasRoom() {
    synchronized (lock) {
      return requests < MAX_REQUESTS && bytes < MAX_BYTES && !closed;
    }
  }

  /** An empty buffer for a request of so many bytes. */
  public ByteBuffer buffer(int sizeBytes) {
    boolean isSmall = sizeBytes <= SMALL_BYTES;
    synchronized (lock) {
      ByteBuffer pooled = (isSmall ? small : large).pollFirst();
      if (pooled != null && pooled.capacity() >= sizeBytes) {
        return pooled.clear();
      }
    }
    int capacity = isSmall ? SMALL_BYTES : Math.max(sizeBytes, messageBytes());
    return ByteBuffer.allocateDirect(capacity).order(ByteOrder.LITTLE_ENDIAN);
  }

  private void giveBack(ByteBuffer buffer) {
    synchronized (lock) {
      ArrayDeque<ByteBuffer> pool = buffer.capacity() <= SMALL_BYTES ? small : large;
      if (pool.size() < MAX_POOLED && !closed) {
        pool.addFirst(buffer);
      }
    }
  }

  /**
   * Begins to serve a request.
   *
   * @param message from {@link #buffer}, filled and flipped: a message with its header, as long as
   *     its size field says
   */
  public void submit(ByteBuffer message, Answers answers) {
    int number = message.get(4) & 0xff;
    int tag = message.getShort(5) & 0xffff;
    NinePType type = NinePType.of(number);
    Request request = new Request(tag, type, message, answers, new ArrayList<>(0));
    synchronized (lock) {
      if (closed) {
        return;
      }
      requests++;
      bytes += message.capacity();
      if (versionWaits || type == NinePType.VERSION && !running.isEmpty()) {
        versionWaits = true;
        afterVersion.addLast(request);
      } else {
        begin(request);
      }
    }
  }

  /** With the lock held: has the request run, now or after the one that it is about. */
  private void begin(Request request) {
    if (request.type == NinePType.VERSION) {
      session.close();
      session = new NinePSession(tree);
    }
    if (request.type == NinePType.FLUSH && request.message.limit() >= 9) {
      Request old = running.get(request.message.getShort(7) & 0xffff);
      if (old != null) {
        old.afterwards.add(request);
        return;
      }
    }
    running.put(request.tag, request);
    if (closed) {
      return;
    }
    if (tree.isInMemory() && request.type != null && !request.type.touchesData()) {
      run(request);
    } else {
      workers.execute(() -> run(request));
    }
  }

  private void run(Request request) {
    NinePSession current;
    synchronized (lock) {
      current = session;
    }
    ByteBuffer message = request.message;
    ByteBuffer answer = buffer(current.answerBytes(message));
    int held = answer.capacity();
    synchronized (lock) {
      bytes += held;
    }
    current.serve(message, answer);
    int freed = message.capacity();
    giveBack(message);
    request.answers.answer(new Answer(answer, held));
    synchronized (lock) {
      bytes -= freed;
      running.remove(request.tag, request);
      request.afterwards.forEach(this::begin);
      if (versionWaits && running.isEmpty()) {
        resume();
      }
    }
  }

  /** With the lock held: begins the Tversion that waited, and what came behind it. */
  private void resume() {
    versionWaits = false;
    while (!afterVersion.isEmpty()) {
      Request next = afterVersion.getFirst();
      if (next.type == NinePType.VERSION && !running.isEmpty()) {
        versionWaits = true;
        return;
      }
      afterVersion.removeFirst();
      begin(next);
    }
  }

  /** Ends: what is running is finished, but not answered by anyone who still listens. */
  @Override
  public void close() {
    synchronized (lock) {
      if (closed) {
        return;
      }
      closed = true;
      small.clear();
      large.clear();
    }
    workers.shutdown();
    Thread.ofPlatform().daemon().name("9p-close").start(this::finish);
  }

  private void finish() {
    boolean ended = false;
    while (!ended) {
      try {
        ended = workers.awaitTermination(1, TimeUnit.MINUTES);
      } catch (InterruptedException e) {
        return; // a daemon: the process ends
      }
    }
    session.close();
  }
}
