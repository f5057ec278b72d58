package parhelion.app;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import parhelion.media.share.HostTree;

/** Debian's nginx in a guest, whose pages are the host's files and whose clients are the host's. */
@Tag("boot")
@Tag("full")
@Timeout(value = 40, unit = TimeUnit.MINUTES)
final class ServePageTest {
  /** What the packages' scripts would have done, and the server. */
  private static final String SERVE =
      """
      for list in passwd group; do cp /usr/share/base-passwd/$list.master /etc/$list; done
      ln -s ../sites-available/default /etc/nginx/sites-enabled/
      nginx -g 'daemon off;'
      """;

  private static final List<String> PACKAGES =
      List.of("nginx-light", "bash", "coreutils", "base-files", "base-passwd");

  private static final int CONNECTIONS = 50;
  private static final Pattern REQUESTS = Pattern.compile("(\\d+) requests in");

  @TempDir Path directory;

  private static HttpResponse<byte[]> get(HttpClient client, URI uri)
      throws IOException, InterruptedException {
    return client.send(
        HttpRequest.newBuilder(uri).build(), HttpResponse.BodyHandlers.ofByteArray());
  }

  private static String text(HttpResponse<byte[]> response) {
    return new String(response.body(), StandardCharsets.UTF_8);
  }

  @Test
  void nginxServesTheHostsFilesToManyClients() throws Exception {
    Assumptions.assumeTrue(HostTree.isAvailable(), "no directories can be shared on this host");
    DebianTree tree = DebianTree.of(PACKAGES);
    Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwx------"));
    Path site = Files.createDirectory(directory.resolve("site"));
    Files.setPosixFilePermissions(site, PosixFilePermissions.fromString("rwxr-xr-x"));
    byte[] big = new byte[3_000_001];
    new Random(1).nextBytes(big);
    Files.write(site.resolve("big"), big);
    Files.writeString(site.resolve("index.html"), "<h1>From the host</h1>\n");
    List<String> arguments = new ArrayList<>(List.of("--rootfs", tree.root().toString()));
    arguments.addAll(List.of("--share", site + ":/var/www/html:ro", "--workdir", "/"));
    arguments.addAll(List.of("-p", "0:80", "--cmd", SERVE));
    try (NamedGuest guest = new NamedGuest(directory, "web", arguments);
        HttpClient client = HttpClient.newHttpClient()) {
      URI uri = URI.create("http://127.0.0.1:" + guest.port() + "/");
      HttpResponse<byte[]> page = guest.first(() -> get(client, uri));
      assertEquals(200, page.statusCode());
      assertEquals("<h1>From the host</h1>\n", text(page));
      assertTrue(page.headers().firstValue("Server").orElse("").startsWith("nginx"));
      assertArrayEquals(big, get(client, uri.resolve("big")).body());
      assertEquals(404, get(client, uri.resolve("none")).statusCode());
      Files.writeString(site.resolve("index.html"), "<h1>Changed</h1>\n");
      assertEquals("<h1>Changed</h1>\n", text(get(client, uri)));
      manyAtOnce(uri, big);
      wrk(uri);
      assertEquals(0, guest.execIn("nginx", "-s", "quit"), guest.printed());
      assertEquals(0, guest.end(), guest.text());
    }
  }

  /** Every client has a connection of its own, and looks at what it gets. */
  private static void manyAtOnce(URI uri, byte[] big) throws Exception {
    try (ExecutorService clients = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<Void>> all = new ArrayList<>();
      for (int i = 0; i < CONNECTIONS; i++) {
        all.add(
            clients.submit(
                () -> {
                  try (HttpClient client = HttpClient.newHttpClient()) {
                    for (int n = 0; n < 10; n++) {
                      assertEquals("<h1>Changed</h1>\n", text(get(client, uri)));
                    }
                    assertArrayEquals(big, get(client, uri.resolve("big")).body());
                  }
                  return null;
                }));
      }
      for (Future<Void> one : all) {
        one.get();
      }
    }
  }

  private void wrk(URI uri) throws IOException, InterruptedException {
    DebianTree tree = DebianTree.of(List.of("wrk"));
    Path output = directory.resolve("wrk.out");
    List<String> arguments =
        List.of("-c", "" + CONNECTIONS, "-t", "2", "-d", "10s", "--timeout", "60s", uri.toString());
    Process process =
        tree.program("usr/bin/wrk", arguments).redirectOutput(output.toFile()).start();
    try {
      assertTrue(process.waitFor(5, TimeUnit.MINUTES), "wrk hangs");
    } finally {
      process.destroyForcibly();
    }
    String text = Files.readString(output);
    assertEquals(0, process.exitValue(), text);
    assertFalse(text.contains("Socket errors") || text.contains("Non-2xx"), text);
    Matcher requests = REQUESTS.matcher(text);
    assertTrue(requests.find() && Integer.parseInt(requests.group(1)) >= CONNECTIONS, text);
  }
}
