package parhelion.app;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import parhelion.media.share.HostTree;
import parhelion.toolstack.debian.PackageCache;
import parhelion.toolstack.device.CardModel;
import parhelion.toolstack.image.ImageException;
import parhelion.toolstack.image.Progress;

/** What Debian's firmware starts by itself: a disk with its own boot loader, and the network. */
@Tag("boot")
@Tag("full")
@Timeout(value = 90, unit = TimeUnit.MINUTES)
final class PcBootTest {
  /**
   * Prints "hello from the network" on the serial line and switches the machine off: a program for
   * real mode at 0:7c00.
   */
  private static final String PROGRAM =
      """
      31c0 8ed8 be 1c 7c
      ac 84c0 7406 baf803 ee ebf5
      ba 0406 b8 0034 ef
      f4 ebfd
      """;

  @TempDir Path directory;

  private static String read(Path output) throws IOException {
    return Files.readString(output, StandardCharsets.ISO_8859_1);
  }

  private static Process start(Path output, List<String> arguments) throws IOException {
    return BadSurroundingsTest.parhelion(arguments.toArray(String[]::new))
        .redirectInput(ProcessBuilder.Redirect.PIPE)
        .redirectErrorStream(true)
        .redirectOutput(output.toFile())
        .start();
  }

  private static void await(Process process, Path output, String text) throws Exception {
    while (!read(output).contains(text)) {
      assertTrue(process.isAlive(), () -> "it ended before " + text);
      Thread.sleep(100);
    }
  }

  @Test
  void aDebianDiskBootsByItsOwnGrubToALogin() throws Exception {
    Path image = directory.resolve("pc.img");
    Path made = directory.resolve("made");
    Process making =
        start(
            made,
            List.of(
                "image", "debian", "--empty-password", "--boot-loader", "grub", image.toString()));
    int status = making.waitFor();
    Assumptions.assumeFalse(status != 0 && read(made).contains("apt"), read(made));
    assertEquals(0, status, read(made));
    Path output = directory.resolve("output");
    List<String> line = new ArrayList<>(List.of("run", "--mode", "full", "--bios", "seabios"));
    line.addAll(List.of("--memory", "512M", "--disk", image + ",format=raw,bus=ahci"));
    Process process = start(output, line);
    try (OutputStream keys = process.getOutputStream()) {
      await(process, output, "debian login: ");
      keys.write("root\r".getBytes(StandardCharsets.US_ASCII));
      keys.flush();
      await(process, output, "root@debian:~# ");
      keys.write(
          "systemctl is-system-running --wait; poweroff\r".getBytes(StandardCharsets.US_ASCII));
      keys.flush();
      assertTrue(process.waitFor(20, TimeUnit.MINUTES), "it hangs");
    } finally {
      process.destroyForcibly();
    }
    String text = read(output);
    assertEquals(0, process.exitValue(), text);
    assertTrue(text.contains("GNU GRUB"), text);
    // Perhaps behind what ends the shell's bracketed paste.
    Pattern running = Pattern.compile("(?m)^(\\x1b\\[\\?2004l)?running$");
    assertTrue(running.matcher(text.replace("\r", "")).find(), text);
  }

  @ParameterizedTest
  @ValueSource(strings = {"e1000", "virtio"})
  void aProgramOfTheNetworkRuns(String model) throws Exception {
    Assumptions.assumeTrue(HostTree.isAvailable(), "no directories can be served on this host");
    try {
      PackageCache cache = PackageCache.ofUser(Progress.NONE);
      cache.seabios();
      cache.bootRom(CardModel.E1000);
    } catch (ImageException e) {
      Assumptions.abort("no firmware: " + e.getMessage());
    }
    byte[] code = HexFormat.of().parseHex(PROGRAM.replaceAll("\\s", ""));
    byte[] text = "hello from the network\r\n\0".getBytes(StandardCharsets.US_ASCII);
    byte[] program = new byte[3000]; // of more than one block
    System.arraycopy(code, 0, program, 0, code.length);
    System.arraycopy(text, 0, program, code.length, text.length);
    Path served = Files.createDirectory(directory.resolve("served"));
    Files.write(served.resolve("hello.0"), program);
    Path output = directory.resolve("output");
    String net = "nat,model=" + model + ",tftp=" + served + ",bootfile=hello.0";
    Process process =
        start(output, List.of("run", "--mode", "full", "--bios", "seabios", "--net", net));
    try {
      assertTrue(process.waitFor(10, TimeUnit.MINUTES), "it hangs");
    } finally {
      process.destroyForcibly();
    }
    String shown = read(output);
    assertEquals(0, process.exitValue(), shown);
    assertTrue(shown.contains("hello from the network"), shown);
  }
}
