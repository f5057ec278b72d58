package parhelion.toolstack.control;

import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Semaphore;
import parhelion.toolstack.steward.CommandSpec;
import parhelion.toolstack.steward.FrameReader;
import parhelion.toolstack.steward.FrameReader.BrokenException;
import parhelion.toolstack.steward.RunningCommand;
import parhelion.toolstack.steward.RunningCommand.Exit;
import parhelion.toolstack.steward.Steward;
import parhelion.toolstack.steward.Wire;

/**
 * A command between a client of the control socket and the guest: frames in both directions, all of
 * stream 1. The client's input is bounded by the window that it is told, so that its signals and
 * its end are heard while the command reads nothing. When the client goes, the command is
 * cancelled.
 */
final class CommandRelay {
  private static final int STREAM = 1;
  private static final byte[] END_OF_INPUT = new byte[0];

  /** Frames of input: a window of them, however small, is refused beyond. */
  private static final int MAX_QUEUED = Wire.WINDOW;

  private final SocketChannel channel;
  private final RunningCommand command;
  private final BlockingQueue<byte[]> input = new ArrayBlockingQueue<>(1024);
  private final Semaphore[] credit = {
    new Semaphore(0), new Semaphore(Wire.WINDOW), new Semaphore(Wire.WINDOW)
  };
  private int queued;
  private boolean ended;

  private CommandRelay(SocketChannel channel, RunningCommand command) {
    this.channel = channel;
    this.command = command;
  }

  /** Starts a command, answers that, and carries its frames until it or the client ends. */
  static void run(Steward steward, Action.Exec exec, SocketChannel channel) throws IOException {
    CommandSpec.What what = exec.what() == null ? CommandSpec.What.RUN : exec.what();
    try (RunningCommand command = steward.start(exec.spec(), what)) {
      Lines.write(channel, Lines.object().put("ok", true));
      CommandRelay relay = new CommandRelay(channel, command);
      Thread listening = Thread.ofVirtual().name("command client").start(relay::listen);
      Thread feeding = Thread.ofVirtual().name("command input").start(relay::feed);
      Thread complaining =
          Thread.ofVirtual()
              .name("command errors")
              .start(() -> relay.tell(Wire.STDERR, command.stderr()));
      relay.tell(Wire.STDOUT, command.stdout());
      try {
        complaining.join();
        relay.end();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      } finally {
        feeding.interrupt();
        listening.interrupt(); // closes the channel, which is at its end
      }
    }
  }

  private synchronized void send(byte[] frame) throws IOException {
    ByteBuffer bytes = ByteBuffer.wrap(frame);
    while (bytes.hasRemaining()) {
      channel.write(bytes);
    }
  }

  /** Carries one of the command's outputs; a client that is gone cancels it. */
  private void tell(int which, InputStream from) {
    byte[] chunk = new byte[Wire.MAX_PAYLOAD];
    try {
      for (int n = from.read(chunk); n >= 0; n = from.read(chunk)) {
        credit[which].acquire(n);
        send(Wire.frame(Wire.DATA, which, STREAM, chunk, 0, n));
      }
      send(Wire.frame(Wire.END, which, STREAM));
    } catch (IOException e) {
      command.close();
    } catch (InterruptedException e) {
      command.close();
      Thread.currentThread().interrupt();
    }
  }

  private void end() throws IOException, InterruptedException {
    String failure;
    int status = 0;
    try {
      Exit exit = command.await();
      failure = exit.failure();
      status = exit.status();
    } catch (IOException e) {
      failure = String.valueOf(e.getMessage());
      status = 126;
    }
    if (failure != null) {
      byte[] words = (status + ":" + failure).getBytes(StandardCharsets.UTF_8);
      int length = Math.min(words.length, Wire.MAX_PAYLOAD);
      send(Wire.frame(Wire.DATA, Wire.FAILURE, STREAM, words, 0, length));
    }
    send(Wire.frame(Wire.DONE, 0, STREAM, status << 8));
  }

  /** What the client says; at its end nobody waits for the command any more. */
  private void listen() {
    ByteBuffer bytes = ByteBuffer.allocate(Wire.HEADER_BYTES + Wire.MAX_PAYLOAD);
    FrameReader reader = new FrameReader();
    try {
      while (channel.read(bytes) >= 0) {
        reader.accept(bytes.array(), 0, bytes.position(), this::take);
        bytes.clear();
      }
    } catch (IOException | BrokenException e) {
      // The same as its end.
    }
    command.close();
    for (Semaphore each : credit) { // so that nobody waits for the client any more
      each.release(Wire.WINDOW);
    }
  }

  private void take(byte type, int which, int stream, byte[] payload, int length)
      throws BrokenException {
    int number = Wire.number(payload, length);
    switch (type) {
      case Wire.DATA -> put(Arrays.copyOf(payload, length));
      case Wire.END -> put(END_OF_INPUT);
      case Wire.CREDIT -> {
        boolean known = which < credit.length;
        if (!known || number < 0 || number > Wire.WINDOW - credit[which].availablePermits()) {
          throw new BrokenException("credit of " + number);
        }
        credit[which].release(number);
      }
      case Wire.CANCEL -> command.close();
      case Wire.SIGNAL -> command.signal(number);
      case Wire.SIZE ->
          command.resize(new CommandSpec.Size(number & 0xffff, number >>> 16 & 0xffff));
      default -> throw new BrokenException("a frame that a client may not send");
    }
  }

  private void put(byte[] bytes) throws BrokenException {
    synchronized (input) {
      boolean last = bytes.length == 0;
      if (ended || queued + bytes.length > MAX_QUEUED || !input.offer(bytes)) {
        throw new BrokenException("more input than there was room for");
      }
      ended = last;
      queued += bytes.length;
    }
  }

  private void feed() {
    try (var stdin = command.stdin()) {
      for (byte[] bytes = input.take(); bytes.length > 0; bytes = input.take()) {
        try {
          stdin.write(bytes);
        } catch (InterruptedIOException e) {
          return;
        } catch (IOException e) {
          // It takes no more; what still comes is dropped.
        }
        synchronized (input) {
          queued -= bytes.length;
        }
        send(Wire.frame(Wire.CREDIT, Wire.STDIN, STREAM, bytes.length));
      }
    } catch (IOException e) {
      command.close();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
