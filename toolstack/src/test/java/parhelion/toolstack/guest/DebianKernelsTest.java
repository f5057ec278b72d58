package parhelion.toolstack.guest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.DisabledIfSystemProperty;
import parhelion.cpu.CpuModel;
import parhelion.cpu.Engine;
import parhelion.toolstack.CpuChoice;
import parhelion.toolstack.debian.PackageCache;
import parhelion.toolstack.image.DefaultInitramfs;
import parhelion.toolstack.image.ElfCache;
import parhelion.toolstack.image.ElfImage;
import parhelion.toolstack.image.ImageException;
import parhelion.toolstack.image.KernelImage;
import parhelion.toolstack.image.KernelSymbols;
import parhelion.toolstack.image.Progress;

/**
 * Debian's three kernels, to a shell and to an end each of its own kind. A boot is 3,000 million
 * instructions, so each kernel boots once and much is done in it; where the interpreter is asked
 * for by name, the cloud kernel alone. Skipped where neither cache nor apt has the packages.
 */
@Tag("boot")
@Timeout(value = 20, unit = TimeUnit.MINUTES)
final class DebianKernelsTest {
  private static final PackageCache CACHE = PackageCache.ofUser(Progress.NONE);

  static RunningGuest boot(String packageName, int vcpus, CpuModel model) {
    PackageCache.Kernel kernel;
    Path busybox;
    try {
      kernel = CACHE.kernel(packageName);
      busybox = CACHE.busybox();
    } catch (ImageException e) {
      return Assumptions.abort("no packages to boot: " + e.getMessage());
    }
    ElfImage elf =
        ElfImage.of(
            KernelImage.open(
                kernel.image(), ElfCache.ofUser(), KernelImage.DEFAULT_LIMIT_BYTES, Progress.NONE));
    ByteBuffer initrd = ByteBuffer.wrap(DefaultInitramfs.build(busybox, null));
    KernelSymbols symbols = KernelSymbols.of(elf, kernel.systemMap());
    String commandLine = "console=hvc0 parhelion.size=24x500";
    CpuChoice cpu = new CpuChoice(model);
    return new RunningGuest(elf, symbols, initrd, commandLine, 256, vcpus, cpu);
  }

  @Test
  void theCloudKernelRunsOnTwoVcpusAndIsAskedToPowerOff() throws Exception {
    try (RunningGuest g = boot("linux-image-cloud-amd64", 2, CpuModel.V3)) {
      g.awaitPrompt();
      String uname = g.shell("uname -srm");
      assertTrue(uname.matches("(?s)Linux 6\\.\\S+-cloud-amd64 x86_64\\s*"), uname);
      assertEquals("xen\n", g.shell("cat /sys/hypervisor/type"));
      assertEquals("2\n", g.shell("nproc"));
      assertEquals("2\n", g.shell("grep -c ^processor /proc/cpuinfo"));
      assertEquals("2\n", g.shell("grep -c ' fma .* movbe .* avx .* bmi2 ' /proc/cpuinfo"));
      assertEquals("0\n", g.shell("grep -c ' sha_ni' /proc/cpuinfo"));

      String sums =
          g.shell(
              "for i in 1 2 3 4; do (dd if=/dev/zero bs=64k count=8 2>/dev/null | sha256sum) & done;"
                  + " wait");
      String sum = "07854d2fef297a06ba81685e660c332de36d5d18d546927d30daad6d7fda1541  -";
      assertEquals(4, sums.split(sum, -1).length - 1, sums);
      String ticks = g.shell("grep -E '^cpu[01]' /proc/stat | awk '{ print ($2 + $4 > 0) }'");
      assertEquals("1\n1\n", ticks, "both have worked");

      g.guest().vcpuOnline(1, false);
      g.shell("while [ $(nproc) != 1 ]; do sleep 0.1; done");
      // Linux takes the processor's files away after that, and is done then.
      String online = "/sys/devices/system/cpu/cpu1/online";
      g.shell("while [ -e " + online + " ]; do sleep 0.1; done");
      g.guest().vcpuOnline(1, true);
      // Linux only makes it present then; bringing it up is user space's decision.
      g.shell("while [ ! -e " + online + " ]; do sleep 0.1; done; echo 1 > " + online);
      assertEquals("2\n", g.shell("nproc"));

      assertEquals("", g.shell("dmesg | grep -iE ' stall|lockup|BUG:|WARNING:|Oops|segfault'"));
      g.guest().requestShutdown();
      assertEquals(Outcome.Kind.POWEROFF, g.end().kind(), g::text);
    }
  }

  @Test
  @DisabledIfSystemProperty(named = Engine.PROPERTY, matches = "interpreter")
  void theGenericKernelRunsOnFourVcpusAndReboots() throws Exception {
    try (RunningGuest g = boot("linux-image-amd64", 4, CpuModel.MAX)) {
      g.awaitPrompt();
      String uname = g.shell("uname -srm");
      assertTrue(uname.matches("(?s)Linux 6\\.\\S+-amd64 x86_64\\s*"), uname);
      assertEquals("4\n", g.shell("nproc"));
      assertEquals("4\n", g.shell("grep -c ' aes .* avx2 .* adx .* sha_ni ' /proc/cpuinfo"));
      g.type("reboot\r");
      assertEquals(Outcome.Kind.REBOOT, g.end().kind(), g::text);
    }
  }

  @Test
  @DisabledIfSystemProperty(named = Engine.PROPERTY, matches = "interpreter")
  void theRtKernelRunsAndItsPanicIsReported() throws Exception {
    try (RunningGuest g = boot("linux-image-rt-amd64", 1, CpuModel.V2)) {
      g.awaitPrompt();
      String uname = g.shell("uname -srv");
      assertTrue(uname.contains("-rt-amd64") && uname.contains("PREEMPT_RT"), uname);
      g.type("echo c > /proc/sysrq-trigger\r");
      Outcome outcome = g.end();
      assertEquals(Outcome.Kind.CRASH, outcome.kind(), g::text);
      for (String expected : new String[] {"panic", "rip ffffffff8", "sysrq_handle_crash+0x"}) {
        assertTrue(outcome.detail().contains(expected), outcome::detail);
      }
      assertTrue(g.text().contains("Kernel panic - not syncing"), g::text);
    }
  }
}
