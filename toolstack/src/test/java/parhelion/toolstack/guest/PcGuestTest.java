package parhelion.toolstack.guest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import parhelion.cpu.CpuModel;
import parhelion.cpu.Engine;
import parhelion.pc.PcMachine;
import parhelion.pc.intercept.Cause;
import parhelion.pc.intercept.Intercepts;
import parhelion.pc.time.CountedClock;
import parhelion.pc.time.HostClock;
import parhelion.pc.time.MachineClock;
import parhelion.toolstack.CpuChoice;
import parhelion.toolstack.debian.PackageCache;
import parhelion.toolstack.device.OptionRoms;
import parhelion.toolstack.image.DefaultInitramfs;
import parhelion.toolstack.image.ElfCache;
import parhelion.toolstack.image.ElfImage;
import parhelion.toolstack.image.GuestCommand;
import parhelion.toolstack.image.ImageException;
import parhelion.toolstack.image.KernelImage;
import parhelion.toolstack.image.MultibootImage;
import parhelion.toolstack.image.Progress;

/**
 * Debian's cloud kernel under full virtualisation, to a command's end, and firmware. Skipped where
 * neither cache nor apt has the packages.
 */
@Tag("boot")
@Timeout(value = 20, unit = TimeUnit.MINUTES)
final class PcGuestTest {
  private static final PackageCache CACHE = PackageCache.ofUser(Progress.NONE);

  @TempDir Path temporary = Path.of("");

  private final StringBuilder console = new StringBuilder();

  private PcGuest guest(String commands, int vcpus, Engine engine, MachineClock clock) {
    PackageCache.Kernel kernel;
    Path busybox;
    try {
      kernel = CACHE.kernel("linux-image-cloud-amd64");
      busybox = CACHE.busybox();
    } catch (ImageException e) {
      return Assumptions.abort("no packages to boot: " + e.getMessage());
    }
    ElfImage elf =
        ElfImage.of(
            KernelImage.open(
                kernel.image(), ElfCache.ofUser(), KernelImage.DEFAULT_LIMIT_BYTES, Progress.NONE));
    GuestCommand command = new GuestCommand(commands, "0123456789abcdef");
    GuestConfig config =
        new GuestConfig(
            "test",
            elf,
            () -> null,
            ByteBuffer.wrap(DefaultInitramfs.build(busybox, command)),
            "console=ttyS0 quiet loglevel=1 " + command.kernelArguments(),
            256,
            vcpus,
            new CpuChoice(CpuModel.V2, engine),
            List.of());
    return new PcGuest(PcSetup.of(config), clock, this::take);
  }

  private int take(byte[] bytes, int offset, int length) {
    console.append(new String(bytes, offset, length, StandardCharsets.ISO_8859_1));
    return length;
  }

  @ParameterizedTest
  @EnumSource(names = {"REWRITER", "INTERPRETER"})
  void theCloudKernelRunsACommandOnEitherEngine(Engine engine) {
    String commands =
        "uname -sm; grep -o -w -m1 smap /proc/cpuinfo; cat /proc/interrupts; dmesg | grep -ciE"
            + " 'BUG:|WARNING:|Oops'";
    try (PcGuest guest = guest(commands, 1, engine, new HostClock())) {
      assertEquals(Outcome.Kind.POWEROFF, guest.run().kind(), console::toString);
      String text = console.toString().replace("\r", "");
      assertTrue(text.contains("Linux x86_64\n"), text);
      assertTrue(text.contains("\nsmap\n"), text);
      assertTrue(text.contains("IO-APIC   4-edge      ttyS0"), text);
      assertTrue(text.contains("IO-APIC   9-fasteoi   acpi"), text);
      assertTrue(text.contains("\n0\n"), text);
      assertTrue(text.contains("parhelion-exit-status: 0123456789abcdef 1"), text);
      assertCounted(guest.stats());
    }
  }

  /** What such a boot cannot do without. */
  private static void assertCounted(PcStats stats) {
    for (Cause cause :
        new Cause[] {
          Cause.PORT_READ,
          Cause.PORT_WRITE,
          Cause.MEMORY_WRITE,
          Cause.MSR_WRITE,
          Cause.CONTROL_WRITE,
          Cause.CPUID,
          Cause.INJECTION
        }) {
      assertTrue(
          stats.rows().stream().anyMatch(row -> row.cause() == cause && row.count() > 0),
          () -> cause + " is not in " + stats.asTable());
    }
    long ends = count(stats, "lapic", "+0xb0");
    long injected =
        stats.rows().stream()
            .filter(row -> row.cause() == Cause.INJECTION && row.register().startsWith("vector"))
            .mapToLong(Intercepts.Row::count)
            .sum();
    assertEquals(injected, ends, 2, "every interrupt is ended once");
  }

  private static long count(PcStats stats, String device, String register) {
    return stats.rows().stream()
        .filter(row -> row.device().equals(device) && row.register().equals(register))
        .mapToLong(Intercepts.Row::count)
        .sum();
  }

  @Test
  void fourProcessorsAreBroughtUpAndAllWork() {
    String commands =
        "nproc; for i in 1 2 3 4; do (dd if=/dev/zero bs=64k count=8 2>/dev/null | sha256sum) &"
            + " done; wait; grep -E '^cpu[0-3]' /proc/stat | awk '{ print \"worked\", ($2 + $4 > 0)"
            + " }'";
    try (PcGuest guest = guest(commands, 4, Engine.AUTO, new HostClock())) {
      assertEquals(Outcome.Kind.POWEROFF, guest.run().kind(), console::toString);
      String text = console.toString().replace("\r", "");
      assertTrue(text.startsWith("4\n") || text.contains("\n4\n"), text);
      String sum = "07854d2fef297a06ba81685e660c332de36d5d18d546927d30daad6d7fda1541  -";
      assertEquals(4, text.split(sum, -1).length - 1, text);
      assertEquals(4, text.split("worked 1\n", -1).length - 1, text);
    }
  }

  @Test
  void runsRepeatUnderTheVirtualClock() {
    String[] runs = new String[2];
    for (int i = 0; i < 2; i++) {
      console.setLength(0);
      MachineClock clock = new CountedClock(Instant.EPOCH);
      try (PcGuest guest = guest("cat /proc/uptime /proc/interrupts", 2, Engine.AUTO, clock)) {
        guest.withoutTimes();
        assertEquals(Outcome.Kind.POWEROFF, guest.run().kind(), console::toString);
        PcStats stats = guest.stats();
        runs[i] = stats.instructions() + " " + clock.nanos() + " " + stats.rows() + console;
      }
    }
    assertEquals(runs[0], runs[1]);
  }

  /**
   * A multiboot program of 32 bits for 0x100000: prints its command line, its module and the
   * module's words on the serial line and switches the machine off; stops where EAX is wrong.
   */
  private static final String MULTIBOOT =
      "02b0ad1b 03000100 fb4f51e4 00001000 00001000 00000000 00000000 20001000"
          + "3d02b0ad2b752cbc000009008b7310e8220000008b53188b32e8180000008b53188b7208e80d00000066ba"
          + "040666b8003466eff4ebfdac84c0740766baf803eeebf4c3";

  @ParameterizedTest
  @EnumSource(names = {"REWRITER", "INTERPRETER"})
  void aMultibootKernelGetsItsWordsAndModules(Engine engine) throws Exception {
    byte[] kernel = HexFormat.of().parseHex(MULTIBOOT.replace(" ", ""));
    Path file = Files.write(temporary.resolve("kernel"), kernel);
    MultibootImage image = MultibootImage.open(file, 1 << 20);
    assertNotNull(image);
    ByteBuffer module = ByteBuffer.wrap("[module]\0".getBytes(StandardCharsets.US_ASCII));
    PcSetup setup =
        new PcSetup(
            64,
            1,
            new CpuChoice(CpuModel.V2, engine),
            List.of(),
            new PcSetup.Multiboot(
                image, List.of(new PcSetup.Module(module, "m [words]")), "kernel [line]"));
    try (PcGuest guest = new PcGuest(setup, new CountedClock(Instant.EPOCH), this::take)) {
      assertEquals(Outcome.Kind.POWEROFF, guest.run().kind(), console::toString);
      assertEquals("kernel [line][module]m [words]", console.toString());
    }
  }

  @Test
  void debiansSeaBiosFindsNothingToBootAndSaysSoOnTheSerialLine() throws Exception {
    byte[] image;
    try {
      image = Files.readAllBytes(CACHE.seabios());
    } catch (ImageException e) {
      Assumptions.abort("no firmware: " + e.getMessage());
      return;
    }
    PcSetup setup =
        new PcSetup(
            64, 2, CpuChoice.preferred(), List.of(), new PcSetup.Firmware(image, OptionRoms.NONE));
    try (PcGuest guest = new PcGuest(setup, new CountedClock(Instant.EPOCH), this::take)) {
      PcMachine machine = guest.machine();
      // In virtual time: far more than it takes.
      machine.timers().timer(() -> guest.stop(Outcome.Kind.TIMEOUT)).set(30_000_000_000L);
      assertEquals(Outcome.Kind.TIMEOUT, guest.run().kind());
      assertTrue(console.toString().contains("No bootable device"), console::toString);
    }
  }
}
