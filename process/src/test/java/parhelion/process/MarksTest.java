package parhelion.process;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import parhelion.cpu.Mark;

/** Measurement marks of a program without a kernel. */
@EnabledOnOs(OS.LINUX)
@Timeout(value = 120, unit = TimeUnit.SECONDS)
final class MarksTest {
  private static final int CALLS = 100;

  @TempDir Path directory;

  private static void mark(TinyProgram program, int what) {
    program
        .raw(0xbb, 6, 0, 0, 0) // mov ebx, 6
        .raw(0xb9, what, 0, 0, 0) // mov ecx
        .raw(0xba, 100, 0, 0, 0) // mov edx
        .raw(0x31, 0xf6, 0x31, 0xff) // xor esi, esi; xor edi, edi
        .raw(0xb8, 0x68, 0x72, 0x61, 0x50) // mov eax, the leaf
        .raw(0x0f, 0xa2);
  }

  @Test
  void betweenTwoMarksLiesExactlyWhatTheProgramDid() throws IOException {
    TinyProgram program = new TinyProgram();
    mark(program, 1);
    for (int i = 0; i < CALLS; i++) {
      program.call(Syscall.GETPPID);
    }
    mark(program, 2);
    program.exit(0);
    Path file = program.write(directory);
    List<Mark> marks = new ArrayList<>();
    List<Long> instructions = new ArrayList<>();
    List<Long> calls = new ArrayList<>();
    try (Kernel kernel = new Kernel(new World().options(file.toString()))) {
      kernel.setMarkListener(
          mark -> {
            marks.add(mark);
            instructions.add(kernel.stats().instructions());
            calls.add(kernel.stats().calls().stream().mapToLong(Stats.Calls::count).sum());
          });
      String path = Kernel.programPath(file.toString());
      assertEquals(0, kernel.run(path, List.of(path), List.of()));
    }
    assertEquals(List.of(new Mark(1, 6, 100, 0, 0), new Mark(2, 6, 100, 0, 0)), marks);
    assertEquals(CALLS, calls.get(1) - calls.get(0));
    // Two for each call and those of a mark; each engine is off by a block at most.
    long between = instructions.get(1) - instructions.get(0);
    assertTrue(Math.abs(between - (2 * CALLS + 8)) <= 8, () -> between + " instructions");
  }
}
