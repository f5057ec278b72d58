package parhelion.lab.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a comparison puts on the host goes with it, and begins empty each time. */
final class ScratchTest {
  @TempDir Path temporary;

  @Test
  void directoriesBeginEmptyAndGoWithIt() throws Exception {
    List<Path> made = new ArrayList<>();
    try (Scratch scratch = Scratch.make()) {
      for (int i = 0; i < 2; i++) {
        made.add(scratch.directory("root"));
        Path memory = scratch.directoryInMemory("tmp");
        if (memory != null) {
          assertEquals("tmpfs", Files.getFileStore(memory).type());
          made.add(memory);
        }
        for (Path directory : made) {
          try (var entries = Files.list(directory)) {
            assertEquals(0, entries.count(), directory::toString);
          }
        }
        for (Path directory : made) {
          Files.writeString(directory.resolve("left"), "behind");
        }
        if (i == 0) {
          made.forEach(directory -> assertTrue(Files.exists(directory.resolve("left"))));
          made.clear();
        }
      }
    }
    made.forEach(directory -> assertFalse(Files.exists(directory), directory::toString));
  }

  @Test
  void whatIsNoMemoryIsNotTakenForIt() {
    assertNull(Scratch.directoryInMemory(temporary.resolve("missing")));
    assertNull(Scratch.directoryInMemory(Path.of("/proc")));
  }
}
