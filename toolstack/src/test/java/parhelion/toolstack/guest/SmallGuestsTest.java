package parhelion.toolstack.guest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import parhelion.cpu.Engine;
import parhelion.toolstack.CpuChoice;
import parhelion.toolstack.debian.PackageCache;
import parhelion.toolstack.image.ElfImage;
import parhelion.toolstack.image.ImageException;
import parhelion.toolstack.image.KernelImage;
import parhelion.toolstack.image.KernelSymbols;
import parhelion.toolstack.image.Progress;
import parhelion.xen.RealClock;

/** Guests that are not Linux: the tour, the micro guest (guests/micro), GRUB. */
@Tag("boot")
final class SmallGuestsTest {
  private static RunningGuest boot(ElfImage kernel, String commandLine, int memoryMib) {
    KernelSymbols symbols = KernelSymbols.of(kernel, null);
    return new RunningGuest(
        kernel, symbols, null, commandLine, memoryMib, 1, CpuChoice.preferred());
  }

  private static ElfImage micro() throws IOException {
    try (InputStream in = SmallGuestsTest.class.getResourceAsStream("micro.elf")) {
      return ElfImage.parse(ByteBuffer.wrap(in.readAllBytes()), "the micro guest");
    }
  }

  @Test
  void aMapForPerfHasTheKernelsNames(@TempDir Path directory) throws Exception {
    String map = "ffffffff80100000 T tour_entry\nffffffff80100100 T tour_rest\n";
    Path systemMap = Files.writeString(directory.resolve("System.map"), map);
    KernelSymbols symbols = KernelSymbols.ofSystemMap(systemMap);
    GuestConfig config =
        new GuestConfig("test", Tour.kernel(), () -> symbols, null, "batch", 32, 1);
    try (PvGuest guest = new PvGuest(config, new RealClock(), (bytes, offset, length) -> length)) {
      String obstacle = guest.engineNote();
      Engine engine = guest.hypervisor().code().engine();
      Assumptions.assumeTrue(engine == Engine.REWRITER, "interpreted here: " + obstacle);
      guest.mapForPerf();
      assertEquals(Outcome.Kind.POWEROFF, guest.run().kind());
      assertNull(guest.finishPerfMap());
    }
    Path file = Path.of("/tmp/perf-" + ProcessHandle.current().pid() + ".map");
    List<String> lines = Files.readAllLines(file);
    Files.delete(file);
    for (String name : List.of("tour_entry", "tour_rest\\+0x[0-9a-f]+", "parhelion routines")) {
      String line = "[0-9a-f]{6,16} [0-9a-f]+ " + name;
      assertTrue(lines.stream().anyMatch(each -> each.matches(line)), () -> name + " in " + lines);
    }
  }

  @Test
  void theTourStopsEverywhereAndPowersOff() throws Exception {
    try (RunningGuest g = boot(Tour.kernel(), "batch", 32)) {
      assertEquals(Outcome.Kind.POWEROFF, g.end().kind());
      String text = g.text();
      for (String expected :
          new String[] {
            "start_info xen-3.0-x86_64, 8192 pages, command line \"batch\"",
            "unknown hypercall 63   -38 (ENOSYS)",
            "wild pointer           -14 (EFAULT)",
            "set_trap_table         0",
            "int3                   vector 3",
            "ud2                    vector 6",
            "1 / 0                  vector 0",
            "rdmsr 0x123            vector 13, error code 0",
            "read of 0x1000         vector 14, address 0x1000",
            "map it read-only       0",
            "then write to it       vector 14",
            "map it writable        0",
            "map a page table so    -16 (refused)",
            "send to myself         arrived",
            "timer of 10 ms, slept"
          }) {
        assertTrue(text.contains(expected), () -> expected + " is not in: " + text);
      }
    }
  }

  @Test
  void theTourAnswersKeysAndItsCrashIsReported() throws Exception {
    try (RunningGuest g = boot(Tour.kernel(), "", 32)) {
      g.await("q power off");
      g.await("> ");
      g.type("t");
      assertTrue(g.await("> ").contains("  up "));
      g.type("c");
      Outcome outcome = g.end();
      assertEquals(Outcome.Kind.CRASH, outcome.kind());
      assertTrue(outcome.detail().contains("rip ffffffff80"), outcome.detail());
    }
  }

  @Test
  void aGuestLinkedAtZeroWithOnePageOfStackRuns() throws Exception {
    try (RunningGuest g = boot(micro(), "some words", 16)) {
      String text = g.await("ready\n");
      for (String expected :
          new String[] {
            "micro: xen-3.0-x86_64 [some words]\n",
            "map shared_info: 0\n",
            "set_trap_table: 0\n",
            "set_callbacks: 0\n",
            "p2m entries that M2P contradicts: 0\n",
            "unmap a page: 0\nread it: -1\nfaults: 1\ntheir error code: 0\n",
            "map it again: 0\nread it: 42\n",
            "map a page table writable: -16\n",
            "bind VIRQ_TIMER: 0\ntimer events: 3\n",
            "0123456789 0123456789 0123456789 0123456789\n".repeat(100)
          }) {
        assertTrue(text.contains(expected), () -> expected + " is not in: " + text);
      }
      assertFalse(text.contains("too early"), text);
      g.type("hello\rquit\r");
      g.await("echo: hello\nbye\n");
      assertEquals(Outcome.Kind.POWEROFF, g.end().kind());
    }
  }

  @Test
  void grubShowsItsPromptAndAnswersKeys() throws Exception {
    Path file;
    try {
      file = PackageCache.ofUser(Progress.NONE).grub();
    } catch (ImageException e) {
      Assumptions.abort("no GRUB to test with: " + e.getMessage());
      return;
    }
    try (RunningGuest g = boot(ElfImage.of(KernelImage.open(file, Progress.NONE)), "", 128)) {
      g.await("grub> ");
      g.type("ls\r");
      g.await("(memdisk) (proc)");
      g.await("grub> ");
      g.type("echo 6${root}7\r"); // its echo of the line has no such word
      g.await("6memdisk7");
      g.await("grub> ");
      g.type("halt\r");
      assertEquals(Outcome.Kind.POWEROFF, g.end().kind());
    }
  }
}
