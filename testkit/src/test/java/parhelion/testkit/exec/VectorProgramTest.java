package parhelion.testkit.exec;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.api.io.TempDir;
import parhelion.cpu.CpuModel;
import parhelion.cpu.Engine;
import parhelion.process.Kernel;
import parhelion.process.Options;
import parhelion.process.file.Devices;

/** A C program compiled for x86-64-v3 prints what it prints natively, and is none of v2's. */
@EnabledIf("parhelion.testkit.exec.BusyboxTest#isNative")
@Timeout(value = 120, unit = TimeUnit.SECONDS)
final class VectorProgramTest {
  private static final int SIGILL = 4;

  @TempDir private Path directory;

  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final List<String> messages = Collections.synchronizedList(new ArrayList<>());

  @Test
  void aProgramForV3PrintsWhatItPrintsNatively() throws Exception {
    CompiledProgram.assumeCompiler();
    String flags = Files.readString(Path.of("/proc/cpuinfo"));
    for (String flag : List.of("avx2", "fma", "bmi2", "f16c", "movbe", "abm")) {
      Assumptions.assumeTrue(flags.contains(" " + flag), "the host has no " + flag);
    }
    Path program =
        CompiledProgram.compile(
            directory, "vectors", "-static", "-O3", "-march=x86-64-v3", "-ffp-contract=fast");
    Process process = new ProcessBuilder(program.toString()).start();
    String expected = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(5, process.waitFor());
    assertTrue(expected.contains("signal 0: 1 2 3 4, 10 20 30 40"), expected);

    assertEquals(5, run(program, CpuModel.V3), messages::toString);
    assertEquals(expected, out.toString(StandardCharsets.UTF_8));
    assertEquals(128 + SIGILL, run(program, CpuModel.V2));
  }

  private int run(Path program, CpuModel model) {
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
            60_000_000_000L,
            model,
            Engine.preferred());
    try (Kernel kernel = new Kernel(world)) {
      return kernel.run(Kernel.programPath(program.toString()), List.of("vectors"), List.of());
    }
  }
}
