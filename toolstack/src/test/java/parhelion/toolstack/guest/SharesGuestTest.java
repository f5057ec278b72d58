package parhelion.toolstack.guest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import parhelion.media.share.HostTree;
import parhelion.toolstack.CpuChoice;
import parhelion.toolstack.debian.PackageCache;
import parhelion.toolstack.device.DeviceConfig;
import parhelion.toolstack.device.RootConfig;
import parhelion.toolstack.device.Share;
import parhelion.toolstack.device.ShareConfig;
import parhelion.toolstack.image.DefaultInitramfs;
import parhelion.toolstack.image.ElfCache;
import parhelion.toolstack.image.ElfImage;
import parhelion.toolstack.image.GuestSetup;
import parhelion.toolstack.image.ImageException;
import parhelion.toolstack.image.KernelImage;
import parhelion.toolstack.image.KernelModules;
import parhelion.toolstack.image.ModuleSet;
import parhelion.toolstack.image.Progress;

/** Debian's kernel on directories of the host and on a root made of an archive. */
class SharesGuestTest {
  @TempDir Path directory;

  private static RunningGuest boot(Map<String, String> texts, DeviceConfig... devices)
      throws Exception {
    Assumptions.assumeTrue(HostTree.isAvailable(), "no directories can be shared on this host");
    PackageCache cache = PackageCache.ofUser(Progress.NONE);
    PackageCache.Kernel kernel;
    byte[] initrd;
    try {
      kernel = cache.kernelWithModules("linux-image-amd64");
      ModuleSet modules = KernelModules.open(kernel.modules()).select(ShareConfig.MODULES);
      initrd = DefaultInitramfs.of(cache.busybox(), new GuestSetup(null, modules, texts));
    } catch (ImageException e) {
      return Assumptions.abort("no packages to boot: " + e.getMessage());
    }
    ElfImage elf =
        ElfImage.of(
            KernelImage.open(
                kernel.image(), ElfCache.ofUser(), KernelImage.DEFAULT_LIMIT_BYTES, Progress.NONE));
    return new RunningGuest(
        new GuestConfig(
            "shares",
            elf,
            () -> null,
            ByteBuffer.wrap(initrd),
            "console=hvc0 parhelion.size=24x500",
            256,
            1,
            CpuChoice.preferred(),
            List.of(devices)));
  }

  private static String md5(byte[] bytes) throws Exception {
    return HexFormat.of().formatHex(MessageDigest.getInstance("MD5").digest(bytes));
  }

  @Test
  void aGuestWorksOnADirectoryOfTheHost() throws Exception {
    Path shared = Files.createDirectory(directory.resolve("shared"));
    Path fixed = Files.createDirectory(directory.resolve("fixed"));
    Files.writeString(fixed.resolve("f"), "fixed\n");
    byte[] big = new byte[5_000_001];
    new Random(1).nextBytes(big);
    Files.write(shared.resolve("big"), big);
    Share first = Share.parse(shared + ":/src");
    Share second = Share.parse(fixed + ":/fixed:ro");
    String mounts = first.mountLine(0) + "\n" + second.mountLine(1) + "\n";
    try (ShareConfig a = ShareConfig.open(first, 0);
        ShareConfig b = ShareConfig.open(second, 1);
        RunningGuest guest = boot(Map.of("etc/shares", mounts), a, b)) {
      guest.awaitPrompt();
      guest.shell("cd /src && PS1=':/root# '");
      assertTrue(guest.shell("md5sum big").contains(md5(big)));
      guest.shell(
          "cp big copy; mkdir -p d/e; i=0; while [ $i -lt 200 ]; do echo $i >d/$i; i=$((i+1));"
              + " done");
      assertEquals(md5(big), md5(Files.readAllBytes(shared.resolve("copy"))));
      assertEquals("199\n", Files.readString(shared.resolve("d/199")));
      assertTrue(guest.shell("ls d | wc -l").contains("201"));
      Files.writeString(shared.resolve("d/7"), "by the host\n");
      assertTrue(guest.shell("cat d/7").contains("by the host"), "seen at once");
      guest.shell("chmod 640 d/8; ln -s d/8 link; ln d/9 hard; mv d/10 moved; touch -d @5 d/11");
      assertEquals(
          "[GROUP_READ, OWNER_READ, OWNER_WRITE]",
          new java.util.TreeSet<>(
                  Files.getPosixFilePermissions(shared.resolve("d/8")).stream()
                      .map(Enum::name)
                      .toList())
              .toString());
      assertEquals(Path.of("d/8"), Files.readSymbolicLink(shared.resolve("link")));
      assertEquals("9\n", Files.readString(shared.resolve("hard")));
      assertEquals("10\n", Files.readString(shared.resolve("moved")));
      assertEquals(5000, Files.getLastModifiedTime(shared.resolve("d/11")).toMillis());
      String open = guest.shell("exec 3<d/12; rm d/12; cat <&3; exec 3<&-; ls d/12");
      assertTrue(open.contains("12\r\n".replace("\r", "")) && open.contains("No such file"), open);
      assertTrue(guest.shell("cat /fixed/f; echo x >/fixed/g").contains("Read-only file system"));
      assertTrue(guest.shell("ln -s /etc/passwd out; cat out").contains("root::0:0"), "its own");
      guest.shell("rm -r d copy");
      assertTrue(Files.notExists(shared.resolve("d")));
    }
  }

  @Test
  void aTarBallIsARoot() throws Exception {
    byte[] busybox;
    try {
      busybox = Files.readAllBytes(PackageCache.ofUser(Progress.NONE).busybox());
    } catch (ImageException e) {
      Assumptions.abort("no packages to boot: " + e.getMessage());
      return;
    }
    Path tar = directory.resolve("root.tar");
    try (OutputStream file = Files.newOutputStream(tar);
        TarArchiveOutputStream out = new TarArchiveOutputStream(file)) {
      put(out, "bin/busybox", 04755, busybox);
      put(out, "etc/name", 0600, "tar\n".getBytes());
      for (String name : List.of("bin/sh", "bin/ls", "bin/cat", "bin/mv", "bin/stat")) {
        TarArchiveEntry link = new TarArchiveEntry(name, TarArchiveEntry.LF_SYMLINK);
        link.setLinkName("busybox");
        out.putArchiveEntry(link);
        out.closeArchiveEntry();
      }
    }
    try (RootConfig root = RootConfig.open(tar);
        RunningGuest guest = boot(root.texts(null, null, Share.XEN), root)) {
      guest.await("# ");
      guest.type("PS1=':/root# '\r");
      guest.awaitPrompt();
      assertTrue(guest.shell("cat /etc/name; ls /").contains("tar"));
      assertTrue(guest.shell("stat -c %a:%u /bin/busybox").contains("4755:0"));
      assertTrue(
          guest.shell("echo new >/etc/new; mv /etc/new /etc/name; cat /etc/name").contains("new"));
      assertEquals("new\n", guest.commands().sh("cat /etc/name").out(), "in that root as well");
    }
  }

  private static void put(TarArchiveOutputStream out, String name, int mode, byte[] bytes)
      throws Exception {
    TarArchiveEntry entry = new TarArchiveEntry(name);
    entry.setSize(bytes.length);
    entry.setMode(mode);
    entry.setIds(0, 0);
    out.putArchiveEntry(entry);
    out.write(bytes);
    out.closeArchiveEntry();
  }
}
