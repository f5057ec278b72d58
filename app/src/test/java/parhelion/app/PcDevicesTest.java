package parhelion.app;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import parhelion.media.share.HostTree;
import parhelion.toolstack.debian.PackageCache;
import parhelion.toolstack.image.ImageException;
import parhelion.toolstack.image.Progress;

/** Linux's own drivers at the devices of the emulated PC; bytes are looked at from outside. */
@Tag("boot")
@Tag("full")
@Timeout(value = 30, unit = TimeUnit.MINUTES)
final class PcDevicesTest {
  private static final int MIB = 1 << 20;
  private static final String PACKAGE = "linux-image-amd64";

  @TempDir Path directory;

  private static String sha256(byte[] bytes) throws Exception {
    return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
  }

  private static HttpServer serving(byte[] content) throws IOException {
    HttpServer server =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext(
        "/",
        exchange -> {
          exchange.sendResponseHeaders(200, content.length);
          exchange.getResponseBody().write(content);
          exchange.close();
        });
    server.start();
    return server;
  }

  @ParameterizedTest
  @CsvSource({"virtio, vda, virtio", "ide, sda, e1000", "ahci, sda, e1000"})
  void disksDiscsNetworkAndSharesCarryWhatTheyShould(String bus, String disk, String model)
      throws Exception {
    Assumptions.assumeTrue(HostTree.isAvailable(), "no directories can be shared on this host");
    try {
      PackageCache cache = PackageCache.ofUser(Progress.NONE);
      cache.kernelWithModules(PACKAGE, true);
      cache.busybox();
    } catch (ImageException e) {
      Assumptions.abort("no packages to boot: " + e.getMessage());
    }
    byte[] content = new byte[24 * MIB];
    byte[] disc = new byte[4 * MIB];
    byte[] page = new byte[3 * MIB];
    Random random = new Random(Long.getLong("parhelion.seed", 1));
    random.nextBytes(content);
    random.nextBytes(disc);
    random.nextBytes(page);
    Path image = Files.write(directory.resolve("disk.img"), content);
    Path iso = Files.write(directory.resolve("disc.iso"), disc);
    Path shared = Files.createDirectory(directory.resolve("shared"));
    Files.write(shared.resolve("in"), page);
    HttpServer server = serving(page);
    int port = server.getAddress().getPort();
    String script =
        """
        sha256sum /dev/%s /dev/sr0 | cut -c1-64
        wget -qO- http://10.0.2.2:%d/ | sha256sum | cut -c1-64
        dd if=/s/in of=/dev/%s bs=64k seek=32 conv=notrunc,fsync 2>/dev/null && echo written
        dd if=/dev/%s bs=64k skip=32 count=48 2>/dev/null >/s/out && echo copied
        """
            .formatted(disk, port, disk, disk);
    List<String> line = new ArrayList<>(List.of("run", "--mode", "full", "--package", PACKAGE));
    line.addAll(List.of("--disk", image + ",format=raw,bus=" + bus));
    line.addAll(
        List.of("--disk", iso + ",format=raw,cdrom,bus=" + (bus.equals("ahci") ? bus : "ide")));
    line.addAll(List.of("--net", "nat,model=" + model, "--allow-host", Integer.toString(port)));
    line.addAll(List.of("--share", shared + ":/s", "--cmd", script));
    Path output = directory.resolve("output");
    Process process =
        BadSurroundingsTest.parhelion(line.toArray(String[]::new))
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    try {
      assertTrue(process.waitFor(20, TimeUnit.MINUTES), "it hangs");
    } finally {
      process.destroyForcibly();
      server.stop(0);
    }
    String text = Files.readString(output, StandardCharsets.ISO_8859_1);
    assertEquals(0, process.exitValue(), text);
    assertEquals(
        List.of(sha256(content), sha256(disc), sha256(page), "written", "copied"),
        text.lines()
            .map(String::strip)
            // The processor may lack what a checksum's faster module asks for.
            .filter(each -> !each.isEmpty() && !each.startsWith("modprobe:"))
            .toList());
    System.arraycopy(page, 0, content, 32 << 16, page.length);
    assertArrayEquals(content, Files.readAllBytes(image));
    assertArrayEquals(
        Arrays.copyOfRange(content, 32 << 16, 80 << 16), Files.readAllBytes(shared.resolve("out")));
  }
}
