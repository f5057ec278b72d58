package parhelion.testkit.exec;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Assumptions;

/**
 * C programs of the test resources, compiled on this host; without a compiler tests are skipped.
 */
final class CompiledProgram {
  private CompiledProgram() {}

  static void assumeCompiler() {
    Assumptions.assumeTrue(
        List.of("/usr/bin/gcc", "/usr/local/bin/gcc").stream()
            .anyMatch(p -> Files.exists(Path.of(p))),
        "no gcc to compile with");
  }

  /** Compiles {@code name}.c into the directory. */
  static Path compile(Path directory, String name, String... options)
      throws IOException, InterruptedException {
    Path source = directory.resolve(name + ".c");
    try (InputStream in =
        Objects.requireNonNull(CompiledProgram.class.getResourceAsStream(name + ".c"))) {
      Files.copy(in, source);
    }
    Path program = directory.resolve(name);
    List<String> command = new ArrayList<>(List.of("gcc"));
    command.addAll(List.of(options));
    command.addAll(List.of("-o", program.toString(), source.toString(), "-lm"));
    Process gcc = new ProcessBuilder(command).redirectErrorStream(true).start();
    String said = new String(gcc.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    Assumptions.assumeTrue(gcc.waitFor() == 0, "gcc has no static libc: " + said);
    return program;
  }
}
