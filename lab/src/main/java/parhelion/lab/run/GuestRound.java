package parhelion.lab.run;

import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Timer;
import java.util.TimerTask;
import org.jspecify.annotations.Nullable;
import parhelion.lab.workload.Need;
import parhelion.lab.workload.Roster;
import parhelion.lab.workload.Workload;
import parhelion.media.disk.DiskImages;
import parhelion.media.disk.DiskOptions;
import parhelion.media.disk.ImageFormat;
import parhelion.media.net.MacAddress;
import parhelion.media.net.nat.NatNetwork;
import parhelion.media.net.nat.config.HostService;
import parhelion.media.net.nat.config.NatConfig;
import parhelion.pc.time.CountedClock;
import parhelion.pc.time.HostClock;
import parhelion.toolstack.device.BlockConfig;
import parhelion.toolstack.device.DeviceConfig;
import parhelion.toolstack.device.NetworkDevice;
import parhelion.toolstack.device.PcInterface;
import parhelion.toolstack.guest.ConsoleTail;
import parhelion.toolstack.guest.Guest;
import parhelion.toolstack.guest.GuestConfig;
import parhelion.toolstack.guest.Outcome;
import parhelion.toolstack.guest.PcGuest;
import parhelion.toolstack.guest.PcSetup;
import parhelion.toolstack.guest.PvGuest;
import parhelion.toolstack.image.ModuleSet;
import parhelion.xen.RealClock;
import parhelion.xen.VirtualClock;

/**
 * One boot of a guest with a kernel, in which all rows are done once. {@link #run} on the calling
 * thread; {@link #stop} from any other.
 */
final class GuestRound {
  /** The date in guests of a virtual clock: 2026-01-01. */
  private static final long VIRTUAL_START_SECONDS = 1_767_225_600L;

  /** A boot may take so long on a slow host, and a row so many times what it is measured. */
  private static final int BOOT_SECONDS = 120;

  private static final int ROW_FACTOR = 50;

  /** An instruction takes longer than the nanosecond that the virtual clock says, or is counted. */
  private static final int VIRTUAL_FACTOR = 10;

  private static final int ROW_SECONDS = 5;

  /** Where guests find the service, at their gateway. */
  private static final int SERVICE_PORT = 7000;

  private final LabConfig config;
  private final LabKernel kernel;
  private final Userland userland;
  private final Machine machine;
  private final @Nullable Scratch scratch;
  private final @Nullable NetService service;
  private final ConsoleTail console = new ConsoleTail();
  private volatile @Nullable Guest running;
  private volatile boolean stopped;

  /**
   * A boot to come.
   *
   * @param scratch where the disk's image is; null for a guest without a disk
   * @param service what its network leads to; null for a guest without one
   */
  GuestRound(
      LabConfig config,
      LabKernel kernel,
      Userland userland,
      Machine machine,
      @Nullable Scratch scratch,
      @Nullable NetService service) {
    this.config = config;
    this.kernel = kernel;
    this.userland = userland;
    this.machine = machine;
    this.scratch = scratch;
    this.service = service;
  }

  /**
   * Boots and does the workloads' rows.
   *
   * @param progress told of what is measured
   * @return the samples, where what has none has a failure; null if it was stopped before
   */
  @Nullable Round run(List<Workload> workloads, LabProgress progress) throws IOException {
    List<Workload> rows =
        workloads.stream().filter(workload -> !workload.id().equals(Roster.BOOT)).toList();
    List<DeviceConfig> devices = new ArrayList<>();
    try {
      plug(workloads, devices);
      ModuleSet.Request request = LabKernel.request(devices, machine.offered());
      GuestConfig guestConfig =
          new GuestConfig(
              "lab",
              kernel.image(),
              kernel.symbols(),
              userland.initramfs(
                  rows.stream().map(this::row).toList(),
                  config.command(),
                  kernel.modules(request),
                  config.rowMillis()),
              commandLine(devices),
              config.memoryMib(),
              config.vcpus(),
              config.cpu(),
              devices);
      try (Guest guest = build(guestConfig)) {
        return run(guest, workloads, rows, progress);
      }
    } finally {
      devices.forEach(DeviceConfig::close);
    }
  }

  private void plug(List<Workload> workloads, List<DeviceConfig> devices) throws IOException {
    Scratch disks = scratch;
    if (disks != null && needs(workloads, Need.DISK)) {
      DiskOptions options = DiskOptions.WRITABLE.withFormat(ImageFormat.RAW);
      devices.add(
          BlockConfig.of(
              "xvda", DiskImages.open(disks.disk(), options), false, false, 512, machine.bus()));
    }
    NetService served = service;
    if (served != null && needs(workloads, Need.NETWORK)) {
      NatConfig nat =
          NatConfig.DEFAULT
              .withAllow(List.of())
              .withServices(
                  List.of(
                      HostService.parse(SERVICE_PORT + ":" + served.tcpPort()),
                      HostService.parse(SERVICE_PORT + ":" + served.udpPort() + "/udp")));
      devices.add(
          new NetworkDevice(
              0,
              MacAddress.ofDevice(1, 0),
              NetworkDevice.DEFAULT_MTU,
              NatNetwork.open(nat),
              machine.card()));
    }
  }

  static boolean needs(List<Workload> workloads, Need need) {
    return workloads.stream().anyMatch(workload -> workload.need() == need);
  }

  /** Rows of the network are told where the service is. */
  private String row(Workload workload) {
    String address = NatConfig.DEFAULT.subnet().gateway4().toString();
    long number = 0;
    for (String part : address.split("\\.", -1)) {
      number = number << 8 | Integer.parseInt(part);
    }
    return workload.row().replace("IP PORT", number + " " + SERVICE_PORT);
  }

  /** The kernel's; the program is the first process in any case. */
  private String commandLine(List<DeviceConfig> devices) {
    return String.join(
            " ",
            "console=" + machine.console(),
            "quiet loglevel=1 rdinit=" + LabProgram.PATH,
            userland.kernelWords(deviceWords(devices), config.rowMillis()),
            config.append())
        .strip();
  }

  private static String deviceWords(List<DeviceConfig> devices) {
    return devices.stream().anyMatch(NetworkDevice.class::isInstance)
        ? "parhelion.net=eth0:dhcp:" + NetworkDevice.DEFAULT_MTU
        : "";
  }

  private Guest build(GuestConfig guestConfig) {
    PcInterface offered = machine.offered();
    Guest guest;
    if (offered != null) {
      PcGuest pc =
          new PcGuest(
              machine.bare() ? PcSetup.pvh(guestConfig) : PcSetup.of(guestConfig, offered),
              config.virtualClock()
                  ? new CountedClock(Instant.ofEpochSecond(VIRTUAL_START_SECONDS))
                  : new HostClock(),
              console);
      if (config.virtualClock()) {
        pc.countUnassisted(); // the host's time, which that takes, is no figure there
      }
      guest = pc;
    } else {
      guest =
          new PvGuest(
              guestConfig,
              config.virtualClock()
                  ? new VirtualClock(VIRTUAL_START_SECONDS * 1_000_000_000L)
                  : new RealClock(),
              console);
    }
    if (config.virtualClock()) {
      guest.repeatRandom(config.seed());
    }
    return guest;
  }

  private @Nullable Round run(
      Guest guest, List<Workload> workloads, List<Workload> rows, LabProgress progress) {
    MarkRecorder recorder =
        new MarkRecorder(
            rows, guest::counts, () -> guest.stop(Outcome.Kind.LEFT), progress::measuring);
    guest.onMark(recorder);
    Timer timer = new Timer("lab timeout", true);
    timer.schedule(
        new TimerTask() {
          @Override
          public void run() {
            guest.stop(Outcome.Kind.TIMEOUT);
          }
        },
        patienceMillis(rows.size()));
    running = guest;
    try {
      if (stopped) {
        return null;
      }
      recorder.powerOn();
      Outcome outcome = guest.run();
      return Round.of(guest.engine(), workloads, recorder, why(outcome));
    } finally {
      running = null;
      timer.cancel();
    }
  }

  private long patienceMillis(int rows) {
    return 1000L * BOOT_SECONDS
        + rows
            * (1000L * ROW_SECONDS + (long) ROW_FACTOR * config.rowMillis())
            * (config.virtualClock() ? VIRTUAL_FACTOR : 1);
  }

  /** Why rows were not done, if some were not. */
  private String why(Outcome outcome) {
    String how =
        switch (outcome.kind()) {
          case TIMEOUT -> "the guest took too long";
          case CRASH, WATCHDOG -> "the guest crashed";
          case LEFT -> "interrupted";
          case POWEROFF, REBOOT, SUSPEND -> "the guest ended before it was done";
        };
    List<String> said = console.lines(1);
    return said.isEmpty() || outcome.kind() == Outcome.Kind.LEFT
        ? how
        : how + "; its console's last line: " + said.getFirst();
  }

  /** Ends the guest soon. Any thread. */
  void stop() {
    stopped = true;
    Guest guest = running;
    if (guest != null) {
      guest.stop(Outcome.Kind.LEFT);
    }
  }
}
