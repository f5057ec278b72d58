package parhelion.toolstack.guest;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import parhelion.toolstack.image.StewardProgram;

/** The program that runs commands in guests: its binary is what its source makes. */
@Timeout(120)
final class StewardBinaryTest {
  @TempDir Path directory;

  @Test
  void theSourceBuildsTheBinary() throws Exception {
    TourBinaryTest.assumeSameCompiler("steward.elf");
    Path out = directory.resolve("steward.elf");
    assertEquals(0, TourBinaryTest.build("steward", out));
    assertArrayEquals(
        StewardProgram.bytes(),
        Files.readAllBytes(out),
        "run guests/steward/build and commit what it makes");
  }
}
