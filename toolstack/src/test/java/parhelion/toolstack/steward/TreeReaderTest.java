package parhelion.toolstack.steward;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a guest sends as files stays below the target, whatever it is. */
final class TreeReaderTest {
  private static final long SEED = Long.getLong("parhelion.seed", 1);

  @TempDir Path directory;
  private Path target;
  private final ByteArrayOutputStream sent = new ByteArrayOutputStream();

  @BeforeEach
  void prepare() {
    target = directory.resolve("target");
  }

  private TreeReaderTest entry(byte kind, String name) {
    byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
    sent.writeBytes(new TreeFormat.Entry(kind, bytes.length, 0755, 0, 0).toBytes());
    sent.writeBytes(bytes);
    return this;
  }

  private TreeReaderTest content(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    sent.writeBytes(
        ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt(bytes.length).array());
    sent.writeBytes(bytes);
    sent.writeBytes(new byte[4]);
    return this;
  }

  private TreeReaderTest directory(String name) {
    return entry(TreeFormat.DIRECTORY, name);
  }

  private TreeReaderTest file(String name, String text) {
    return entry(TreeFormat.FILE, name).content(text);
  }

  private void read() throws IOException {
    new TreeReader(new ByteArrayInputStream(sent.toByteArray()), target).read();
  }

  private void assertRefused() {
    assertThrows(IOException.class, this::read);
    assertFalse(Files.exists(directory.resolve("evil"), LinkOption.NOFOLLOW_LINKS));
  }

  @Test
  void aTreeArrives() throws IOException {
    directory("").directory("a").file("a/b", "text").entry(TreeFormat.LEAVE, "a");
    entry(TreeFormat.LEAVE, "").entry(TreeFormat.LAST, "");
    read();
    assertEquals("text", Files.readString(target.resolve("a/b")));
  }

  @Test
  void namesThatLeadElsewhereAreRefused() {
    for (String name :
        new String[] {
          "../evil",
          "..",
          ".",
          "a/../../evil",
          "/evil",
          "//evil",
          "b/evil",
          "a/evil",
          "a\0b",
          "",
          "/"
        }) {
      sent.reset();
      target = directory.resolve("target" + name.hashCode());
      directory("").file(name, "x").entry(TreeFormat.LAST, "");
      assertRefused();
    }
  }

  @Test
  void theTopCannotBeNamed() {
    file("../evil", "x").entry(TreeFormat.LAST, "");
    assertRefused();
  }

  @Test
  void aLinkThatWasSentIsNotFollowed() {
    directory("")
        .entry(TreeFormat.LINK, "out")
        .content("..")
        .directory("out")
        .file("out/evil", "x");
    assertRefused();
  }

  @Test
  void aLinkToAFileThatWasSentIsNotWrittenThrough() throws IOException {
    Path outside = Files.writeString(directory.resolve("outside"), "old");
    directory("").entry(TreeFormat.LINK, "l").content("../outside").file("l", "new");
    assertThrows(IOException.class, this::read);
    assertEquals("old", Files.readString(outside));
  }

  @Test
  void aLinkThatWasThereIsNotFollowed() throws IOException {
    Files.createDirectory(target);
    Files.createSymbolicLink(target.resolve("out"), directory);
    directory("").directory("out").file("out/evil", "x");
    assertRefused();
  }

  @Test
  void setUserBitsAreDropped() throws IOException {
    byte[] header = new TreeFormat.Entry(TreeFormat.FILE, 0, 06755, 0, 0).toBytes();
    sent.writeBytes(header);
    content("x").entry(TreeFormat.LAST, "");
    read();
    assertEquals(0755, (Integer) Files.getAttribute(target, "unix:mode") & 07777);
  }

  @Test
  void randomBytesAndBrokenStreamsAreErrorsAndNothingElse() throws IOException {
    directory("").directory("a").file("a/b", "text").entry(TreeFormat.LEAVE, "a");
    entry(TreeFormat.LINK, "l").content("a").entry(TreeFormat.LEAVE, "").entry(TreeFormat.LAST, "");
    byte[] good = sent.toByteArray();
    Random random = new Random(SEED);
    int refused = 0;
    for (int i = 0; i < 300; i++) {
      byte[] bytes = good.clone();
      for (int changes = 1 + random.nextInt(3); changes > 0; changes--) {
        bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
      }
      Path inner = directory.resolve("in" + i);
      Path top = Files.createDirectory(inner).resolve("top");
      try {
        new TreeReader(new ByteArrayInputStream(bytes), top).read();
      } catch (IOException e) {
        refused++;
      }
      try (var files = Files.list(inner)) {
        assertTrue(files.allMatch(top::equals), "seed " + SEED + ", case " + i);
      }
    }
    assertTrue(refused > 60, "refused " + refused);
  }
}
