package parhelion.toolstack.steward;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import parhelion.backends.console.ConsoleEnd;
import parhelion.backends.console.ConsoleInput;
import parhelion.backends.console.ConsoleSink;
import parhelion.toolstack.UserError;
import parhelion.toolstack.steward.FrameReader.BrokenException;

/**
 * The host's end of the line to a guest's steward: carries the frames of all commands. The guest's
 * frames come in on the scheduler's thread and never wait there; a thread of this class's own
 * sends. All else may be used by any thread.
 *
 * <p>The steward introduces itself with a hello whenever it starts; what ran before is over then. A
 * guest whose frames make no sense is asked to start over, and its commands fail.
 */
public final class Steward implements ConsoleEnd {
  /** The number of its console: the first after the main one, so that Linux calls it hvc1. */
  public static final int CONSOLE = 1;

  private final Outbox outbox = new Outbox();
  private final FrameReader reader = new FrameReader();
  private final Map<Integer, RunningCommand> commands = new ConcurrentHashMap<>();
  private final AtomicInteger ids = new AtomicInteger();
  private final Semaphore places = new Semaphore(Wire.MAX_STREAMS);
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private @Nullable ConsoleInput input;
  private boolean ready;
  private boolean closed;

  /** While set, the guest has to say hello before anything else is listened to. */
  private boolean lost = true;

  private final HelloFinder hellos = new HelloFinder();

  /** A line that nobody has answered on yet. */
  public Steward() {
    Thread.ofPlatform().daemon().name("steward").start(this::send);
  }

  @Override
  public ConsoleSink sink() {
    return (bytes, offset, length) -> {
      hear(bytes, offset, length);
      return length;
    };
  }

  @Override
  public void connected(ConsoleInput ring) {
    lock.lock();
    try {
      input = ring;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void disconnected() {
    lock.lock();
    try {
      input = null;
    } finally {
      lock.unlock();
    }
    lose("the guest has closed the line to its steward");
  }

  @Override
  public String where() {
    return "steward";
  }

  @Override
  public void close() {
    lock.lock();
    try {
      closed = true;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
    lose("the guest has ended");
    outbox.close();
  }

  /** Sends what waits, while there is a guest to send to; else it is of no use to anybody. */
  private void send() {
    try {
      for (byte[] batch = outbox.take(); batch != null; batch = outbox.take()) {
        ConsoleInput ring;
        lock.lock();
        try {
          ring = input;
        } finally {
          lock.unlock();
        }
        if (ring != null) {
          ring.feed(batch, 0, batch.length);
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  // --- what the guest says, on the scheduler's thread ---

  private void hear(byte[] bytes, int offset, int length) {
    int at = offset;
    int end = offset + length;
    while (at < end) {
      if (lost) {
        at = hellos.find(bytes, at, end);
        if (hellos.complete()) {
          lost = false;
          reader.reset();
          welcome(hellos.nonce());
        }
        continue;
      }
      try {
        reader.accept(bytes, at, end - at, this::frame);
      } catch (BrokenException e) {
        outbox.put(Wire.frame(Wire.AGAIN, 0, 0));
        lose("the guest's steward makes no sense: " + e.getMessage());
      }
      return;
    }
  }

  private void frame(byte type, int channel, int stream, byte[] payload, int length)
      throws BrokenException {
    if (type == Wire.HELLO) {
      byte[] magic = Wire.MAGIC.getBytes(StandardCharsets.US_ASCII);
      if (length != magic.length + Wire.NONCE_BYTES || channel != Wire.VERSION) {
        throw new BrokenException("a hello that is none");
      }
      setReady(false);
      fail("the guest's steward has started over");
      welcome(Arrays.copyOfRange(payload, magic.length, length));
      return;
    }
    RunningCommand command = commands.get(stream);
    if (command == null) {
      throw new BrokenException("a frame for stream " + stream + ", which does not exist");
    }
    if (!command.take(type, channel, payload, length)) {
      throw new BrokenException("a frame " + type + " that is not allowed");
    }
    if (type == Wire.DONE) {
      forget(command);
    }
  }

  private void welcome(byte[] nonce) {
    outbox.clear();
    outbox.put(Wire.frame(Wire.WELCOME, 0, 0, nonce, 0, nonce.length));
    setReady(true);
  }

  private void lose(String why) {
    setReady(false);
    lost = true;
    hellos.reset();
    fail(why);
  }

  private void fail(String why) {
    for (RunningCommand command : List.copyOf(commands.values())) {
      command.fail(why);
      forget(command);
    }
  }

  private void forget(RunningCommand command) {
    if (commands.remove(command.id(), command)) {
      places.release();
    }
  }

  private void setReady(boolean value) {
    lock.lock();
    try {
      ready = value;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  // --- commands ---

  /** Waits until the guest's steward has answered; whether it has. */
  public boolean awaitReady(Duration timeout) throws InterruptedException {
    long left = timeout.toNanos();
    lock.lockInterruptibly();
    try {
      while (!ready && !closed && left > 0) {
        left = changed.awaitNanos(left);
      }
      return ready;
    } finally {
      lock.unlock();
    }
  }

  /** Whether the guest's steward has answered. */
  public boolean isReady() {
    lock.lock();
    try {
      return ready;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Starts a command.
   *
   * @throws UserError if the guest cannot run one now
   */
  public RunningCommand start(CommandSpec spec) {
    return start(spec, CommandSpec.What.RUN);
  }

  /** Starts a command, or one end of a copy. */
  public RunningCommand start(CommandSpec spec, CommandSpec.What what) {
    byte[] request = spec.request(what);
    if (!places.tryAcquire()) {
      throw new UserError(
          "the guest runs " + Wire.MAX_STREAMS + " commands already: wait for one to end");
    }
    lock.lock();
    try {
      if (!ready) {
        places.release();
        throw new UserError(
            "the guest's steward does not answer: it runs in the built-in initramfs, or install"
                + " it (docs/control.md)");
      }
      RunningCommand command = new RunningCommand(nextId(), outbox);
      commands.put(command.id(), command);
      command.start(request);
      return command;
    } finally {
      lock.unlock();
    }
  }

  private int nextId() {
    int id = ids.incrementAndGet();
    while (id == 0 || commands.containsKey(id)) {
      id = ids.incrementAndGet();
    }
    return id;
  }
}
