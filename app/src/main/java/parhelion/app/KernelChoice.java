package parhelion.app;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import parhelion.toolstack.UserError;
import parhelion.toolstack.debian.PackageCache;
import parhelion.toolstack.device.CardModel;
import parhelion.toolstack.device.DeviceConfig;
import parhelion.toolstack.device.NetworkDevice;
import parhelion.toolstack.device.OptionRoms;
import parhelion.toolstack.guest.PcSetup;
import parhelion.toolstack.guest.Tour;
import parhelion.toolstack.image.DefaultInitramfs;
import parhelion.toolstack.image.ElfCache;
import parhelion.toolstack.image.ElfImage;
import parhelion.toolstack.image.GuestCommand;
import parhelion.toolstack.image.GuestSetup;
import parhelion.toolstack.image.ImageException;
import parhelion.toolstack.image.Initramfs;
import parhelion.toolstack.image.KernelImage;
import parhelion.toolstack.image.KernelModules;
import parhelion.toolstack.image.KernelSymbols;
import parhelion.toolstack.image.ModuleSet;
import parhelion.toolstack.image.MultibootImage;
import parhelion.toolstack.image.Progress;
import parhelion.toolstack.image.StewardProgram;

/**
 * What {@code run} boots: found by the user's options, or by default.
 *
 * @param kernel null where a PC starts with something else
 * @param command what the guest is to run instead of a shell, if anything
 * @param start what a PC starts with instead of a Linux kernel, if it does
 */
record KernelChoice(
    String name,
    @Nullable ElfImage kernel,
    Supplier<@Nullable KernelSymbols> symbols,
    @Nullable ByteBuffer initrd,
    String commandLine,
    @Nullable GuestCommand command,
    PcSetup.@Nullable Start start) {
  private static final String DEFAULT_PACKAGE = "linux-image-cloud-amd64";

  /** The cloud kernel has no 9P, and no drivers for real hardware. */
  private static final String SHARING_PACKAGE = "linux-image-amd64";

  private static final String GRUB_PACKAGE = "grub-xen-host";
  private static final String NO_INITRD = "none";

  /** What stands for Debian's own firmware. */
  private static final String SEABIOS = "seabios";

  static KernelChoice of(RunCommand options, List<DeviceConfig> devices, Progress progress)
      throws IOException {
    PackageCache packages = PackageCache.ofUser(progress);
    if (options.bios != null) {
      return firmware(options.bios, devices, packages);
    }
    ModuleSet.Request request =
        options.boot.initrd == null && options.boot.kernel == null
            ? modules(options, devices)
            : ModuleSet.Request.NONE;
    PackageCache.@Nullable Kernel packaged = null;
    Path image = options.boot.kernel;
    if (image != null && image.toString().isEmpty()) {
      throw new UserError("--kernel names no file: give a bzImage or an ELF file with Xen notes");
    }
    if (image == null) {
      boolean hardware = PackageCache.areForPc(request.load());
      boolean small = options.shares.isEmpty() && !hardware;
      String otherwise = small ? DEFAULT_PACKAGE : SHARING_PACKAGE;
      String wanted = options.boot.packageName == null ? otherwise : options.boot.packageName;
      try {
        if (wanted.equals(GRUB_PACKAGE)) {
          image = packages.grub();
        } else {
          packaged =
              request.isEmpty()
                  ? packages.kernel(wanted)
                  : packages.kernelWithModules(wanted, hardware);
          image = packaged.image();
        }
      } catch (ImageException e) {
        if (options.boot.packageName != null
            || options.cmd != null
            || options.boot.initrd != null) {
          throw e;
        }
        System.err.println("parhelion: " + e.getMessage() + "; booting the built-in tour guest");
        return tour("");
      }
    }
    if (options.mode == GuestMode.FULL && packaged == null) {
      MultibootImage multiboot = MultibootImage.open(image, KernelImage.DEFAULT_LIMIT_BYTES);
      if (multiboot != null) {
        return multiboot(multiboot, options);
      }
    }
    ElfImage kernel =
        ElfImage.of(
            KernelImage.open(image, ElfCache.ofUser(), KernelImage.DEFAULT_LIMIT_BYTES, progress));
    boolean linux = kernel.xenNotes().guestOs().equalsIgnoreCase("linux");
    if (options.cmd != null && !linux) {
      throw new UserError(image.getFileName() + ": --cmd needs a Linux kernel: leave it out");
    }
    String toRun = options.shares.command(options.cmd);
    GuestCommand command = toRun == null ? null : GuestCommand.of(toRun);
    Path moduleDirectory = packaged == null ? null : packaged.modules();
    ModuleSet modules =
        moduleDirectory == null
            ? ModuleSet.NONE
            : KernelModules.open(moduleDirectory).select(request);
    GuestSetup setup =
        new GuestSetup(
            command, modules, options.shares.texts(options.cmd, options.hasXenDevices()));
    ByteBuffer initrd =
        options.boot.initrd == null
            ? linux ? ByteBuffer.wrap(DefaultInitramfs.of(packages.busybox(), setup)) : null
            : given(options.boot.initrd);
    Path map = packaged == null ? null : packaged.systemMap();
    return new KernelChoice(
        packaged == null ? image.getFileName().toString() : packaged.packageName(),
        kernel,
        () -> KernelSymbols.of(kernel, map),
        initrd,
        commandLine(console(options, linux), command, words(options, linux)),
        command,
        null);
  }

  /** What the command line says beyond the command: of devices, and what the user adds. */
  private static String words(RunCommand options, boolean linux) {
    boolean ours = options.boot.initrd == null && options.disks.root == null;
    String networks = ours ? options.networks.kernelWords() : "";
    int line = linux && options.boot.initrd == null ? options.stewardLine() : -1;
    String steward = line < 0 ? "" : StewardProgram.kernelArgument(line);
    return String.join(" ", options.disks.rootWords(), networks, steward, options.boot.append)
        .strip();
  }

  private static ModuleSet.Request modules(RunCommand options, List<DeviceConfig> devices) {
    ModuleSet.Request request = new ModuleSet.Request(options.modules, List.of());
    for (DeviceConfig device : devices) {
      boolean full = options.mode == GuestMode.FULL;
      request = request.and(full ? device.pcModules(options.offered) : device.modules());
    }
    return request;
  }

  /** A multiboot kernel: --initrd names its modules, each with words of its own. */
  private static KernelChoice multiboot(MultibootImage kernel, RunCommand options)
      throws IOException {
    if (options.cmd != null) {
      throw new UserError(kernel.name() + ": --cmd needs a Linux kernel: leave it out");
    }
    List<PcSetup.Module> modules = new ArrayList<>();
    String given = options.boot.initrd == null ? NO_INITRD : options.boot.initrd.toString();
    if (!given.equals(NO_INITRD)) {
      for (String each : given.split(",")) {
        ByteBuffer bytes = given(Path.of(each.split(" ", 2)[0]));
        if (bytes != null) {
          modules.add(new PcSetup.Module(bytes, each));
        }
      }
    }
    String name = Path.of(kernel.name()).getFileName().toString();
    String line = (name + ' ' + options.boot.append).strip();
    PcSetup.Start start = new PcSetup.Multiboot(kernel, modules, line);
    return new KernelChoice(name, null, () -> null, null, "", null, start);
  }

  /** The VGA BIOS, for its glyphs, where that is in the cache. */
  static OptionRoms videoRoms() throws IOException {
    PackageCache packages = PackageCache.ofUser(Progress.NONE);
    return packages.has(SEABIOS)
        ? new OptionRoms(Files.readAllBytes(packages.videoBios()), Map.of())
        : OptionRoms.NONE;
  }

  /** Firmware, which starts what it finds on disks, CDs and networks. */
  private static KernelChoice firmware(
      Path given, List<DeviceConfig> devices, PackageCache packages) throws IOException {
    boolean debians = given.toString().equals(SEABIOS);
    Path file = debians ? packages.seabios() : given;
    if (!Files.isRegularFile(file)) {
      throw new UserError(
          "--bios " + given + ": is no file: give an image of firmware, or " + SEABIOS);
    }
    long size = Files.size(file);
    if (size < 64 << 10 || size > 16 << 20 || size % 4096 != 0) {
      throw new UserError(
          "--bios "
              + given
              + ": firmware of "
              + size
              + " bytes: give an image of 64 KiB to 16 MiB, whole pages, or "
              + SEABIOS);
    }
    String name = debians ? SEABIOS : file.getFileName().toString();
    Map<CardModel, byte[]> cards = new EnumMap<>(CardModel.class);
    for (DeviceConfig device : devices) {
      CardModel model = device instanceof NetworkDevice card ? card.emulated() : null;
      if (model != null && !cards.containsKey(model)) {
        byte[] rom = bootRom(model, packages);
        if (rom.length > 0) {
          cards.put(model, rom);
        }
      }
    }
    PcSetup.Firmware start =
        new PcSetup.Firmware(Files.readAllBytes(file), new OptionRoms(videoRoms().video(), cards));
    return new KernelChoice(name, null, () -> null, null, "", null, start);
  }

  /** What lets firmware boot from the network: without it, there are still disks. */
  private static byte[] bootRom(CardModel model, PackageCache packages) throws IOException {
    try {
      return Files.readAllBytes(packages.bootRom(model));
    } catch (ImageException e) {
      System.err.println("parhelion: " + e.getMessage() + "; not booting from the network");
      return new byte[0];
    }
  }

  /** The guest that is built in. */
  static KernelChoice tour(String words) throws IOException {
    ElfImage kernel = Tour.kernel();
    return new KernelChoice(
        "tour", kernel, () -> KernelSymbols.of(kernel, null), null, words, null, null);
  }

  /** The console that Linux is to use, or nothing for other kernels. */
  private static String console(RunCommand options, boolean linux) {
    return !linux ? "" : options.mode == GuestMode.FULL ? "console=ttyS0" : "console=hvc0";
  }

  private static String commandLine(String console, @Nullable GuestCommand command, String append) {
    StringBuilder line = new StringBuilder();
    if (!console.isEmpty()) {
      line.append(console);
      if (command != null) {
        line.append(" quiet loglevel=1 ").append(command.kernelArguments());
      }
    }
    if (!append.isEmpty()) {
      line.append(line.isEmpty() ? "" : " ").append(append);
    }
    return line.toString();
  }

  private static @Nullable ByteBuffer given(Path given) throws IOException {
    if (given.toString().equals(NO_INITRD)) {
      return null;
    }
    if (Files.isDirectory(given)) {
      return ByteBuffer.wrap(new Initramfs().tree(given).toBytes());
    }
    if (!Files.isRegularFile(given)) {
      throw new UserError(
          "--initrd "
              + given
              + (Files.exists(given) ? ": is neither a file nor a directory" : ": does not exist")
              + ": give an initramfs, or a directory to make one of");
    }
    try (FileChannel file = FileChannel.open(given, StandardOpenOption.READ)) {
      if (file.size() == 0 || file.size() > Integer.MAX_VALUE) {
        throw new UserError(
            "--initrd "
                + given
                + ": an initrd of "
                + file.size()
                + " bytes cannot be loaded: give another");
      }
      return file.map(FileChannel.MapMode.READ_ONLY, 0, file.size());
    }
  }
}
