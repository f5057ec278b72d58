package parhelion.cpu.rewrite;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static parhelion.cpu.CpuState.*;

import com.sun.management.HotSpotDiagnosticMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import jdk.jfr.Recording;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import parhelion.cpu.Engine;

/**
 * While a guest runs in generated code on one thread, the JVM does what JVMs do: collect garbage,
 * dump threads and heap, sample stacks. The guest computes a checksum meanwhile, which has to be
 * right.
 */
@Timeout(value = 5, unit = TimeUnit.MINUTES)
class JvmKeepsWorkingTest {
  private static final long CODE = 0x40_0000L;
  private static final int CODE_PA = Guest.FREE;
  private static final long DATA = 0x50_0000L;
  private static final int DATA_PA = Guest.FREE + 0x1_0000;
  private static final long MULTIPLIER = 0x5851_f42d_4c95_7f2dL;

  /** Rounds of the guest's loop that have to pass at least while something is done to the JVM. */
  private static final long ROUNDS = 2_000_000;

  private final AtomicBoolean done = new AtomicBoolean();
  private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();

  @SuppressWarnings("NullAway.Init")
  private Guest guest;

  @SuppressWarnings("NullAway.Init")
  private Thread thread;

  @BeforeEach
  void start() {
    assumeTrue(HostCpu.obstacle() == null);
    guest = new Guest(Engine.REWRITER);
    guest.map(CODE, CODE_PA, Guest.USER & ~Guest.W);
    guest.map(DATA, DATA_PA, Guest.USER);
    // x = x * m + round, in a register, in memory and through the stack, a float beside it;
    // rounds in [rbx + 8]; without end.
    guest.write(
        CODE_PA,
        """
        480fafc6 4801c8 48ffc1 50 48890b 5a f20f58c1 4c8d6a00 48894308 660fefd2 660fd4d1 ebdb\
        """);
    guest.set(RBX, DATA);
    guest.set(RSP, DATA + 0x1000);
    guest.set(RSI, MULTIPLIER);
    guest.set(XMM + XMM_STRIDE, Double.doubleToRawLongBits(1.0));
    guest.cpu.rip(CODE);
    thread =
        new Thread(
            () -> {
              try {
                while (!done.get()) {
                  guest.cpu.run(5_000_000);
                }
              } catch (Throwable e) {
                failure.set(e);
              }
            },
            "guest");
    thread.start();
  }

  @AfterEach
  void stop() throws InterruptedException {
    done.set(true);
    if (thread != null) {
      thread.join();
    }
    if (guest != null) {
      guest.close();
    }
  }

  /** Rounds as memory says, which the guest's thread writes. */
  private long rounds() {
    return guest.memory.getLong(DATA_PA);
  }

  private void proceed() throws InterruptedException {
    long from = rounds();
    while (rounds() - from < ROUNDS && failure.get() == null) {
      Thread.sleep(1);
    }
  }

  /** Lets the guest go on, stops it and computes what it did once more. */
  private void verify() throws InterruptedException {
    proceed();
    done.set(true);
    thread.join();
    assertEquals(null, failure.get());
    // To the loop's start.
    while (guest.cpu.rip() != CODE) {
      guest.cpu.interpreter().runOne();
    }
    long x = 0;
    long n = guest.get(RCX);
    assertTrue(n > ROUNDS);
    for (long i = 0; i < n; i++) {
      x = x * MULTIPLIER + i;
    }
    assertEquals(x, guest.get(RAX));
    assertEquals(x, guest.memory.getLong(DATA_PA + 8));
    assertEquals(x, guest.memory.getLong(DATA_PA + 0xff8));
    assertEquals((double) n, Double.longBitsToDouble(guest.get(XMM)));
    assertEquals("[]", guest.events.toString());
    assertTrue(guest.cpu.retired >= n * 12);
  }

  @Test
  void collectsGarbage() throws InterruptedException {
    proceed();
    List<byte[]> kept = new ArrayList<>();
    for (int i = 0; i < 12; i++) {
      for (int j = 0; j < 200; j++) {
        byte[] garbage = new byte[20_000];
        if (j % 10 == 0) {
          kept.add(garbage);
        }
      }
      System.gc();
    }
    assertEquals(240, kept.size());
    verify();
  }

  @Test
  void dumpsThreads() throws Exception {
    proceed();
    boolean seen = false;
    for (int i = 0; i < 50; i++) {
      for (var info : ManagementFactory.getThreadMXBean().dumpAllThreads(true, true)) {
        seen |= info.getThreadName().equals("guest");
      }
      assertTrue(thread.isAlive());
      assertNotNull(thread.getStackTrace());
    }
    assertTrue(seen);
    verify();
  }

  @Test
  void dumpsThreadsForATool() throws Exception {
    proceed();
    Path jcmd = Path.of(System.getProperty("java.home"), "bin", "jcmd");
    assumeTrue(Files.isExecutable(jcmd));
    Process process =
        new ProcessBuilder(
                jcmd.toString(), String.valueOf(ProcessHandle.current().pid()), "Thread.print")
            .redirectErrorStream(true)
            .start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(0, process.waitFor(), output);
    assertTrue(output.contains("\"guest\""), output);
    verify();
  }

  @Test
  void dumpsTheHeap(@TempDir Path directory) throws IOException, InterruptedException {
    proceed();
    Path file = directory.resolve("heap.hprof");
    ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean.class)
        .dumpHeap(file.toString(), true);
    assertTrue(Files.size(file) > 1000);
    verify();
  }

  @Test
  void samplesStacks() throws Exception {
    try (Recording recording = new Recording()) {
      recording.enable("jdk.ExecutionSample").withPeriod(java.time.Duration.ofMillis(1));
      recording.enable("jdk.NativeMethodSample").withPeriod(java.time.Duration.ofMillis(1));
      recording.start();
      for (int i = 0; i < 5; i++) {
        proceed();
      }
      recording.stop();
    }
    verify();
  }

  @Test
  void interruptsTheThread() throws InterruptedException {
    for (int i = 0; i < 200; i++) {
      thread.interrupt();
      guest.cpu.requestAttention();
      Thread.yield();
    }
    proceed();
    assertTrue(thread.isInterrupted());
    verify();
  }
}
