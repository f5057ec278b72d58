package parhelion.process;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;
import parhelion.process.file.Devices;

/** A world for tests: runs a program of the host and keeps what it writes. */
final class World {
  final ByteArrayOutputStream out = new ByteArrayOutputStream();
  final List<String> messages = Collections.synchronizedList(new ArrayList<>());
  final List<String> trace = Collections.synchronizedList(new ArrayList<>());
  long memoryBytes = 64 << 20;
  long timeoutNanos = 60_000_000_000L;
  @Nullable Path root;
  boolean writable;
  byte[] input = new byte[0];
  boolean timedOut;
  long leakedFrames;
  Stats stats;

  Options options(@Nullable String program) {
    return new Options(
        memoryBytes,
        root == null ? null : root.toString(),
        writable,
        List.of(),
        program,
        "/",
        List.of(Devices.source(input), Devices.sink(out), Devices.sink(out)),
        trace::add,
        messages::add,
        timeoutNanos);
  }

  int run(Path program, String... arguments) {
    List<String> all = new ArrayList<>(List.of(program.toString()));
    all.addAll(List.of(arguments));
    try (Kernel kernel = new Kernel(options(program.toString()))) {
      long before = kernel.pool.available();
      int status = kernel.run(Kernel.programPath(program.toString()), all, List.of("PATH=/bin"));
      timedOut = kernel.isTimedOut();
      stats = kernel.stats();
      kernel.dropPrograms();
      leakedFrames = before - kernel.pool.available();
      return status;
    }
  }

  String output() {
    return out.toString(StandardCharsets.ISO_8859_1);
  }

  String said() {
    return String.join("\n", messages);
  }
}
