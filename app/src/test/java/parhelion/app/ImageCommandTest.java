package parhelion.app;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.RandomAccessFile;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** {@code parhelion image}, as a user types it. */
final class ImageCommandTest {
  @TempDir Path directory;

  private String out = "";
  private String err = "";

  private int image(Object... arguments) {
    String[] words = new String[arguments.length + 1];
    words[0] = "image";
    for (int i = 0; i < arguments.length; i++) {
      words[i + 1] = arguments[i].toString();
    }
    StringWriter errors = new StringWriter();
    ByteArrayOutputStream output = new ByteArrayOutputStream();
    PrintStream before = System.out;
    CommandLine command = Main.commandLine().setErr(new PrintWriter(errors));
    int status;
    try {
      System.setOut(new PrintStream(output, true, StandardCharsets.UTF_8));
      status = command.execute(words);
    } finally {
      System.setOut(before);
    }
    out = output.toString(StandardCharsets.UTF_8);
    err = errors.toString();
    return status;
  }

  private Path path(String name) {
    return directory.resolve(name);
  }

  @Test
  void anImageIsMadeLaidOverResizedConvertedAndCommitted() throws IOException {
    Path base = path("base.qcow2");
    Path over = path("over.qcow2");
    assertEquals(ExitStatus.OK, image("create", base, "16M"));
    assertEquals(ExitStatus.OK, image("overlay", base, over));
    assertEquals(ExitStatus.OK, image("resize", over, "+16M"));
    assertEquals(ExitStatus.OK, image("info", "--json", over));
    JsonNode info = new ObjectMapper().readTree(out);
    assertEquals(32 << 20, info.get("sizeBytes").asLong());
    assertEquals("qcow2", info.get("backingFormat").asText());
    assertEquals(ExitStatus.OK, image("commit", over));
    assertEquals(ExitStatus.OK, image("convert", base, "--to", "raw", path("raw.img")));
    assertEquals(32 << 20, Files.size(path("raw.img")));
    assertEquals(ExitStatus.OK, image("check", over));
    assertTrue(out.contains("in order"), out);
  }

  @Test
  void checkTellsLeaksFromDamageByItsStatus() throws IOException {
    Path file = path("c.qcow2");
    assertEquals(ExitStatus.OK, image("create", "--cluster-size", "4K", file, "16M"));
    patch(file, 8192 + 2 * 1000 + 1, 1);
    assertEquals(ExitStatus.IMAGE_LEAKS, image("check", "--json", file));
    assertEquals(1, new ObjectMapper().readTree(out).get("leaks").asInt());
    patch(file, 8192 + 1, 0);
    assertEquals(ExitStatus.IMAGE_DAMAGED, image("check", file));
    assertEquals(ExitStatus.OK, image("check", "--repair", file));
    assertEquals(ExitStatus.OK, image("check", file));
  }

  private static void patch(Path path, long offset, int value) throws IOException {
    try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
      file.seek(offset);
      file.write(value);
    }
  }

  @Test
  void mistakesAreOneLineWithTheFileAndTheRemedy() throws IOException {
    Path file = path("a.qcow2");
    assertEquals(ExitStatus.OK, image("create", file, "16M"));
    assertEquals(ExitStatus.FAILED, image("create", file, "16M"));
    assertTrue(err.startsWith("parhelion: " + file) && err.contains("--force"), err);
    assertEquals(ExitStatus.FAILED, image("resize", file, "1M"));
    assertTrue(err.contains("--shrink"), err);
    assertEquals(ExitStatus.FAILED, image("info", path("none")));
    assertEquals(ExitStatus.USAGE, image("create", path("b"), "1000"));
    assertEquals(ExitStatus.USAGE, image("create", "--cluster-size", "3K", path("b"), "1M"));
    assertEquals(ExitStatus.USAGE, image());
    assertFalse(err.strip().contains("\n"), err);
  }
}
