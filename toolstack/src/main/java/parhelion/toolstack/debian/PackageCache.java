package parhelion.toolstack.debian;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import parhelion.toolstack.device.CardModel;
import parhelion.toolstack.image.CacheDirectory;
import parhelion.toolstack.image.DebPackage;
import parhelion.toolstack.image.ImageException;
import parhelion.toolstack.image.KernelModules;
import parhelion.toolstack.image.Progress;

/**
 * Debian's kernels and tools by package name. What has been fetched once is kept unpacked, so later
 * runs neither ask apt nor need a network; {@link #forget} makes room for a newer version.
 *
 * <p>Entries appear by rename: readers take no lock. One writer at a time, over all processes,
 * holds {@code packages/lock}.
 */
public final class PackageCache {
  private static final Pattern NAME = Pattern.compile("[a-z0-9][a-z0-9+.-]{1,99}");
  private static final Pattern KERNEL_NAME =
      Pattern.compile("linux-image-(unsigned-)?[0-9][a-z0-9+.-]*");
  private static final Pattern KERNEL_FILES =
      Pattern.compile("boot/(vmlinu[xz]|System\\.map|config)-[^/]+");
  private static final Pattern KERNEL = Pattern.compile("boot/vmlinu[xz]-[^/]+");

  /** All modules but those for hardware, which no guest of ours has. */
  private static final Pattern MODULES =
      Pattern.compile(
          "lib/modules/[^/]+/(modules\\.(builtin|order)|kernel/(arch|crypto|fs|lib|mm|net|security"
              + "|drivers/(block|cdrom|char|crypto|md|nvdimm|target|vhost|virtio|xen)"
              + "|drivers/net/(bonding|ipvlan|ppp|team|vxlan|wireguard)"
              + "|drivers/(net|scsi)(?=/[^/]+$))/.+\\.ko(\\.(xz|gz|zst))?)");

  /** Modules for the hardware that an emulated PC has. */
  private static final Pattern PC_MODULES =
      Pattern.compile(
          "lib/modules/[^/]+/kernel/(block|drivers/(ata|input/(mouse|serio|keyboard)"
              + "|net/ethernet/intel/e1000))/.+\\.ko(\\.(xz|gz|zst))?");

  private static final List<String> PC_DRIVERS = List.of("ata_piix", "ahci", "e1000", "psmouse");

  private static final Pattern WITH_MODULES =
      Pattern.compile(
          KERNEL_FILES.pattern() + "|" + MODULES.pattern() + "|" + PC_MODULES.pattern());
  private static final Pattern BUSYBOX = Pattern.compile("(usr/)?bin/busybox");
  private static final String BIOS_FILE = "usr/share/seabios/bios-256k.bin";
  private static final String VIDEO_BIOS_FILE = "usr/share/seabios/vgabios-stdvga.bin";
  private static final Pattern SEABIOS =
      Pattern.compile(Pattern.quote(BIOS_FILE) + "|" + Pattern.quote(VIDEO_BIOS_FILE));

  /** The one that packages have behind the other. */
  private static final Pattern VIDEO_BIOS = Pattern.compile(Pattern.quote(VIDEO_BIOS_FILE));

  private static final String BOOT_ROMS = "usr/lib/ipxe/qemu/pxe-";
  private static final Pattern IPXE =
      Pattern.compile(Pattern.quote(BOOT_ROMS) + "(e1000|virtio)\\.rom");

  /** The one that the package has behind the other. */
  private static final Pattern LAST_IPXE =
      Pattern.compile(Pattern.quote(BOOT_ROMS) + "virtio\\.rom");

  private static final Pattern GRUB = Pattern.compile("usr/lib/grub-xen/grub-x86_64-xen\\.bin");

  /** More than the stub that signed kernel packages hold instead of a symbol table. */
  private static final long MIN_SYSTEM_MAP_BYTES = 4096;

  private static final String MODULES_MANIFEST = "manifest.modules";

  /** Those for a PC; older entries have none. */
  private static final String PC_MANIFEST = "manifest.pc";

  private static final int MAX_META_DEPTH = 4;
  private static final long LOCK_MILLIS = 20 * 60_000L;
  private static final int LOCK_POLL_MILLIS = 200;
  private static final String OTHERWISE = "give a kernel with --kernel FILE";
  private static final ReentrantLock WITHIN_PROCESS = new ReentrantLock();

  private final Path packages;
  private final Path aptState;
  private final String programPath;
  private final Progress progress;
  private boolean ownListsFetched;
  private @Nullable Apt rootApt;

  /**
   * A kernel out of a package.
   *
   * @param image the bzImage
   * @param systemMap its symbols, where the package has more than a stub
   * @param modules its directory {@code lib/modules/RELEASE}, if it was asked for; without the
   *     modules for hardware
   */
  public record Kernel(
      String packageName,
      String version,
      Path image,
      @Nullable Path systemMap,
      @Nullable Path modules) {}

  /**
   * A cache in a directory.
   *
   * @param programPath where to look for apt, as PATH has it
   */
  public PackageCache(Path directory, String programPath, Progress progress) {
    this.packages = directory.resolve("packages").toAbsolutePath().normalize();
    this.aptState = directory.resolve("apt").toAbsolutePath().normalize();
    this.programPath = programPath;
    this.progress = progress;
  }

  /** The user's cache. */
  public static PackageCache ofUser(Progress progress) {
    String path = Objects.requireNonNullElse(System.getenv("PATH"), "/usr/bin:/bin");
    return new PackageCache(CacheDirectory.ofUser(), path, progress);
  }

  /**
   * The kernel that a package, or the package that a meta package stands for, holds.
   *
   * @throws ImageException if it is not in the cache and cannot be fetched; one line with a remedy
   */
  public Kernel kernel(String packageName) {
    return kernel(get(packageName, KERNEL_FILES, KERNEL), null);
  }

  /**
   * As {@link #kernel}, with the kernel's modules. Where the cache has only the kernel, both are
   * fetched, in the same version if apt still has that, else in the newest.
   */
  public Kernel kernelWithModules(String packageName) {
    return kernelWithModules(packageName, false);
  }

  /** The same; {@code forPc} asks for the modules for an emulated PC's hardware, too. */
  public Kernel kernelWithModules(String packageName, boolean forPc) {
    checkName(packageName);
    Path entry = packages.resolve(packageName);
    boolean there =
        PackageFiles.load(entry) != null
            && PackageFiles.load(entry, MODULES_MANIFEST) != null
            && (!forPc || PackageFiles.load(entry, PC_MANIFEST) != null);
    if (!there) {
      fetched(packageName, () -> whole(entry, forPc), apt -> fetchWithModules(apt, packageName));
    }
    PackageFiles files = Objects.requireNonNull(PackageFiles.load(entry));
    PackageFiles modules = Objects.requireNonNull(PackageFiles.load(entry, MODULES_MANIFEST));
    Path any = Path.of(modules.paths().getFirst());
    return kernel(files, entry.resolve(any.subpath(0, 3)));
  }

  /** Whether some of these modules are for a PC's hardware. */
  public static boolean areForPc(List<String> modules) {
    return modules.stream().anyMatch(PC_DRIVERS::contains);
  }

  private static Kernel kernel(PackageFiles files, @Nullable Path modules) {
    Path image = Objects.requireNonNull(files.find("boot/vmlinu"));
    Path map = files.find("boot/System.map-");
    boolean real = map != null && map.toFile().length() >= MIN_SYSTEM_MAP_BYTES;
    return new Kernel(files.packageName(), files.version(), image, real ? map : null, modules);
  }

  /** Debian's static busybox. */
  public Path busybox() {
    PackageFiles files = get("busybox-static", BUSYBOX, BUSYBOX);
    return files.root().resolve(files.paths().getFirst());
  }

  /** GRUB as a 64-bit PV guest. */
  public Path grub() {
    PackageFiles files = get("grub-xen-host", GRUB, GRUB);
    return files.root().resolve(files.paths().getFirst());
  }

  /** SeaBIOS, the firmware of PCs of QEMU's kind. */
  public Path seabios() {
    return seabiosFile(BIOS_FILE);
  }

  /** The VGA BIOS that belongs to it. */
  public Path videoBios() {
    return seabiosFile(VIDEO_BIOS_FILE);
  }

  private Path seabiosFile(String path) {
    Path file = get("seabios", SEABIOS, VIDEO_BIOS).find(path);
    if (file == null) { // an entry of an earlier version's
      forget("seabios");
      file = get("seabios", SEABIOS, VIDEO_BIOS).find(path);
    }
    if (file == null) {
      throw new ImageException(
          "package seabios has no " + path + ": give another image of firmware");
    }
    return file;
  }

  /** iPXE, which boots from networks, as a network card's ROM. */
  public Path bootRom(CardModel model) {
    String path = BOOT_ROMS + model.name().toLowerCase(Locale.ROOT) + ".rom";
    Path file = get("ipxe-qemu", IPXE, LAST_IPXE).find(path);
    if (file == null) {
      throw new ImageException("package ipxe-qemu has no " + path);
    }
    return file;
  }

  /** Whether a package is there already, so that nothing would be fetched. */
  public boolean has(String packageName) {
    return NAME.matcher(packageName).matches()
        && PackageFiles.load(packages.resolve(packageName)) != null;
  }

  /** Removes a package from the cache; the next request fetches what is newest then. */
  public void forget(String packageName) {
    checkName(packageName);
    try {
      deleteTree(packages.resolve(packageName));
    } catch (IOException e) {
      throw cannotWrite(e);
    }
  }

  private static void checkName(String packageName) {
    if (!NAME.matcher(packageName).matches()) {
      throw new ImageException(
          "'" + packageName + "' is not a package name; try linux-image-cloud-amd64");
    }
  }

  private ImageException cannotWrite(IOException e) {
    return new ImageException(
        packages + ": cannot be used (" + e + "); set XDG_CACHE_HOME to a directory of yours", e);
  }

  private PackageFiles get(String packageName, Pattern wanted, Pattern essential) {
    checkName(packageName);
    Path entry = packages.resolve(packageName);
    PackageFiles known = PackageFiles.load(entry);
    return known != null
        ? known
        : fetched(
            packageName,
            () -> PackageFiles.load(entry),
            apt -> fetch(apt, packageName, wanted, essential));
  }

  /** How an entry is fetched by apt. */
  private interface Fetch {
    PackageFiles by(Path apt) throws IOException;
  }

  private PackageFiles fetched(
      String packageName, Supplier<@Nullable PackageFiles> meanwhile, Fetch fetch) {
    Path apt = Apt.find(programPath);
    if (apt == null) {
      throw new ImageException(
          "there is no apt-get on this machine to fetch " + packageName + " with; " + OTHERWISE);
    }
    try {
      return locked(
          () -> {
            PackageFiles known = meanwhile.get();
            return known != null ? known : fetch.by(apt);
          });
    } catch (IOException e) {
      throw cannotWrite(e);
    }
  }

  /** The entry if kernel and modules are there and belong together. */
  private static @Nullable PackageFiles whole(Path entry, boolean forPc) {
    PackageFiles kernel = PackageFiles.load(entry);
    PackageFiles modules = PackageFiles.load(entry, forPc ? PC_MANIFEST : MODULES_MANIFEST);
    boolean same = kernel != null && modules != null && kernel.version().equals(modules.version());
    return same ? kernel : null;
  }

  /** Something done while no other process writes. */
  private interface Locked {
    PackageFiles run() throws IOException;
  }

  private PackageFiles locked(Locked action) throws IOException {
    CacheDirectory.create(packages);
    WITHIN_PROCESS.lock();
    try (FileChannel channel =
            FileChannel.open(
                packages.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        FileLock lock = acquire(channel)) {
      if (!lock.isValid()) {
        throw new IllegalStateException("the lock of " + packages + " was lost");
      }
      sweep();
      return action.run();
    } finally {
      WITHIN_PROCESS.unlock();
    }
  }

  private FileLock acquire(FileChannel channel) throws IOException {
    for (long waited = 0; waited < LOCK_MILLIS; waited += LOCK_POLL_MILLIS) {
      FileLock lock = channel.tryLock();
      if (lock != null) {
        return lock;
      }
      progress.update("waiting for another parhelion to fetch packages", 0, -1);
      try {
        Thread.sleep(LOCK_POLL_MILLIS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new ImageException("waiting for the package cache was interrupted; start again", e);
      }
    }
    throw new ImageException(
        packages.resolve("lock") + ": another process has held it for 20 minutes; end that one");
  }

  /** Removes what an interrupted process left; only the holder of the lock makes such. */
  private void sweep() throws IOException {
    try (DirectoryStream<Path> left = Files.newDirectoryStream(packages, ".new-*")) {
      for (Path directory : left) {
        deleteTree(directory);
      }
    }
  }

  private PackageFiles fetch(Path apt, String packageName, Pattern wanted, Pattern essential)
      throws IOException {
    return unpacked(
        packageName,
        debs -> download(apt, packageName, debs),
        (downloaded, content) -> {
          List<String> paths =
              DebPackage.extract(
                  downloaded.file(), content, selection(wanted, essential), progress);
          check(downloaded, paths, essential);
          save(downloaded, content, paths, PackageFiles.MANIFEST);
        });
  }

  private PackageFiles fetchWithModules(Path apt, String packageName) throws IOException {
    PackageFiles known = PackageFiles.load(packages.resolve(packageName));
    return unpacked(
        packageName,
        debs -> known == null ? download(apt, packageName, debs) : again(apt, known, debs),
        (downloaded, content) -> {
          DebPackage.Selection all = selection(WITH_MODULES, null);
          List<String> paths = DebPackage.extract(downloaded.file(), content, all, progress);
          check(downloaded, paths, KERNEL);
          List<String> modules = new ArrayList<>(paths);
          modules.removeIf(path -> !path.startsWith("lib/"));
          if (modules.isEmpty()) {
            throw new ImageException(
                "package " + downloaded.name() + " holds no modules; give another kernel");
          }
          String directory = Path.of(modules.getFirst()).subpath(0, 3).toString();
          progress.update("listing the modules of " + downloaded.name(), 0, -1);
          for (String list : KernelModules.index(content.resolve(directory))) {
            modules.add(directory + '/' + list);
          }
          paths.removeAll(modules);
          List<String> ofPc = new ArrayList<>(modules);
          ofPc.removeIf(path -> path.contains("/kernel/") && !PC_MODULES.matcher(path).matches());
          save(downloaded, content, ofPc, PC_MANIFEST);
          save(downloaded, content, modules, MODULES_MANIFEST);
          save(downloaded, content, paths, PackageFiles.MANIFEST);
        });
  }

  /** The package that the entry came from; the newest of its kind if apt has forgotten that. */
  private Downloaded again(Path apt, PackageFiles known, Path debs) throws IOException {
    try {
      return download(apt, known.packageName(), debs);
    } catch (ImageException e) {
      return download(apt, known.root().getFileName().toString(), debs);
    }
  }

  private static void check(Downloaded downloaded, List<String> paths, Pattern essential) {
    if (paths.stream().noneMatch(essential.asMatchPredicate())) {
      throw new ImageException(
          "package " + downloaded.name() + " does not hold what is needed of it; " + OTHERWISE);
    }
  }

  private static void save(Downloaded from, Path content, List<String> paths, String manifest)
      throws IOException {
    new PackageFiles(from.name(), from.version(), content, paths).save(manifest);
  }

  private interface Download {
    Downloaded into(Path debs) throws IOException;
  }

  private interface Unpack {
    void into(Downloaded downloaded, Path content) throws IOException;
  }

  private PackageFiles unpacked(String packageName, Download download, Unpack unpack)
      throws IOException {
    Path work = Files.createTempDirectory(packages, ".new-");
    try {
      Path content = Files.createDirectory(work.resolve("content"));
      unpack.into(download.into(Files.createDirectory(work.resolve("deb"))), content);
      Path entry = packages.resolve(packageName);
      if (Files.exists(entry)) { // a broken one, or one without modules
        Files.move(entry, work.resolve("old"), StandardCopyOption.ATOMIC_MOVE);
      }
      Files.move(content, entry, StandardCopyOption.ATOMIC_MOVE);
      return Objects.requireNonNull(PackageFiles.load(entry), "the entry just made is not whole");
    } finally {
      deleteTree(work);
    }
  }

  /** What to take; with {@code essential}, stops at that. */
  private static DebPackage.Selection selection(Pattern wanted, @Nullable Pattern essential) {
    return new DebPackage.Selection() {
      @Override
      public boolean wants(String path) {
        return wanted.matcher(path).matches();
      }

      @Override
      public boolean complete(List<String> taken) {
        // System.map-, config- and vmlinuz- come in this order.
        return essential != null && essential.matcher(taken.getLast()).matches();
      }
    };
  }

  private record Downloaded(Path file, String name, String version) {}

  /** With the machine's lists if they know the package and are still good, else with our own. */
  private Downloaded download(Path apt, String packageName, Path work) throws IOException {
    if (System.getProperty("os.arch", "").equals("amd64")) {
      Apt machine = Apt.ofMachine(apt);
      progress.update("looking up " + packageName, 0, -1);
      Apt.Candidate candidate = resolve(machine, packageName, work);
      if (candidate != null) {
        try {
          return downloaded(machine, candidate, work);
        } catch (ImageException e) {
          progress.update("the machine's package lists are too old: fetching new ones", 0, -1);
        }
      }
    }
    Apt own = Apt.ofOwn(apt, aptState);
    if (!ownListsFetched) {
      own.update(work, progress);
      ownListsFetched = true;
    }
    Apt.Candidate candidate = resolve(own, packageName, work);
    if (candidate == null) {
      throw new ImageException(
          "apt knows no package "
              + packageName
              + "; check the name and the sources, or "
              + OTHERWISE);
    }
    return downloaded(own, candidate, work);
  }

  private Downloaded downloaded(Apt apt, Apt.Candidate candidate, Path work) throws IOException {
    Path deb = apt.download(candidate, work, progress);
    return new Downloaded(deb, candidate.name(), candidate.version());
  }

  /** Follows a kernel meta package to the kernel that it stands for. */
  private static Apt.@Nullable Candidate resolve(Apt apt, String packageName, Path work)
      throws IOException {
    String name = packageName;
    for (int depth = 0; depth < MAX_META_DEPTH; depth++) {
      Apt.Candidate candidate = apt.show(name, work);
      if (candidate == null || KERNEL_NAME.matcher(name).matches()) {
        return candidate;
      }
      String next = null;
      for (String dependency : candidate.depends()) {
        if (dependency.startsWith("linux-image-") && !dependency.equals(name)) {
          next = dependency;
          break;
        }
      }
      if (next == null) {
        return candidate;
      }
      name = next;
    }
    return null;
  }

  /**
   * What a root file system with these packages consists of, each as NAME=VERSION: by the machine's
   * lists if those know them, else by our own, which are fetched.
   *
   * @param work an empty directory
   */
  List<String> installation(List<String> names, Path work) throws IOException {
    names.forEach(PackageCache::checkName);
    rootApt = null;
    Path programs = Apt.find(programPath);
    if (programs == null) {
      throw new ImageException(
          "there is no apt-get on this machine to fetch Debian's packages with: use one with apt");
    }
    if (System.getProperty("os.arch", "").equals("amd64")) {
      Apt machine = Apt.ofMachine(programs);
      try {
        progress.update("choosing packages", 0, -1);
        List<String> chosen = machine.installation(names, work);
        if (!chosen.isEmpty()) {
          rootApt = machine;
          return chosen;
        }
      } catch (ImageException e) {
        progress.update("the machine's package lists do not serve: fetching new ones", 0, -1);
      }
    }
    Apt own = Apt.ofOwn(programs, aptState);
    if (!ownListsFetched) {
      own.update(work, progress);
      ownListsFetched = true;
    }
    rootApt = own;
    return own.installation(names, work);
  }

  /** Downloads what {@link #installation} chose. */
  void download(List<String> chosen, Path work) throws IOException {
    Objects.requireNonNull(rootApt).download(chosen, work, progress);
  }

  static void deleteTree(Path root) throws IOException {
    if (!Files.isDirectory(root)) {
      return;
    }
    List<Path> all;
    try (Stream<Path> walk = Files.walk(root)) {
      all = walk.sorted((a, b) -> b.compareTo(a)).toList();
    }
    for (Path path : all) {
      Files.deleteIfExists(path);
    }
  }
}
