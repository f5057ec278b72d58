package parhelion.toolstack.debian;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import parhelion.toolstack.image.Compression;
import parhelion.toolstack.image.DebFile;
import parhelion.toolstack.image.ImageException;
import parhelion.toolstack.image.KernelModules;
import parhelion.toolstack.image.ModuleFile;
import parhelion.toolstack.image.ModuleSet;
import parhelion.toolstack.image.Progress;

class PackageCacheTest {
  private static final byte[] KERNEL = new byte[5000];

  @TempDir Path temporary = Path.of("");
  private Path tools = Path.of("");
  private Path packages = Path.of("");

  @BeforeEach
  void makeAMachine() throws IOException {
    tools = Files.createDirectory(temporary.resolve("bin"));
    packages = Files.createDirectory(temporary.resolve("archive"));
    Map<String, byte[]> files = new LinkedHashMap<>();
    files.put("./boot/System.map-6.1.0-9-cloud-amd64", new byte[83]);
    files.put("./boot/config-6.1.0-9-cloud-amd64", new byte[10]);
    files.put("./boot/vmlinuz-6.1.0-9-cloud-amd64", KERNEL);
    files.put("./lib/modules/x.ko", new byte[10]);
    publish("linux-image-6.1.0-9-cloud-amd64", "kmod, linux-base (>= 4.3~)", files);
    publish(
        "linux-image-cloud-amd64",
        "linux-image-6.1.0-9-cloud-amd64 (= 1)",
        Map.of("./doc", KERNEL));
    publish("busybox-static", "", Map.of("./bin/busybox", KERNEL));
    publish("coreutils", "libc6", Map.of("./bin/ls", KERNEL));
  }

  /** Puts a package where the stand-ins below find it. */
  private void publish(String name, String depends, Map<String, byte[]> files) throws IOException {
    byte[] deb = DebFile.of("Package: " + name + "\n", files, Compression.XZ);
    Files.write(packages.resolve(name + "_1_amd64.deb"), deb);
    Files.writeString(
        packages.resolve(name + ".show"),
        "Package: %s\nVersion: 1\nDepends: %s\nFilename: pool/x.deb\nSize: %d\n\n"
            .formatted(name, depends, deb.length));
  }

  private void script(String name, String body) throws IOException {
    Path file = tools.resolve(name);
    Files.writeString(
        file,
        """
        #!/bin/sh
        archive='%s'
        echo "%s $*" >>'%s'
        for last; do :; done
        own=; for word; do [ "$word" = -c ] && own=1; done
        %s
        """
            .formatted(packages, name, temporary.resolve("calls"), body));
    assertTrue(file.toFile().setExecutable(true));
  }

  private void installApt(boolean listsAreThere) throws IOException {
    String known = listsAreThere ? "" : "[ -n \"$own\" ] || exit 100\n";
    script("apt-cache", known + "cat \"$archive/$last.show\" 2>/dev/null || exit 100");
    script(
        "apt-get",
        """
        case $last in
          update) exit 0 ;;
          *) cp "$archive/${last%%=*}_1_amd64.deb" . || { echo 'E: not found' >&2; exit 100; } ;;
        esac
        """);
  }

  private List<String> calls() throws IOException {
    Path calls = temporary.resolve("calls");
    return Files.exists(calls) ? Files.readAllLines(calls) : List.of();
  }

  private PackageCache cache(Progress progress) {
    String path = tools + ":/nowhere";
    return new PackageCache(temporary.resolve("cache"), path, progress);
  }

  private static String refusal(Runnable action) {
    return String.valueOf(assertThrows(ImageException.class, action::run).getMessage());
  }

  @Test
  void aMetaPackageGivesTheKernelThatItStandsFor() throws IOException {
    installApt(true);
    List<String> progress = Collections.synchronizedList(new ArrayList<>());
    PackageCache.Kernel kernel =
        cache((what, done, total) -> progress.add(what)).kernel("linux-image-cloud-amd64");
    assertEquals("linux-image-6.1.0-9-cloud-amd64", kernel.packageName());
    assertEquals("1", kernel.version());
    assertArrayEquals(KERNEL, Files.readAllBytes(kernel.image()));
    assertNull(kernel.systemMap()); // only a stub
    assertTrue(progress.contains("downloading linux-image-6.1.0-9-cloud-amd64"));
    assertFalse(calls().stream().anyMatch(c -> c.endsWith("update")));
  }

  @Test
  void aWarmCacheAsksNobody() throws IOException {
    installApt(true);
    Path first = cache(Progress.NONE).kernel("linux-image-cloud-amd64").image();
    Files.delete(tools.resolve("apt-get"));
    Files.delete(tools.resolve("apt-cache"));
    int before = calls().size();
    assertEquals(first, cache(Progress.NONE).kernel("linux-image-cloud-amd64").image());
    assertTrue(cache(Progress.NONE).has("linux-image-cloud-amd64"));
    assertEquals(before, calls().size());
  }

  @Test
  void whereTheMachineHasNoListsOwnOnesAreFetchedOnce() throws IOException {
    installApt(false);
    PackageCache cache = cache(Progress.NONE);
    cache.kernel("linux-image-cloud-amd64");
    cache.busybox();
    assertEquals(1, calls().stream().filter(c -> c.endsWith("update")).count());
    String config = Files.readString(temporary.resolve("cache/apt/apt.conf"));
    assertTrue(config.contains("Dir::State \"" + temporary));
  }

  private void publishWithModules(String version, String word) throws IOException {
    Map<String, byte[]> files = new LinkedHashMap<>();
    files.put("./boot/vmlinuz-6.1.0-" + version + "-cloud-amd64", word.getBytes(UTF_8));
    String modules = "./lib/modules/6.1.0-" + version + "-cloud-amd64/";
    files.put(modules + "kernel/fs/a.ko", ModuleFile.of("depends=b"));
    files.put(modules + "kernel/lib/b.ko", ModuleFile.of("depends="));
    files.put(modules + "kernel/drivers/gpu/card.ko", ModuleFile.of("depends="));
    publish("linux-image-6.1.0-" + version + "-cloud-amd64", "", files);
    publish(
        "linux-image-cloud-amd64",
        "linux-image-6.1.0-" + version + "-cloud-amd64 (= 1)",
        Map.of("./doc", KERNEL));
  }

  private static List<String> loadOrder(PackageCache.Kernel kernel, String module) {
    return KernelModules.open(Objects.requireNonNull(kernel.modules()))
        .select(new ModuleSet.Request(List.of(module), List.of()))
        .load();
  }

  @Test
  void modulesAreFetchedForAKernelThatIsThereWithoutThem() throws IOException {
    installApt(true);
    publishWithModules("9", "kernel");
    PackageCache cache = cache(Progress.NONE);
    PackageCache.Kernel bare = cache.kernel("linux-image-cloud-amd64");
    assertNull(bare.modules());
    PackageCache.Kernel whole = cache.kernelWithModules("linux-image-cloud-amd64");
    assertEquals(bare.image(), whole.image());
    assertEquals(List.of("b", "a"), loadOrder(whole, "a"));
    assertTrue(refusal(() -> loadOrder(whole, "card")).contains("no module card"));
    int before = calls().size();
    assertEquals(whole, cache(Progress.NONE).kernelWithModules("linux-image-cloud-amd64"));
    assertEquals(before, calls().size(), "once is enough");
  }

  @Test
  void aKernelThatAptHasForgottenIsReplacedByOneWithModules() throws IOException {
    installApt(true);
    PackageCache cache = cache(Progress.NONE);
    cache.kernel("linux-image-cloud-amd64");
    Files.delete(packages.resolve("linux-image-6.1.0-9-cloud-amd64.show"));
    publishWithModules("10", "newer kernel");
    PackageCache.Kernel whole = cache.kernelWithModules("linux-image-cloud-amd64");
    assertEquals("linux-image-6.1.0-10-cloud-amd64", whole.packageName());
    assertEquals("newer kernel", Files.readString(whole.image()));
    assertEquals(List.of("b", "a"), loadOrder(whole, "a"));
    assertEquals(whole.image(), cache.kernel("linux-image-cloud-amd64").image());
  }

  @Test
  void aFailedFetchOfModulesLeavesTheKernel() throws IOException {
    installApt(true);
    PackageCache cache = cache(Progress.NONE);
    cache.kernel("linux-image-cloud-amd64");
    Files.delete(packages.resolve("linux-image-6.1.0-9-cloud-amd64_1_amd64.deb"));
    assertThrows(ImageException.class, () -> cache.kernelWithModules("linux-image-cloud-amd64"));
    assertTrue(cache.has("linux-image-cloud-amd64"));
  }

  @Test
  void withoutAptTheUserIsToldWhatToDo() {
    String line = refusal(() -> cache(Progress.NONE).kernel("linux-image-cloud-amd64"));
    assertTrue(line.contains("no apt-get") && line.contains("--kernel FILE"), line);
  }

  @Test
  void anUnknownPackageAndOneWithoutKernelAreNamed() throws IOException {
    installApt(true);
    PackageCache cache = cache(Progress.NONE);
    assertTrue(
        refusal(() -> cache.kernel("linux-image-none")).contains("no package linux-image-none"));
    assertTrue(refusal(() -> cache.kernel("coreutils")).contains("coreutils does not hold"));
    assertTrue(refusal(() -> cache.kernel("../../etc")).contains("not a package name"));
    assertTrue(refusal(() -> cache.kernel("-o=evil")).contains("not a package name"));
    try (Stream<Path> left = Files.list(temporary.resolve("cache/packages"))) {
      assertEquals(List.of("lock"), left.map(p -> p.getFileName().toString()).toList());
    }
  }

  @Test
  void aFailedDownloadSaysWhatAptSaid() throws IOException {
    installApt(true);
    Files.delete(packages.resolve("busybox-static_1_amd64.deb"));
    String line = refusal(() -> cache(Progress.NONE).busybox());
    assertTrue(line.contains("busybox-static") && line.contains("not found"), line);
  }

  @Test
  void aCutOffPackageIsRefusedAndLeavesNothing() throws IOException {
    installApt(true);
    Path deb = packages.resolve("busybox-static_1_amd64.deb");
    byte[] bytes = Files.readAllBytes(deb);
    Files.write(deb, java.util.Arrays.copyOf(bytes, bytes.length - 100));
    assertThrows(ImageException.class, () -> cache(Progress.NONE).busybox());
    assertFalse(cache(Progress.NONE).has("busybox-static"));
  }

  @Test
  void aDamagedEntryIsFetchedAgain() throws IOException {
    installApt(true);
    Path busybox = cache(Progress.NONE).busybox();
    Files.write(busybox, new byte[10]);
    assertFalse(cache(Progress.NONE).has("busybox-static"));
    assertArrayEquals(KERNEL, Files.readAllBytes(cache(Progress.NONE).busybox()));
  }

  @Test
  void aForgottenPackageIsFetchedAgain() throws IOException {
    installApt(true);
    PackageCache cache = cache(Progress.NONE);
    cache.busybox();
    int before = calls().size();
    cache.forget("busybox-static");
    assertFalse(cache.has("busybox-static"));
    cache.busybox();
    assertTrue(calls().size() > before);
  }

  @Test
  void manyAtOnceFetchOnce() throws Exception {
    installApt(true);
    List<Thread> threads = new ArrayList<>();
    List<Path> found = Collections.synchronizedList(new ArrayList<>());
    for (int i = 0; i < 8; i++) {
      Thread thread = new Thread(() -> found.add(cache(Progress.NONE).busybox()));
      thread.start();
      threads.add(thread);
    }
    for (Thread thread : threads) {
      thread.join();
    }
    assertEquals(8, found.size());
    assertEquals(1, calls().stream().filter(c -> c.contains("download")).count());
  }

  /** What another process does; prints its progress and what it found. */
  static final class Fetch {
    private Fetch() {}

    public static void main(String[] args) {
      PackageCache cache =
          new PackageCache(Path.of(args[0]), args[1], (what, done, total) -> tell(what));
      tell("found " + cache.busybox());
    }

    private static void tell(String line) {
      System.out.println(line);
    }
  }

  private Process fetch() throws IOException {
    return new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-Xlog:disable",
            "-cp",
            System.getProperty("java.class.path"),
            Fetch.class.getName(),
            temporary.resolve("cache").toString(),
            tools + ":/nowhere")
        .redirectError(ProcessBuilder.Redirect.INHERIT)
        .start();
  }

  private static String await(BufferedReader lines, String word) throws IOException {
    String line = lines.readLine();
    while (line != null && !line.contains(word)) {
      line = lines.readLine();
    }
    assertNotNull(line, "it ended without saying " + word);
    return line;
  }

  @Test
  @Timeout(120)
  void twoProcessesWithACacheThatIsEmptyFetchOnce() throws Exception {
    installApt(true);
    Path both = temporary.resolve("both");
    script(
        "apt-get",
        """
        until [ -e '%s' ]; do sleep 0.05; done
        cp "$archive/${last%%=*}_1_amd64.deb" .
        """
            .formatted(both));
    Process first = fetch();
    Process second = null;
    try (BufferedReader ofFirst = first.inputReader()) {
      await(ofFirst, "downloading");
      second = fetch();
      try (BufferedReader ofSecond = second.inputReader()) {
        await(ofSecond, "waiting for another parhelion");
        Files.createFile(both);
        String found = await(ofFirst, "found ");
        assertEquals(found, await(ofSecond, "found "));
        Path busybox = Path.of(found.substring("found ".length()));
        assertArrayEquals(KERNEL, Files.readAllBytes(busybox));
        assertEquals(0, first.waitFor());
        assertEquals(0, second.waitFor());
      }
    } finally {
      if (!Files.exists(both)) {
        Files.createFile(both);
      }
      first.destroyForcibly();
      if (second != null) {
        second.destroyForcibly();
      }
    }
    assertEquals(1, calls().stream().filter(c -> c.contains("download")).count());
  }

  @Test
  void aDamagedManifestIsNoEntry() throws IOException {
    installApt(true);
    cache(Progress.NONE).kernel("linux-image-cloud-amd64");
    Path root = temporary.resolve("cache/packages/linux-image-cloud-amd64");
    assertNotNull(PackageFiles.load(root));
    Path manifest = root.resolve("manifest");
    byte[] good = Files.readAllBytes(manifest);
    Random random = new Random(Long.getLong("parhelion.seed", 1));
    for (int i = 0; i < 2000; i++) {
      byte[] bad =
          java.util.Arrays.copyOf(
              good, good.length - (i % 3 == 0 ? random.nextInt(good.length) : 0));
      if (bad.length > 0) {
        bad[random.nextInt(bad.length)] = (byte) random.nextInt(256);
      }
      Files.write(manifest, bad);
      PackageFiles files = PackageFiles.load(root);
      if (files != null) {
        files.paths().forEach(path -> assertTrue(root.resolve(path).normalize().startsWith(root)));
      }
    }
  }

  @Test
  void aptsAnswerIsTakenApart() {
    String installedOnly = "Package: p\nVersion: 2\nStatus: install ok installed\n\n";
    String listed =
        "Package: p\nVersion: 1:2~3\nDepends: a (>= 1) | b:any, c\nFilename: x\nSize: 12\n";
    assertNull(Apt.parse(installedOnly));
    assertEquals(
        new Apt.Candidate("p", "1:2~3", 12, List.of("a", "b", "c")),
        Apt.parse(installedOnly + listed));
    assertNull(Apt.parse(""));
  }
}
