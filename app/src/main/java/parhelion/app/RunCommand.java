package parhelion.app;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import parhelion.toolstack.UserError;
import parhelion.toolstack.control.ControlServer;
import parhelion.toolstack.control.GuestNames;
import parhelion.toolstack.device.ConsoleConfig;
import parhelion.toolstack.device.DeviceConfig;
import parhelion.toolstack.device.PcExtra;
import parhelion.toolstack.device.PcInterface;
import parhelion.toolstack.steward.Steward;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** {@code parhelion run}: boots a kernel as a paravirtual guest and gives the user its console. */
@Command(
    name = "run",
    mixinStandardHelpOptions = true,
    description = {
      "Boots a Linux kernel as a Xen paravirtual guest and connects the terminal to its console.",
      "",
      "Without options: Debian's cloud kernel and busybox, fetched with apt-get download into a"
          + " cache, and a shell. Where neither apt nor a cache is there, the built-in tour guest.",
      "Leave the console with Ctrl-], which ends the guest."
    },
    sortOptions = false,
    exitCodeListHeading = "%nExit status:%n",
    exitCodeList = {
      "0:the guest has powered off",
      "1:it could not be started; one line says why",
      "2:the command line is wrong",
      "3:the guest crashed or panicked",
      "124:--timeout ran out",
      "other:with --cmd, the command's own status"
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  parhelion run",
      "  parhelion run --cmd 'uname -a; cat /sys/hypervisor/type'",
      "  parhelion run --package linux-image-amd64 --memory 512M --vcpus 2",
      "  parhelion run --share .:/src --cmd 'ls -l'",
      "  parhelion run --rootfs image.tar --share .:/src --cmd 'make test'",
      "  parhelion run --disk data.img --disk install.iso,cdrom",
      "  parhelion run --disk debian.qcow2,snapshot --root xvda1",
      "  parhelion run -p 8080:80 --cmd 'echo hello >index.html; httpd -f -p 80'",
      "  parhelion run --kernel vmlinuz --initrd ./rootfs --append 'debug'",
      "  parhelion run --mode full --disk debian.qcow2",
      "  parhelion run --mode full --interface xen --disk debian.qcow2",
      "  parhelion run --mode pvh --disk debian.qcow2 --root xvda1",
      "  parhelion run --mode full --bios seabios --disk install.iso,cdrom,bus=ide"
    })
final class RunCommand implements Callable<Integer> {
  @Option(
      names = "--mode",
      paramLabel = "para|full|pvh",
      converter = GuestMode.Word.class,
      defaultValue = "para",
      description =
          "How: as a paravirtual guest of Xen; fully virtualised on an emulated PC; or as Xen's"
              + " PVH, fully virtualised without any hardware (default: ${DEFAULT-VALUE}).")
  GuestMode mode = GuestMode.PARA;

  @Option(
      names = "--interface",
      paramLabel = "none|xen|kvm",
      converter = InterfaceWord.class,
      defaultValue = "none",
      description =
          "With --mode full: the paravirtual interface that the PC offers beside its hardware; with"
              + " xen, disks, networks, shares and consoles come by Xen's split drivers unless a"
              + " bus or model is named (default: ${DEFAULT-VALUE}).")
  PcInterface offered = PcInterface.NONE;

  @Option(
      names = "--bios",
      paramLabel = "seabios|FILE",
      description =
          "With --mode full: start this firmware instead of a kernel, Debian's SeaBIOS or an image;"
              + " it boots what it finds on disks, CDs and networks.")
  @Nullable Path bios;

  @Mixin KernelOptions boot = new KernelOptions();

  @Option(
      names = "--modules",
      paramLabel = "NAME,...",
      split = ",",
      description =
          "Kernel modules to load at boot, with what they need, beside those that devices need;"
              + " from the kernel's package.")
  List<String> modules = List.of();

  @Mixin DiskArguments disks = new DiskArguments();

  @Mixin ShareArguments shares = new ShareArguments();

  @Mixin NetworkArguments networks = new NetworkArguments();

  @Mixin ConsoleArguments consoles = new ConsoleArguments();

  @Option(names = "--virtio-rng", description = "Give a PC a source of random numbers, the host's.")
  boolean rng;

  @Option(
      names = "--virtio-balloon",
      paramLabel = "SIZE",
      converter = BalloonSize.class,
      description =
          "Give a PC a balloon, by which its system gives up so much of --memory, perhaps 0;"
              + " parhelion memory changes that.")
  @Nullable Integer balloonMib;

  @Mixin GuestOptions guest = new GuestOptions();

  @Option(
      names = "--name",
      paramLabel = "NAME",
      description =
          "What parhelion list, exec-in, copy and the others are to call the guest (default:"
              + " guest-PID).")
  @Nullable String name;

  @Option(
      names = "--cmd",
      paramLabel = "SHELL-COMMANDS",
      description =
          "Run these with sh in the guest, print what they print, power off, and exit with their"
              + " status.")
  @Nullable String cmd;

  @Override
  public Integer call() throws Exception {
    if (guest.trapModel != null && (mode == GuestMode.PARA || !guest.stats)) {
      throw new UserError(
          "--trap-model is about a PC's interceptions: add --mode full or pvh, and --stats");
    }
    if (offered != PcInterface.NONE && mode != GuestMode.FULL) {
      throw new UserError("--interface is about a PC: add --mode full");
    }
    if (bios != null && mode != GuestMode.FULL) {
      throw new UserError("--bios is for a PC: add --mode full");
    }
    if (bios != null
        && (boot.kernel != null
            || boot.packageName != null
            || boot.initrd != null
            || cmd != null
            || !boot.append.isEmpty())) {
      throw new UserError(
          "--bios starts what it finds: leave --kernel, --package, --initrd, --append and --cmd"
              + " out");
    }
    boot.check();
    if (cmd != null && boot.initrd != null) {
      throw new UserError("--cmd needs the built-in initramfs: leave --initrd out");
    }
    if (!modules.isEmpty() && (boot.initrd != null || boot.kernel != null)) {
      throw new UserError(
          "--modules needs a kernel of Debian's and the built-in initramfs: leave "
              + (boot.initrd != null ? "--initrd" : "--kernel")
              + " out");
    }
    if (cmd != null && disks.root != null) {
      throw new UserError("--cmd runs in the built-in initramfs: leave --root out");
    }
    if (boot.initrd != null && disks.root != null) {
      throw new UserError(
          "--root needs the built-in initramfs: leave --initrd out, or give --append root=...");
    }
    if (boot.initrd != null && !shares.isEmpty()) {
      throw new UserError(
          "--share and --rootfs need the built-in initramfs, which mounts them: leave --initrd"
              + " out");
    }
    if (disks.root != null && shares.rootfs != null) {
      throw new UserError("--root and --rootfs exclude each other: give one of them");
    }
    String called = name == null ? "guest-" + ProcessHandle.current().pid() : name;
    Steward steward = new Steward();
    List<DeviceConfig> devices = new ArrayList<>();
    if (hasXenDevices()) {
      devices.add(new ConsoleConfig(Steward.CONSOLE, steward));
    }
    Map<String, DeviceKind> kinds =
        Map.of(
            "disk", DiskArguments::attach,
            "net", networks::attach,
            "share", ShareArguments::attach,
            "console", ConsoleArguments::attach);
    try (SessionControl control = new SessionControl(called, guest, steward, kinds);
        ControlServer _ = listen(called, control);
        OpenNetworks opened = networks.open()) {
      devices.addAll(opened.devices());
      devices.addAll(disks.open());
      shares.open(devices);
      devices.addAll(consoles.open());
      addExtras(devices);
      if (hasVirtioSteward()) {
        devices.add(new ConsoleConfig(Steward.CONSOLE, steward));
      }
      return new GuestSession(guest, mode, offered, devices, control)
          .run(KernelChoice.of(this, devices, ProgressLine.forUser()));
    } finally {
      devices.forEach(DeviceConfig::close);
    }
  }

  /** Whether the guest has Xen's split drivers, and with them a second console. */
  boolean hasXenDevices() {
    return mode != GuestMode.FULL || offered == PcInterface.XEN;
  }

  /**
   * Whether the guest's steward has a console by virtio: on a PC that is called by a name, if its
   * modules can be loaded before it starts.
   */
  private boolean hasVirtioSteward() {
    return name != null
        && !hasXenDevices()
        && bios == null
        && boot.kernel == null
        && boot.initrd == null;
  }

  /** The number of the hvc line that the steward is to listen on; -1 if there is none. */
  int stewardLine() {
    return hasXenDevices() ? Steward.CONSOLE : hasVirtioSteward() ? consoles.count() : -1;
  }

  /** Reads none, xen or kvm. */
  static final class InterfaceWord implements ITypeConverter<PcInterface> {
    @Override
    public PcInterface convert(String text) {
      PcInterface read = PcInterface.of(text);
      if (read == null) {
        throw new TypeConversionException("'" + text + "' is not none, xen or kvm");
      }
      return read;
    }
  }

  /** Reads 0 or a size. */
  static final class BalloonSize implements ITypeConverter<Integer> {
    @Override
    public Integer convert(String text) {
      return text.equals("0") ? Integer.valueOf(0) : new MachineOptions.Mebibytes().convert(text);
    }
  }

  private void addExtras(List<DeviceConfig> devices) {
    if ((rng || balloonMib != null) && mode != GuestMode.FULL) {
      throw new UserError("--virtio-rng and --virtio-balloon are devices of a PC: add --mode full");
    }
    if (balloonMib != null && balloonMib >= guest.machine.memoryMib) {
      throw new UserError("--virtio-balloon takes all of --memory: give less");
    }
    if (rng) {
      devices.add(new PcExtra.Rng());
    }
    if (balloonMib != null) {
      devices.add(new PcExtra.Balloon(balloonMib));
    }
  }

  /** A guest that the user has not named need not be reached. */
  private @Nullable ControlServer listen(String called, SessionControl control) throws IOException {
    try {
      return ControlServer.open(GuestNames.ofUser(), called, control);
    } catch (UserError | IOException e) {
      if (name == null) {
        return null;
      }
      throw e;
    }
  }
}
