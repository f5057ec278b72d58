package parhelion.toolstack.image;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ElfCacheTest {
  @TempDir Path temporary = Path.of("");

  private List<Path> entries() throws IOException {
    try (Stream<Path> files = Files.list(temporary)) {
      return files.toList();
    }
  }

  @Test
  void everyDamagedByteOfAnEntryIsNoticed() throws IOException {
    ElfCache cache = new ElfCache(temporary);
    ByteBuffer elf = ByteBuffer.wrap(Samples.data(300, 5));
    for (int at = 0; at < 300 + 40; at += 7) {
      assertNotNull(cache.store("key", elf));
      Path entry = entries().getFirst();
      byte[] bytes = Files.readAllBytes(entry);
      if (at >= bytes.length) {
        break;
      }
      bytes[at] ^= 4;
      Files.write(entry, bytes);
      assertNull(cache.find("key"), "byte " + at);
      assertTrue(entries().isEmpty(), "byte " + at);
    }
  }

  @Test
  void aTruncatedEntryIsNoticed() throws IOException {
    ElfCache cache = new ElfCache(temporary);
    for (int cut = 1; cut < 330; cut += 13) {
      assertNotNull(cache.store("key", ByteBuffer.wrap(Samples.data(300, 5))));
      Path entry = entries().getFirst();
      byte[] bytes = Files.readAllBytes(entry);
      Files.write(entry, java.util.Arrays.copyOf(bytes, Math.max(0, bytes.length - cut)));
      assertNull(cache.find("key"), "cut by " + cut);
    }
  }

  @Test
  void anotherKeyFindsNothing() {
    ElfCache cache = new ElfCache(temporary);
    cache.store("key", ByteBuffer.wrap(new byte[100]));
    assertNull(cache.find("other"));
  }

  @Test
  void theCacheStaysWithinItsBounds() throws IOException {
    ElfCache byCount = new ElfCache(temporary, 3, 1 << 20);
    for (int i = 0; i < 10; i++) {
      assertNotNull(byCount.store("key" + i, ByteBuffer.wrap(new byte[100])));
    }
    assertEquals(3, entries().size());
    ElfCache byBytes = new ElfCache(temporary, 100, 2500);
    for (int i = 0; i < 10; i++) {
      assertNotNull(byBytes.store("big" + i, ByteBuffer.wrap(new byte[1000])));
    }
    assertEquals(2, entries().size());
    assertNull(byBytes.store("huge", ByteBuffer.wrap(new byte[3000])));
  }

  @Test
  void aCacheThatCannotBeWrittenIsNoError() throws IOException {
    Path file = Files.createFile(temporary.resolve("file"));
    ElfCache cache = new ElfCache(file.resolve("below"));
    assertNull(cache.store("key", ByteBuffer.wrap(new byte[100])));
    assertNull(cache.find("key"));
  }

  @Test
  void theDirectoryFollowsTheXdgRule() {
    assertEquals(Path.of("/x/parhelion"), CacheDirectory.of("/x", "/home/u"));
    assertEquals(Path.of("/home/u/.cache/parhelion"), CacheDirectory.of("", "/home/u"));
    assertEquals(Path.of("/home/u/.cache/parhelion"), CacheDirectory.of("x", "/home/u"));
    assertEquals(Path.of("/home/u/.cache/parhelion"), CacheDirectory.of(null, "/home/u"));
  }
}
