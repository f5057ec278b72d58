package parhelion.toolstack.debian;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.OptionalLong;
import java.util.function.Supplier;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import parhelion.toolstack.image.CpioReader;
import parhelion.toolstack.image.DefaultInitramfs;
import parhelion.toolstack.image.ElfImage;
import parhelion.toolstack.image.ImageException;
import parhelion.toolstack.image.KernelImage;
import parhelion.toolstack.image.KernelModules;
import parhelion.toolstack.image.KernelSymbols;
import parhelion.toolstack.image.ModuleSet;
import parhelion.toolstack.image.Progress;
import parhelion.toolstack.image.XenNotes;

/** Debian's own packages, where the cache has them or apt can fetch them. */
class RealPackagesTest {
  private static final PackageCache CACHE = PackageCache.ofUser(Progress.NONE);

  private static <T> T fetched(Supplier<T> fetch) {
    try {
      return fetch.get();
    } catch (ImageException e) {
      return Assumptions.abort("no package to test with: " + e.getMessage());
    }
  }

  @Test
  void debiansCloudKernelIsAXenGuestWithSymbols() {
    PackageCache.Kernel kernel = fetched(() -> CACHE.kernel("linux-image-cloud-amd64"));
    ElfImage elf = ElfImage.of(KernelImage.open(kernel.image(), Progress.NONE));
    XenNotes notes = elf.xenNotes();
    assertEquals("linux", notes.guestOs());
    assertEquals(0xffffffff80000000L, notes.virtBase());
    assertEquals(OptionalLong.of(0x8000000000L), notes.initP2mVa());
    assertTrue(notes.unmappedInitrd());
    assertEquals(4, elf.loadable().size());
    KernelSymbols symbols = KernelSymbols.of(elf, kernel.systemMap());
    assertEquals("startup_xen", symbols.describe(notes.entryVa()));
    assertTrue(symbols.addressOf("start_kernel").isPresent());
  }

  @Test
  void debiansBusyboxMakesAnInitramfs() {
    Path busybox = fetched(CACHE::busybox);
    byte[] archive = DefaultInitramfs.build(busybox, null);
    long links =
        CpioReader.read(archive, "initramfs").stream()
            .filter(e -> e.path().startsWith("bin/") && !e.regularFile())
            .count();
    assertTrue(links > 200, "only " + links + " applets");
  }

  @Test
  void debiansKernelsHaveTheModulesThatDevicesNeed() {
    PackageCache.Kernel generic = fetched(() -> CACHE.kernelWithModules("linux-image-amd64"));
    KernelModules modules = KernelModules.open(Objects.requireNonNull(generic.modules()));
    List<String> load =
        modules.select(new ModuleSet.Request(List.of("ext4", "9pnet_xen"), List.of())).load();
    for (List<String> pair :
        List.of(
            List.of("crc32c_generic", "ext4"),
            List.of("mbcache", "ext4"),
            List.of("jbd2", "ext4"),
            List.of("9pnet", "9pnet_xen"))) {
      int before = load.indexOf(pair.getFirst());
      assertTrue(before >= 0 && before < load.indexOf(pair.getLast()), pair + " in " + load);
    }
    PackageCache.Kernel cloud = fetched(() -> CACHE.kernelWithModules("linux-image-cloud-amd64"));
    ModuleSet set =
        KernelModules.open(Objects.requireNonNull(cloud.modules()))
            .select(new ModuleSet.Request(List.of("xen-blkfront", "ext4"), List.of()));
    assertEquals(List.of("xen_blkfront"), set.load(), "ext4 is built in");
  }

  @Test
  void debiansGrubIsAXenGuest() {
    Path grub = fetched(CACHE::grub);
    XenNotes notes = ElfImage.of(KernelImage.open(grub, Progress.NONE)).xenNotes();
    assertEquals("GRUB", notes.guestOs());
    assertEquals(0, notes.virtBase());
    assertEquals(0, notes.entryVa());
  }
}
