package parhelion.toolstack.steward;

import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * A command that runs in a guest. Its streams may be used by a thread each and wait as a pipe's do;
 * {@link #close} ends it. What the steward says of it comes in on the scheduler's thread.
 */
public final class RunningCommand implements AutoCloseable {
  private static final int MAX_FAILURE_CHARS = 1024;

  /**
   * How a command has ended.
   *
   * @param status its exit status, 128 + n when signal n ended it; 126 or 127 when it could not be
   *     started
   * @param failure why it could not be started, or null
   */
  public record Exit(int status, @Nullable String failure) {}

  private final int id;
  private final Outbox outbox;
  private final List<ByteQueue> outputs;
  private final Input input = new Input();
  private final StringBuilder failure = new StringBuilder();
  private final CompletableFuture<Exit> exit = new CompletableFuture<>();

  RunningCommand(int id, Outbox outbox) {
    this.id = id;
    this.outbox = outbox;
    List<ByteQueue> queues = new ArrayList<>();
    for (int channel = Wire.STDOUT; channel <= Wire.STDERR; channel++) {
      int which = channel;
      queues.add(new ByteQueue(bytes -> outbox.put(Wire.frame(Wire.CREDIT, which, id, bytes))));
    }
    outputs = List.copyOf(queues);
  }

  int id() {
    return id;
  }

  /** Sends the request; once. */
  void start(byte[] request) {
    int at = 0;
    // In one frame after the other: the steward puts one request together at a time.
    List<byte[]> frames = new ArrayList<>();
    for (; request.length - at > Wire.MAX_PAYLOAD; at += Wire.MAX_PAYLOAD) {
      frames.add(Wire.frame(Wire.PART, 0, id, request, at, Wire.MAX_PAYLOAD));
    }
    frames.add(Wire.frame(Wire.START, 0, id, request, at, request.length - at));
    int bytes = frames.stream().mapToInt(frame -> frame.length).sum();
    byte[] all = new byte[bytes];
    at = 0;
    for (byte[] frame : frames) {
      System.arraycopy(frame, 0, all, at, frame.length);
      at += frame.length;
    }
    outbox.put(all);
  }

  /** The command's standard input; closing it is the end of input. */
  public OutputStream stdin() {
    return input;
  }

  /** The command's standard output, or all that it prints on its terminal. */
  public InputStream stdout() {
    return outputs.get(0);
  }

  /** The command's standard error; empty with a terminal. */
  public InputStream stderr() {
    return outputs.get(1);
  }

  /**
   * How it ends. Completes exceptionally, with an IOException, when that will never be known: the
   * guest or the steward in it has ended.
   */
  public CompletableFuture<Exit> exit() {
    return exit;
  }

  /** Waits for the end of the command. */
  public Exit await() throws IOException, InterruptedException {
    try {
      return exit.get();
    } catch (java.util.concurrent.ExecutionException e) {
      throw new IOException(Objects.requireNonNull(e.getCause()).getMessage(), e);
    }
  }

  /** Sends a signal, by Linux's number, to the command's process group. */
  public void signal(int number) {
    if (!exit.isDone()) {
      outbox.put(Wire.frame(Wire.SIGNAL, 0, id, number));
    }
  }

  /** Tells the command's terminal its new size. */
  public void resize(CommandSpec.Size size) {
    if (!exit.isDone()) {
      outbox.put(Wire.frame(Wire.SIZE, 0, id, size.word()));
    }
  }

  /** Nobody is interested any more: the command is hung up, and killed if it does not go. */
  @Override
  public void close() {
    if (!exit.isDone()) {
      outbox.put(Wire.frame(Wire.CANCEL, 0, id));
    }
    outputs.forEach(ByteQueue::close);
    input.stop();
  }

  /** A frame of this stream; false when it breaks the protocol. */
  boolean take(byte type, int channel, byte[] payload, int length) {
    return switch (type) {
      case Wire.DATA -> data(channel, payload, length);
      case Wire.END -> {
        if (channel == Wire.STDOUT || channel == Wire.STDERR) {
          outputs.get(channel - Wire.STDOUT).end();
        }
        yield channel < Wire.CHANNELS;
      }
      case Wire.CREDIT -> channel == Wire.STDIN && input.allow(Wire.number(payload, length));
      case Wire.DONE -> {
        done(Wire.number(payload, length));
        yield true;
      }
      default -> false;
    };
  }

  private boolean data(int channel, byte[] payload, int length) {
    if (channel == Wire.FAILURE) {
      if (failure.length() < MAX_FAILURE_CHARS) {
        failure.append(new String(payload, 0, length, StandardCharsets.UTF_8));
      }
      return true;
    }
    return (channel == Wire.STDOUT || channel == Wire.STDERR)
        && outputs.get(channel - Wire.STDOUT).put(payload, length);
  }

  private void done(int waitStatus) {
    outputs.forEach(ByteQueue::end);
    input.stop();
    int colon = failure.indexOf(":");
    String words = failure.length() == 0 ? null : failure.substring(colon + 1);
    exit.complete(new Exit(Wire.exitStatus(waitStatus), words));
  }

  /** The line or the steward is gone. */
  void fail(String why) {
    outputs.forEach(queue -> queue.fail(why));
    input.stop();
    exit.completeExceptionally(new IOException(why));
  }

  private final class Input extends OutputStream {
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private int credit = Wire.WINDOW;
    private boolean ended;
    private boolean stopped;

    @Override
    public void write(int b) throws IOException {
      write(new byte[] {(byte) b}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
      Objects.checkFromIndexSize(offset, length, bytes.length);
      try {
        for (int done = 0; done < length; ) {
          int count = claim(Math.min(length - done, Wire.MAX_PAYLOAD));
          outbox.putData(Wire.frame(Wire.DATA, Wire.STDIN, id, bytes, offset + done, count));
          done += count;
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new InterruptedIOException("interrupted while waiting for the guest");
      }
    }

    private int claim(int wanted) throws IOException, InterruptedException {
      lock.lockInterruptibly();
      try {
        while (credit == 0 && !stopped && !ended) {
          changed.await();
        }
        if (stopped || ended) {
          throw new IOException("the command takes no more input");
        }
        int count = Math.min(wanted, credit);
        credit -= count;
        return count;
      } finally {
        lock.unlock();
      }
    }

    boolean allow(int bytes) {
      lock.lock();
      try {
        if (bytes < 0 || bytes > Wire.WINDOW - credit) {
          return false;
        }
        credit += bytes;
        changed.signalAll();
        return true;
      } finally {
        lock.unlock();
      }
    }

    void stop() {
      lock.lock();
      try {
        stopped = true;
        changed.signalAll();
      } finally {
        lock.unlock();
      }
    }

    @Override
    public void close() {
      lock.lock();
      try {
        if (!ended && !stopped) {
          ended = true;
          changed.signalAll();
          outbox.put(Wire.frame(Wire.END, Wire.STDIN, id));
        }
      } finally {
        lock.unlock();
      }
    }
  }
}
