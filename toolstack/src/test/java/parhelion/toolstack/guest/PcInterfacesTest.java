package parhelion.toolstack.guest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import parhelion.cpu.CpuModel;
import parhelion.cpu.Engine;
import parhelion.media.disk.DiskImages;
import parhelion.media.disk.DiskOptions;
import parhelion.media.disk.ImageFormat;
import parhelion.media.net.MacAddress;
import parhelion.media.net.nat.NatNetwork;
import parhelion.media.net.nat.config.NatConfig;
import parhelion.pc.intercept.Cause;
import parhelion.pc.time.CountedClock;
import parhelion.pc.time.HostClock;
import parhelion.toolstack.CpuChoice;
import parhelion.toolstack.debian.PackageCache;
import parhelion.toolstack.device.BlockConfig;
import parhelion.toolstack.device.DeviceConfig;
import parhelion.toolstack.device.DiskBus;
import parhelion.toolstack.device.NetworkDevice;
import parhelion.toolstack.device.PcInterface;
import parhelion.toolstack.image.DefaultInitramfs;
import parhelion.toolstack.image.ElfCache;
import parhelion.toolstack.image.ElfImage;
import parhelion.toolstack.image.GuestCommand;
import parhelion.toolstack.image.ImageException;
import parhelion.toolstack.image.KernelImage;
import parhelion.toolstack.image.KernelModules;
import parhelion.toolstack.image.ModuleSet;
import parhelion.toolstack.image.Progress;

/**
 * Debian's unmodified cloud kernel with the interfaces that a PC offers, and without a PC (PVH), to
 * a command's end. Skipped where neither cache nor apt has the packages.
 */
@Tag("boot")
@Timeout(value = 30, unit = TimeUnit.MINUTES)
final class PcInterfacesTest {
  private static final PackageCache CACHE = PackageCache.ofUser(Progress.NONE);
  private static final int DISK_BYTES = 4 << 20;

  private static final String DISK_AND_NETWORK =
      "ls /sys/bus/xen/devices; tr a-z A-Z </dev/xvda | head -c 6; echo;"
          + " echo written | dd of=/dev/xvda bs=512 seek=3 conv=fsync 2>/dev/null;"
          + " ping -c 2 -W 20 10.0.2.2 | grep received; nproc;"
          + " cat /sys/devices/system/clocksource/clocksource0/current_clocksource;"
          + " dmesg | grep -cE 'BUG:|WARNING:|Oops'; cat /proc/interrupts";

  @TempDir Path directory;
  private final StringBuilder console = new StringBuilder();
  private final List<DeviceConfig> devices = new ArrayList<>();

  private int take(byte[] bytes, int offset, int length) {
    console.append(new String(bytes, offset, length, StandardCharsets.ISO_8859_1));
    return length;
  }

  private Path disk(DiskBus bus) throws IOException {
    Path image = directory.resolve("disk.img");
    try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "rw")) {
      file.setLength(DISK_BYTES);
      file.write("marked".getBytes(StandardCharsets.US_ASCII));
    }
    DiskOptions options = DiskOptions.WRITABLE.withFormat(ImageFormat.RAW);
    devices.add(BlockConfig.of("xvda", DiskImages.open(image, options), false, false, 512, bus));
    return image;
  }

  private void network() throws IOException {
    devices.add(
        new NetworkDevice(
            0,
            MacAddress.ofDevice(1, 0),
            NetworkDevice.DEFAULT_MTU,
            NatNetwork.open(NatConfig.DEFAULT)));
  }

  private GuestConfig config(String commands, PcInterface offered, int vcpus, Engine engine) {
    ModuleSet.Request request = ModuleSet.Request.NONE;
    for (DeviceConfig device : devices) {
      request = request.and(device.pcModules(offered));
    }
    PackageCache.Kernel kernel;
    byte[] initrd;
    GuestCommand command = new GuestCommand(commands, "0123456789abcdef");
    try {
      kernel = CACHE.kernelWithModules("linux-image-cloud-amd64");
      initrd =
          DefaultInitramfs.build(
              CACHE.busybox(),
              command,
              KernelModules.open(Objects.requireNonNull(kernel.modules())).select(request));
    } catch (ImageException e) {
      return Assumptions.abort("no packages to boot: " + e.getMessage());
    }
    String net = devices.size() > 1 ? " parhelion.net=eth0:dhcp:1500" : "";
    return new GuestConfig(
        "test",
        ElfImage.of(
            KernelImage.open(
                kernel.image(), ElfCache.ofUser(), KernelImage.DEFAULT_LIMIT_BYTES, Progress.NONE)),
        () -> null,
        ByteBuffer.wrap(initrd),
        "quiet loglevel=1 " + command.kernelArguments() + net,
        256,
        vcpus,
        new CpuChoice(CpuModel.V2, engine),
        devices);
  }

  private static GuestConfig onConsole(GuestConfig c, String line) {
    return new GuestConfig(
        c.name(),
        c.kernel(),
        c.symbols(),
        c.initrd(),
        "console=" + line + " " + c.commandLine(),
        c.memoryMib(),
        c.vcpus(),
        c.cpu(),
        c.devices());
  }

  /** Runs a guest to its end, closes what it had, and returns what it printed. */
  private String run(PcSetup setup) {
    try (PcGuest guest = new PcGuest(setup, new HostClock(), this::take)) {
      assertEquals(Outcome.Kind.POWEROFF, guest.run().kind(), console::toString);
      stats = guest.stats();
      counts = guest.counts();
    } finally {
      devices.forEach(DeviceConfig::close);
    }
    return console.toString().replace("\r", "");
  }

  private PcStats stats;
  private GuestCounts counts;

  private void assertSplitDrivers(String text, Path image, int vcpus) throws IOException {
    assertTrue(text.contains("vbd-51712"), text);
    assertTrue(text.contains("vif-0"), text);
    assertTrue(text.contains("MARKED\n"), text);
    assertTrue(text.contains("2 packets received"), text);
    assertTrue(text.contains("\n" + vcpus + "\nxen\n0\n"), text);
    try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "r")) {
      file.seek(3 * 512);
      assertEquals("written", file.readLine());
    }
    assertTrue(stats.asTable().contains("xen EVTCHNOP_send"), stats::asTable);
    assertTrue(stats.asTable().contains("xen VCPUOP_set_singleshot_timer"), stats::asTable);
    assertTrue(counts.hypercalls().containsKey("event_channel_op:EVTCHNOP_send"));
    assertTrue(counts.interceptions().containsKey("hypercall:vcpu_op"));
  }

  private void xenUnderAPc(int vcpus, Engine engine) throws IOException {
    Path image = disk(null);
    network();
    GuestConfig config = config(DISK_AND_NETWORK, PcInterface.XEN, vcpus, engine);
    String text = run(PcSetup.of(onConsole(config, "ttyS0"), PcInterface.XEN));
    assertSplitDrivers(text, image, vcpus);
    assertTrue(text.contains("IO-APIC   4-edge      ttyS0"), text);
  }

  private void xenWithoutAPc(int vcpus, Engine engine) throws IOException {
    Path image = disk(null);
    network();
    GuestConfig config = config(DISK_AND_NETWORK, PcInterface.XEN, vcpus, engine);
    String text = run(PcSetup.pvh(onConsole(config, "hvc0")));
    assertSplitDrivers(text, image, vcpus);
    assertTrue(!text.contains("IO-APIC"), text);
    for (Cause cause : new Cause[] {Cause.PORT_READ, Cause.PORT_WRITE, Cause.MEMORY_WRITE}) {
      assertTrue(
          stats.rows().stream()
              .filter(row -> row.cause() == cause)
              .allMatch(row -> row.device().equals("nobody") || row.device().equals("lapic")),
          stats::asTable);
    }
  }

  @ParameterizedTest
  @CsvSource({"1", "2"})
  void xensInterfaceUnderAPcHasDiskAndNetworkBySplitDrivers(int vcpus) throws IOException {
    xenUnderAPc(vcpus, Engine.AUTO);
  }

  @ParameterizedTest
  @CsvSource({"1", "2"})
  void aKernelWithoutTheCallbacksVectorIsToldOfEventsByAnInterruptLine(int vcpus)
      throws IOException {
    Path image = disk(null);
    network();
    GuestConfig config = config(DISK_AND_NETWORK, PcInterface.XEN, vcpus, Engine.AUTO);
    config = onConsole(config, "ttyS0 xen_no_vector_callback");
    String text = run(PcSetup.of(config, PcInterface.XEN));
    assertTrue(text.contains("MARKED\n"), text);
    assertTrue(text.contains("2 packets received"), text);
    assertTrue(Pattern.compile("\n" + vcpus + "\n\\w+\n0\n").matcher(text).find(), text);
    try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "r")) {
      file.seek(3 * 512);
      assertEquals("written", file.readLine());
    }
    assertTrue(
        Pattern.compile(":.* [1-9]\\d* .*fasteoi +xen-platform-pci").matcher(text).find(), text);
    assertTrue(!text.contains("Hypervisor callback"), text);
  }

  @ParameterizedTest
  @CsvSource({"1", "2"})
  void aPvhGuestHasNothingButSplitDrivers(int vcpus) throws IOException {
    xenWithoutAPc(vcpus, Engine.AUTO);
  }

  @Test
  void aPvhRunRepeatsUnderTheVirtualClock() {
    String[] runs = new String[2];
    for (int i = 0; i < 2; i++) {
      console.setLength(0);
      GuestConfig config =
          config("cat /proc/uptime /proc/interrupts", PcInterface.XEN, 2, Engine.AUTO);
      PcSetup setup = PcSetup.pvh(onConsole(config, "hvc0"));
      CountedClock clock = new CountedClock(Instant.EPOCH);
      try (PcGuest guest = new PcGuest(setup, clock, this::take)) {
        guest.withoutTimes();
        assertEquals(Outcome.Kind.POWEROFF, guest.run().kind(), console::toString);
        runs[i] = guest.stats().instructions() + " " + clock.nanos() + " " + console;
      }
    }
    assertEquals(runs[0], runs[1]);
  }

  @Tag("full")
  @Test
  void theInterpreterRunsThemToo() throws IOException {
    xenUnderAPc(1, Engine.INTERPRETER);
    console.setLength(0);
    devices.clear();
    xenWithoutAPc(2, Engine.INTERPRETER);
  }

  @Test
  void theDisksOfThePcAreTakenAwayFromAKernelThatHasXensDrivers() throws IOException {
    String commands = "ls /sys/block; echo end-of-list; dmesg | grep -c 'unplug emulated disks'";
    for (PcInterface offered : new PcInterface[] {PcInterface.NONE, PcInterface.XEN}) {
      devices.clear();
      console.setLength(0);
      Path unused = disk(DiskBus.VIRTIO);
      GuestConfig config = config(commands, offered, 1, Engine.AUTO);
      String text = run(PcSetup.of(onConsole(config, "ttyS0"), offered));
      boolean xen = offered == PcInterface.XEN;
      assertTrue(text.contains("end-of-list\n" + (xen ? 1 : 0) + "\n"), text);
      assertEquals(!xen, text.contains("vda"), text);
      assertEquals(xen, stats.asTable().contains("Xen unplug"), stats::asTable);
    }
  }

  @ParameterizedTest
  @CsvSource({"1", "3"})
  void kvmsInterfaceKeepsTimeAndEndsInterrupts(int vcpus) {
    String commands =
        "cat /sys/devices/system/clocksource/clocksource0/current_clocksource; dmesg | grep -o"
            + " 'kvm-guest: .*'; nproc; for i in 1 2 3 4; do (dd if=/dev/zero bs=64k count=8"
            + " 2>/dev/null | sha256sum) & done; wait; dmesg | grep -cE 'BUG:|WARNING:|Oops'";
    GuestConfig config = config(commands, PcInterface.KVM, vcpus, Engine.AUTO);
    String text = run(PcSetup.of(onConsole(config, "ttyS0"), PcInterface.KVM));
    assertTrue(text.contains("kvm-clock\n"), text);
    String sum = "07854d2fef297a06ba81685e660c332de36d5d18d546927d30daad6d7fda1541  -";
    assertEquals(4, text.split(sum, -1).length - 1, text);
    assertTrue(text.contains("  -\n0\n"), text);
    for (String feature :
        List.of("setup PV IPIs", "KVM setup pv remote TLB flush", "PV spinlocks enabled")) {
      assertEquals(vcpus > 1, text.contains(feature), text);
    }
    String table = stats.asTable();
    for (String register : List.of("0x4b564d00", "0x4b564d01", "0x4b564d03", "0x4b564d04")) {
      assertTrue(table.contains(register), table);
    }
    long ends =
        stats.rows().stream()
            .filter(row -> row.device().equals("lapic") && row.register().equals("0x80b"))
            .mapToLong(row -> row.count())
            .sum();
    long injected =
        stats.rows().stream()
            .filter(row -> row.cause() == Cause.INJECTION && row.register().startsWith("vector"))
            .mapToLong(row -> row.count())
            .sum();
    assertTrue(ends < injected / 2, ends + " of " + injected + " interrupts ended by the register");
  }
}
