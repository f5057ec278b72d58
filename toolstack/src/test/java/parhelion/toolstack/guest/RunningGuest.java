package parhelion.toolstack.guest;

import static org.junit.jupiter.api.Assertions.fail;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import parhelion.backends.console.ConsoleSink;
import parhelion.toolstack.CpuChoice;
import parhelion.toolstack.device.ConsoleConfig;
import parhelion.toolstack.device.DeviceConfig;
import parhelion.toolstack.image.ElfImage;
import parhelion.toolstack.image.KernelSymbols;
import parhelion.toolstack.image.StewardProgram;
import parhelion.toolstack.steward.GuestShell;
import parhelion.toolstack.steward.Steward;
import parhelion.xen.RealClock;

/** A guest on a thread of its own, and a console to type at and to read from. */
final class RunningGuest implements AutoCloseable {
  /**
   * How long a guest may print nothing: far more than any step here takes, even on a busy machine.
   * A boot as a whole may take longer on one.
   */
  private static final long PATIENCE_SECONDS = 180;

  private static final int SHOWN_CHARS = 3000;

  private final PvGuest guest;
  private final Steward steward = new Steward();
  private final CompletableFuture<Outcome> outcome = new CompletableFuture<>();
  private final StringBuilder output = new StringBuilder();
  private final Thread thread;
  private int seen;
  private int commands;

  /** Boots a guest without devices. */
  RunningGuest(
      ElfImage kernel,
      @Nullable KernelSymbols symbols,
      @Nullable ByteBuffer initrd,
      String commandLine,
      int memoryMib,
      int vcpus,
      CpuChoice cpu) {
    this(
        new GuestConfig(
            "test", kernel, () -> symbols, initrd, commandLine, memoryMib, vcpus, cpu, List.of()));
  }

  /** Boots a guest. */
  RunningGuest(GuestConfig config) {
    guest = new PvGuest(withSteward(config), new RealClock(), sink());
    thread = Thread.ofPlatform().daemon().name("guest under test").start(this::run);
  }

  /** A guest with an initrd may have the steward in it. */
  private GuestConfig withSteward(GuestConfig c) {
    if (c.initrd() == null) {
      return c;
    }
    List<DeviceConfig> devices = new ArrayList<>(c.devices());
    devices.addFirst(new ConsoleConfig(Steward.CONSOLE, steward));
    return new GuestConfig(
        c.name(),
        c.kernel(),
        c.symbols(),
        c.initrd(),
        c.commandLine() + ' ' + StewardProgram.kernelArgument(Steward.CONSOLE),
        c.memoryMib(),
        c.vcpus(),
        c.cpu(),
        devices);
  }

  private void run() {
    try {
      outcome.complete(guest.run());
    } catch (Throwable e) {
      outcome.completeExceptionally(e);
    }
    synchronized (output) {
      output.notifyAll();
    }
  }

  private ConsoleSink sink() {
    return (bytes, offset, length) -> {
      synchronized (output) {
        output.append(new String(bytes, offset, length, StandardCharsets.ISO_8859_1));
        output.notifyAll();
      }
      return length;
    };
  }

  PvGuest guest() {
    return guest;
  }

  /** Runs commands in a guest whose initramfs has the steward; waits until that answers. */
  GuestShell commands() throws InterruptedException {
    steward();
    return new GuestShell(steward);
  }

  /** The line to the guest's steward, once it answers. */
  Steward steward() throws InterruptedException {
    if (!steward.awaitReady(Duration.ofSeconds(PATIENCE_SECONDS))) {
      fail("the guest's steward does not answer; the console's last words: " + text());
    }
    return steward;
  }

  /** Types, carriage returns included where they are wanted. */
  void type(String text) throws InterruptedException {
    byte[] bytes = text.getBytes(StandardCharsets.ISO_8859_1);
    guest.input(bytes, 0, bytes.length);
  }

  /**
   * Waits until the console has printed a text, after what was awaited before, and returns all from
   * there up to it.
   */
  String await(String text) throws InterruptedException {
    synchronized (output) {
      long deadline = 0;
      int printed = -1;
      int at;
      while ((at = output.indexOf(text, seen)) < 0) {
        if (output.length() > printed) {
          printed = output.length();
          deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
        }
        long millis = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime());
        if (millis <= 0 || (outcome.isDone() && output.indexOf(text, seen) < 0)) {
          return fail(
              "the guest "
                  + (outcome.isDone() ? "ended" : "has been silent for long")
                  + " and has not printed '"
                  + text
                  + "'; its last words: "
                  + output.substring(Math.max(0, output.length() - SHOWN_CHARS)));
        }
        output.wait(Math.min(millis, 1000));
      }
      String before = output.substring(seen, at);
      seen = at + text.length();
      return before;
    }
  }

  /** Waits for the shell's prompt. */
  void awaitPrompt() throws InterruptedException {
    await(":/root# ");
  }

  /** Has the guest's shell, which is at its prompt, run a command, and returns what it prints. */
  String shell(String command) throws InterruptedException {
    String mark = "done-" + ++commands;
    // The shell's echo of the line that is typed has quotes in it, so the mark is the output's.
    type(command + "; echo 'done'-" + commands + "\r");
    await("'-" + commands);
    await("\n");
    String printed = await(mark).replace("\r", "");
    awaitPrompt();
    return printed;
  }

  /** Waits for something that the guest does not print. */
  void awaitTrue(BooleanSupplier condition) throws InterruptedException {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() > deadline) {
        fail("what was waited for has not come about; the guest's last words: " + text());
      }
      Thread.sleep(10);
    }
  }

  /** Waits for the guest's end. */
  Outcome end() throws InterruptedException, ExecutionException {
    try {
      return outcome.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
    } catch (TimeoutException e) {
      return fail("the guest does not end; its last words: " + text());
    }
  }

  /** All that it has printed. */
  String text() {
    synchronized (output) {
      return output.toString();
    }
  }

  @Override
  public void close() throws IOException {
    guest.stop(Outcome.Kind.LEFT);
    try {
      thread.join(TimeUnit.SECONDS.toMillis(PATIENCE_SECONDS));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    if (thread.isAlive()) {
      fail("the guest's thread does not stop");
    }
    guest.close();
    steward.close();
  }
}
