package parhelion.toolstack.guest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.HotSpotDiagnosticMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordingFile;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import parhelion.cpu.CpuModel;

/**
 * All that tools do to a JVM, done again and again to one in which a whole kernel boots:
 * collections of garbage, thread dumps from inside and from another process, heap dumps, sampled
 * stacks. The guest must not notice, and the tools must see the guest's thread.
 */
@Tag("boot")
@Timeout(value = 20, unit = TimeUnit.MINUTES)
final class JvmDuringBootTest {
  private static final String GUEST_THREAD = "guest under test";

  private final AtomicBoolean done = new AtomicBoolean();
  private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
  private int rounds;

  @TempDir private Path directory;

  @Test
  void aKernelBootsWhileTheJvmIsRecordedDumpedAndShortOfMemory() throws Exception {
    Path recorded = directory.resolve("boot.jfr");
    Thread tools = Thread.ofPlatform().daemon().name("tools").unstarted(this::useTools);
    try (Recording recording = new Recording()) {
      recording.enable("jdk.ExecutionSample").withPeriod(Duration.ofMillis(10));
      recording.enable("jdk.NativeMethodSample").withPeriod(Duration.ofMillis(10));
      recording.start();
      try (RunningGuest g = DebianKernelsTest.boot("linux-image-cloud-amd64", 2, CpuModel.V3)) {
        tools.start();
        g.awaitPrompt();
        String sum =
            g.shell(
                "seq 1 200000 | gzip | gunzip | sha256sum | cut -c 1-16; dmesg | grep -ciE"
                    + " ' stall|lockup|BUG:|WARNING:|Oops|segfault'");
        done.set(true);
        tools.join();
        assertNull(failure.get());
        assertTrue(rounds > 0, "no round of tools came to its end while the guest ran");
        assertEquals("5af7b95208fdcff4\n0\n", sum);
      } finally {
        done.set(true);
      }
      recording.stop();
      recording.dump(recorded);
    }
    assertTrue(samples(recorded) > 0, "no sample of the guest's thread");
  }

  private void useTools() {
    ArrayDeque<byte[]> kept = new ArrayDeque<>();
    try {
      while (!done.get()) {
        for (int i = 0; i < 2000; i++) {
          kept.add(new byte[10_000]);
          if (kept.size() > 500) {
            kept.remove();
          }
        }
        System.gc();
        assertTrue(
            java.util.Arrays.stream(ManagementFactory.getThreadMXBean().dumpAllThreads(true, true))
                .anyMatch(info -> info.getThreadName().equals(GUEST_THREAD)));
        printThreads();
        dumpHeap();
        rounds++;
      }
    } catch (Throwable e) {
      failure.set(e);
    }
  }

  private void printThreads() throws IOException, InterruptedException {
    Path jcmd = Path.of(System.getProperty("java.home"), "bin", "jcmd");
    if (!Files.isExecutable(jcmd)) {
      return; // a JRE
    }
    String pid = String.valueOf(ProcessHandle.current().pid());
    Process process =
        new ProcessBuilder(jcmd.toString(), pid, "Thread.print").redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(0, process.waitFor(), output);
    assertTrue(output.contains('"' + GUEST_THREAD + '"'), output);
  }

  private void dumpHeap() throws IOException {
    Path file = directory.resolve("heap.hprof");
    ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean.class)
        .dumpHeap(file.toString(), true);
    assertTrue(Files.size(file) > 100_000);
    Files.delete(file);
  }

  private static long samples(Path recorded) throws IOException {
    long samples = 0;
    try (RecordingFile file = new RecordingFile(recorded)) {
      while (file.hasMoreEvents()) {
        var event = file.readEvent();
        if (event.hasField("sampledThread")
            && GUEST_THREAD.equals(event.getThread("sampledThread").getJavaName())) {
          samples++;
        }
      }
    }
    return samples;
  }
}
