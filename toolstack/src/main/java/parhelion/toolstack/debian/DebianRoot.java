package parhelion.toolstack.debian;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import parhelion.backends.block.BlockOptions;
import parhelion.media.disk.DiskImages;
import parhelion.media.disk.DiskOptions;
import parhelion.media.disk.ImageFormat;
import parhelion.toolstack.CpuChoice;
import parhelion.toolstack.device.BlockConfig;
import parhelion.toolstack.device.DeviceConfig;
import parhelion.toolstack.guest.GuestConfig;
import parhelion.toolstack.guest.GuestOutput;
import parhelion.toolstack.guest.PvGuest;
import parhelion.toolstack.image.CacheDirectory;
import parhelion.toolstack.image.DefaultInitramfs;
import parhelion.toolstack.image.ElfCache;
import parhelion.toolstack.image.ElfImage;
import parhelion.toolstack.image.ExitStatusFilter;
import parhelion.toolstack.image.GuestCommand;
import parhelion.toolstack.image.GuestSetup;
import parhelion.toolstack.image.ImageException;
import parhelion.toolstack.image.KernelImage;
import parhelion.toolstack.image.KernelModules;
import parhelion.toolstack.image.Progress;

/**
 * A bootable Debian in an ext4 image, made of Debian's packages without root: the host downloads
 * and unpacks, and a guest makes the file system and configures the packages, as its root. Finished
 * images are kept in the cache, by the versions of their packages. One thread.
 */
public final class DebianRoot {
  /** Beyond the essential packages: systemd to a login prompt, and apt. */
  private static final List<String> BASE =
      List.of(
          "usr-is-merged",
          "systemd-sysv",
          "udev",
          "dbus",
          "libpam-systemd",
          "apt",
          "e2fsprogs",
          "mount",
          "passwd",
          "kmod",
          "procps",
          "iproute2",
          "netbase");

  /** For a disk that boots by itself: its boot loader, and a kernel with drivers for a PC. */
  private static final List<String> BOOT_LOADER = List.of("grub-pc-bin", "grub2-common");

  private static final String PC_KERNEL = "linux-image-amd64";
  private static final String KERNEL = "linux-image-cloud-amd64";
  private static final int MEMORY_MIB = 512;
  private static final int SECTOR_BYTES = 512;
  private static final Duration DRAIN = Duration.ofSeconds(5);

  private final Path directory;
  private final PackageCache packages;
  private final Progress progress;

  /** In the user's cache. */
  public DebianRoot(Progress progress) {
    this.directory = CacheDirectory.ofUser().resolve("debian");
    this.packages = PackageCache.ofUser(progress);
    this.progress = progress;
  }

  /**
   * The image, a raw one that nobody may change: made if the cache has none of these packages in
   * their present versions.
   *
   * @param more names of packages beyond the base
   * @param password root's, as /etc/shadow has it: empty for a login without, {@code *} for none
   * @param bootLoader whether the disk is to have a partition, a kernel and GRUB for the BIOS of a
   *     PC; else it is the file system and nothing else
   * @throws ImageException if it cannot be made; one line with a remedy
   */
  public Path image(List<String> more, long sizeBytes, String password, boolean bootLoader) {
    List<String> names = new ArrayList<>(BASE);
    names.addAll(more);
    if (bootLoader) {
      names.addAll(BOOT_LOADER);
      if (more.stream().noneMatch(name -> name.startsWith("linux-image-"))) {
        names.add(PC_KERNEL);
      }
    }
    try {
      CacheDirectory.create(directory);
      try (WorkDirectory working = WorkDirectory.in(directory)) {
        Path work = working.path();
        Path debs = Files.createDirectory(work.resolve("debs"));
        List<String> chosen = packages.installation(names, debs);
        Path image = directory.resolve(key(chosen, sizeBytes, password, bootLoader) + ".img");
        if (!Files.exists(image)) {
          make(chosen, debs, work, sizeBytes, password, bootLoader);
          Files.move(work.resolve("root.img"), image, StandardCopyOption.ATOMIC_MOVE);
        }
        return image;
      }
    } catch (IOException e) {
      throw new ImageException(
          directory + ": cannot be used (" + e + "); set XDG_CACHE_HOME to a directory of yours",
          e);
    }
  }

  private static String key(
      List<String> chosen, long sizeBytes, String password, boolean bootLoader) {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      String all =
          String.join(" ", chosen)
              + '\n'
              + sizeBytes
              + '\n'
              + password
              + (bootLoader ? "\ngrub\n" : "\n")
              + script();
      byte[] sum = digest.digest(all.getBytes(StandardCharsets.UTF_8));
      return HexFormat.of().formatHex(sum, 0, 16);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  private void make(
      List<String> chosen,
      Path debs,
      Path work,
      long sizeBytes,
      String password,
      boolean bootLoader)
      throws IOException {
    packages.download(chosen, debs);
    Path archive = work.resolve("packages.tar");
    try (OutputStream out = new BufferedOutputStream(Files.newOutputStream(archive), 1 << 20);
        RootArchive root = new RootArchive(out)) {
      for (String each : chosen) { // in apt's order, for the scripts that run before
        root.add(debOf(each, debs), progress);
      }
    }
    roundUp(archive);
    Path image = work.resolve("root.img");
    DiskImages.create(image, ImageFormat.RAW, sizeBytes, 1 << 16, false);
    if (bootLoader) {
      PartitionTable.write(image, sizeBytes);
    }
    DeviceConfig disk =
        new BlockConfig(
            "xvda",
            DiskImages.open(image, new DiskOptions(ImageFormat.RAW, false, false)),
            BlockOptions.DISK);
    try {
      DeviceConfig source =
          new BlockConfig(
              "xvdb",
              DiskImages.open(archive, new DiskOptions(ImageFormat.RAW, true, false)),
              new BlockOptions(true, false, SECTOR_BYTES, SECTOR_BYTES, false));
      try {
        configure(List.of(disk, source), password, bootLoader);
      } finally {
        source.close();
      }
    } finally {
      disk.close();
    }
  }

  /** The file of a package NAME=VERSION. */
  private static Path debOf(String chosen, Path debs) throws IOException {
    String name = chosen.substring(0, chosen.indexOf('=')).replaceFirst(":.*", "");
    try (DirectoryStream<Path> files = Files.newDirectoryStream(debs, name + "_*.deb")) {
      for (Path deb : files) {
        return deb;
      }
    }
    throw new ImageException(name + " was not downloaded: start again");
  }

  private static void roundUp(Path file) throws IOException {
    try (RandomAccessFile raw = new RandomAccessFile(file.toFile(), "rw")) {
      raw.setLength((raw.length() + SECTOR_BYTES - 1) / SECTOR_BYTES * SECTOR_BYTES);
    }
  }

  /** The guest's part. */
  private void configure(List<DeviceConfig> devices, String password, boolean bootLoader)
      throws IOException {
    String before = "password='" + password + "'\ngrub=" + (bootLoader ? "yes" : "") + '\n';
    GuestCommand command = GuestCommand.of(before + script());
    PackageCache.Kernel kernel = packages.kernelWithModules(KERNEL);
    GuestSetup setup =
        new GuestSetup(
            command,
            KernelModules.open(Objects.requireNonNull(kernel.modules()))
                .select(devices.getFirst().modules()),
            Map.of());
    ElfImage elf =
        ElfImage.of(
            KernelImage.open(
                kernel.image(), ElfCache.ofUser(), KernelImage.DEFAULT_LIMIT_BYTES, progress));
    GuestConfig config =
        new GuestConfig(
            "debian",
            elf,
            () -> null,
            ByteBuffer.wrap(DefaultInitramfs.of(packages.busybox(), setup)),
            "console=hvc0 quiet loglevel=1 " + command.kernelArguments(),
            MEMORY_MIB,
            1,
            CpuChoice.preferred(),
            devices);
    LastWords words = new LastWords(progress);
    ExitStatusFilter filter = new ExitStatusFilter(words, command.token(), true);
    try (GuestOutput console = new GuestOutput(filter);
        PvGuest guest = new PvGuest(config, console)) {
      guest.run();
      console.drain(DRAIN);
      filter.finish();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new ImageException("the making of the image was interrupted; start again", e);
    }
    if (filter.status().orElse(1) != 0) {
      throw new ImageException(
          "the guest could not configure the packages (it said: "
              + words.text()
              + "); give it a larger --size, or leave --include out");
    }
  }

  private static String script() {
    try (InputStream in = DebianRoot.class.getResourceAsStream("configure")) {
      return new String(Objects.requireNonNull(in).readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new IllegalStateException("the script cannot be read", e);
    }
  }

  /** Keeps the end of what the guest prints, and shows its lines as progress. */
  private static final class LastWords extends OutputStream {
    private static final int MOST_LINES = 6;
    private static final int MOST_CHARS = 200;

    private final Progress progress;
    private final List<String> lines = new ArrayList<>();
    private final StringBuilder line = new StringBuilder();

    LastWords(Progress progress) {
      this.progress = progress;
    }

    @Override
    public synchronized void write(int b) {
      if (b == '\n') {
        String whole = line.toString().strip();
        line.setLength(0);
        if (!whole.isEmpty()) {
          progress.update(whole, 0, -1);
          lines.add(whole);
          if (lines.size() > MOST_LINES) {
            lines.removeFirst();
          }
        }
      } else if (line.length() < MOST_CHARS && b >= ' ') {
        line.append((char) b);
      }
    }

    synchronized String text() {
      return String.join(" / ", lines);
    }
  }
}
