package parhelion.toolstack.debian;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** What is left of images that were never finished. */
@EnabledOnOs(OS.LINUX)
final class WorkDirectoryTest {
  @TempDir private Path cache;

  @Test
  void whatNobodyWorksInGoesAndWhatSomebodyWorksInStays() throws IOException {
    Path left = Files.createDirectories(cache.resolve(".new-123/debs"));
    Files.writeString(left.resolve("a.deb"), "half of it");
    Path image = Files.writeString(cache.resolve("image.img"), "whole");
    Path link = Files.createSymbolicLink(cache.resolve(".new-link"), cache);
    try (WorkDirectory mine = WorkDirectory.in(cache)) {
      assertFalse(Files.exists(cache.resolve(".new-123")));
      Files.writeString(mine.path().resolve("b"), "being made");
      try (WorkDirectory other = WorkDirectory.in(cache)) {
        assertTrue(Files.exists(mine.path().resolve("b")), "it is being worked in");
        assertTrue(Files.exists(other.path()));
      }
      assertTrue(Files.exists(mine.path().resolve("b")));
    }
    assertTrue(Files.exists(image));
    assertTrue(Files.isSymbolicLink(link));
    try (Stream<Path> all = Files.list(cache)) {
      assertEquals(2, all.count(), "what is there in the end");
    }
  }
}
