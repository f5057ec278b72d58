package parhelion.testkit.exec;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import parhelion.process.Kernel;
import parhelion.process.Options;
import parhelion.process.file.Devices;

/**
 * A C program of threads, futexes, signals and fork, compiled here, prints what it prints natively.
 */
@EnabledIf("parhelion.testkit.exec.BusyboxTest#isNative")
@Timeout(value = 120, unit = TimeUnit.SECONDS)
final class ThreadsTest {
  @TempDir private Path directory;

  @BeforeEach
  void compilerIsThere() {
    CompiledProgram.assumeCompiler();
  }

  @ParameterizedTest
  @ValueSource(strings = {"-static -O2", "-static-pie -O0"})
  void aThreadedProgramPrintsWhatItPrintsNatively(String options) throws Exception {
    String[] parts = options.split(" ");
    Path program = CompiledProgram.compile(directory, "threads", parts[0], parts[1], "-pthread");
    Process process = new ProcessBuilder(program.toString()).start();
    String expected = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(3, process.waitFor());
    assertTrue(expected.contains("ping pong"), expected);

    ByteArrayOutputStream out = new ByteArrayOutputStream();
    List<String> messages = Collections.synchronizedList(new ArrayList<>());
    Options world =
        new Options(
            128 << 20,
            null,
            false,
            List.of(),
            program.toString(),
            "/",
            List.of(Devices.nullDevice(), Devices.sink(out), Devices.sink(out)),
            null,
            messages::add,
            60_000_000_000L);
    try (Kernel kernel = new Kernel(world)) {
      int status =
          kernel.run(Kernel.programPath(program.toString()), List.of("threads"), List.of());
      assertEquals(expected, out.toString(StandardCharsets.UTF_8), () -> messages.toString());
      assertEquals(3, status);
    }
  }
}
