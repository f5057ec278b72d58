package parhelion.toolstack.image;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class KernelModulesTest {
  @TempDir Path temporary = Path.of("");
  private Path directory = Path.of("");

  @BeforeEach
  void makeModules() throws IOException {
    directory = temporary.resolve("6.1.0-9-amd64");
    module("fs/big-fs", "depends=journal,cache", "alias=fs-big", "softdep=pre: crc32c post: odd");
    module("fs/journal", "depends=cache");
    module("fs/cache", "depends=");
    module("crypto/crc32c_generic", "depends=", "alias=crc32c", "alias=crypto-crc32c");
    module("arch/crc32c-intel", "depends=", "alias=crc32c");
    module("fs/odd", "depends=", "name=odd");
    Files.writeString(directory.resolve("modules.builtin"), "kernel/fs/small.ko\n");
    List<String> written = KernelModules.index(directory);
    assertEquals(List.of("modules.dep", "modules.alias", "modules.softdep"), written);
  }

  private void module(String path, String... entries) throws IOException {
    Path file = directory.resolve("kernel/" + path + ".ko");
    Files.createDirectories(file.getParent());
    Files.write(file, ModuleFile.of(entries));
  }

  private ModuleSet select(List<String> load, List<String> atHand) {
    return KernelModules.open(directory).select(new ModuleSet.Request(load, atHand));
  }

  @Test
  void whatAModuleNeedsIsLoadedBeforeIt() {
    ModuleSet set = select(List.of("big-fs"), List.of());
    assertEquals(
        List.of("crc32c_generic", "crc32c_intel", "cache", "journal", "big_fs"),
        sortedProviders(set.load()));
    assertTrue(set.files().containsKey("6.1.0-9-amd64/kernel/fs/big-fs.ko"));
    String dep = text(set, "modules.dep");
    assertTrue(dep.contains("kernel/fs/big-fs.ko: kernel/fs/journal.ko kernel/fs/cache.ko\n"), dep);
    assertTrue(text(set, "modules.alias").contains("alias fs-big big_fs\n"));
  }

  /** The order of the two that provide one alias says nothing. */
  private static List<String> sortedProviders(List<String> load) {
    return java.util.stream.Stream.concat(load.stream().limit(2).sorted(), load.stream().skip(2))
        .toList();
  }

  private static String text(ModuleSet set, String file) {
    byte[] bytes = set.files().getOrDefault("6.1.0-9-amd64/" + file, new byte[0]);
    return new String(bytes, StandardCharsets.UTF_8);
  }

  @Test
  void whatIsAtHandIsThereButNotLoaded() {
    ModuleSet set = select(List.of("odd"), List.of("journal", "no-such-module"));
    assertEquals(List.of("odd"), set.load());
    assertTrue(set.files().containsKey("6.1.0-9-amd64/kernel/fs/cache.ko"));
    assertTrue(set.files().containsKey("6.1.0-9-amd64/kernel/fs/journal.ko"));
  }

  @Test
  void whatIsBuiltInNeedsNothingAndWhatIsNowhereIsNamed() {
    assertEquals(ModuleSet.NONE, select(List.of("small"), List.of()));
    ImageException e = assertThrows(ImageException.class, () -> select(List.of("none"), List.of()));
    assertTrue(String.valueOf(e.getMessage()).contains("no module none"), e::getMessage);
  }

  @Test
  void packedModulesAreUnpackedForTheGuest() throws IOException {
    byte[] plain = ModuleFile.of("depends=cache");
    Files.write(directory.resolve("kernel/fs/tight.ko.xz"), Samples.pack(Compression.XZ, plain));
    KernelModules.index(directory);
    ModuleSet set = select(List.of("tight"), List.of());
    assertEquals(List.of("cache", "tight"), set.load());
    byte[] unpacked = set.files().getOrDefault("6.1.0-9-amd64/kernel/fs/tight.ko", new byte[0]);
    assertEquals(plain.length, unpacked.length);
    assertTrue(text(set, "modules.dep").contains("kernel/fs/tight.ko: kernel/fs/cache.ko\n"));
  }

  @Test
  void modulesThatNeedEachOtherAreNoTrap() throws IOException {
    module("fs/one", "depends=two", "softdep=pre: two");
    module("fs/two", "depends=one", "softdep=pre: one");
    KernelModules.index(directory);
    assertEquals(2, select(List.of("one"), List.of()).load().size());
  }

  @Test
  void theArchiveNamesWhatToLoadOnlyIfThereIsAny() {
    ModuleSet set = select(List.of("odd"), List.of());
    byte[] with =
        DefaultInitramfs.build(InitramfsTest.busybox(), "b", new GuestSetup(null, set, Map.of()));
    Map<String, CpioReader.Entry> entries = new java.util.TreeMap<>();
    CpioReader.read(with, "b").forEach(e -> entries.put(e.path(), e));
    CpioReader.Entry list = entries.get("etc/modules");
    assertEquals(
        "odd\n", list == null ? "" : new String(list.content(with), StandardCharsets.UTF_8));
    assertTrue(entries.containsKey("lib/modules/6.1.0-9-amd64/kernel/fs/odd.ko"));
    byte[] without = DefaultInitramfs.build(InitramfsTest.busybox(), "b", GuestSetup.of(null));
    assertFalse(CpioReader.read(without, "b").stream().anyMatch(e -> e.path().contains("modules")));
  }

  @Test
  void aDamagedModuleIsRefusedOrReadButNothingElse() {
    Random random = new Random(Long.getLong("parhelion.seed", 1));
    byte[] good = ModuleFile.of("depends=a,b", "alias=c", "softdep=pre: d");
    for (int i = 0; i < 20_000; i++) {
      byte[] bad = good.clone();
      for (int flips = random.nextInt(4); flips >= 0; flips--) {
        bad[random.nextInt(bad.length)] = (byte) random.nextInt(256);
      }
      int length = random.nextInt(3) == 0 ? random.nextInt(bad.length) : bad.length;
      try {
        ModuleInfo info = ModuleInfo.of(java.util.Arrays.copyOf(bad, length), "m");
        assertTrue(info.depends().size() < 1000);
      } catch (ImageException refused) {
        assertTrue(String.valueOf(refused.getMessage()).contains("not a kernel module"));
      }
    }
  }
}
