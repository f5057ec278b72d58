package parhelion.lab.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import parhelion.lab.result.Cell;
import parhelion.lab.result.Comparison;
import parhelion.lab.result.Count;
import parhelion.lab.result.ResultFile;
import parhelion.lab.result.Sample;
import parhelion.lab.result.Technique;
import parhelion.lab.workload.Roster;
import parhelion.lab.workload.Workload;
import parhelion.toolstack.CpuChoice;
import parhelion.toolstack.UserError;
import parhelion.toolstack.debian.PackageCache;
import parhelion.toolstack.image.ImageException;
import parhelion.toolstack.image.Progress;

/**
 * Whole comparisons, with Debian's kernel: skipped where neither cache nor apt has it. What they
 * measure is not looked at, but that it is whole, the same, and the guest's own.
 */
@Tag("boot")
@EnabledOnOs(OS.LINUX)
@Timeout(value = 20, unit = TimeUnit.MINUTES)
final class LabRunTest {
  private static final CpuChoice CPU = CpuChoice.preferred();

  @TempDir Path directory;

  private static LabConfig config(
      List<Workload> workloads,
      String command,
      @Nullable Path initrd,
      List<Technique> techniques,
      int repetitions,
      boolean virtualClock) {
    return config(workloads, command, initrd, null, techniques, repetitions, virtualClock);
  }

  private static LabConfig config(
      List<Workload> workloads,
      String command,
      @Nullable Path initrd,
      @Nullable Path rootfs,
      List<Technique> techniques,
      int repetitions,
      boolean virtualClock) {
    return new LabConfig(
        null,
        null,
        initrd,
        rootfs,
        "",
        workloads,
        command,
        techniques,
        repetitions,
        0,
        5,
        192,
        1,
        CPU,
        virtualClock,
        7,
        List.of("compare"));
  }

  private static Comparison run(LabConfig config) throws IOException {
    return run(new LabRun(config, LabProgress.NONE));
  }

  private static Comparison run(LabRun run) throws IOException {
    try {
      return run.run(Progress.NONE);
    } catch (ImageException e) {
      return Assumptions.abort("no packages to boot: " + e.getMessage());
    }
  }

  /** All of a sample that the host's clock has no part in. */
  private static String counted(Sample sample) {
    var interceptions = new TreeMap<String, Long>();
    sample.counts().interceptions().forEach((key, count) -> interceptions.put(key, count.times()));
    return String.join(
        "\n",
        "operations " + sample.operations(),
        "bytes " + sample.bytes(),
        "instructions " + sample.instructions(),
        "interceptions " + interceptions,
        "hypercalls " + sample.counts().hypercalls(),
        "page tables " + sample.counts().pageTableUpdates(),
        "flushes " + sample.counts().tlbFlushes(),
        "interrupts " + sample.counts().interrupts(),
        "copied " + sample.counts().bytesCopied());
  }

  @Test
  void underTheVirtualClockEveryCountIsTheSameInEveryRound() throws Exception {
    List<Workload> workloads =
        Roster.named(
            List.of("boot", "null", "fork", "sh", "switch-2-16", "page-fault", "tcp", "build"));
    Comparison comparison =
        run(
            config(
                workloads,
                "",
                null,
                LabRun.TECHNIQUES.subList(0, LabRun.TECHNIQUES.size() - 1),
                2,
                true));
    assertEquals("virtual", comparison.clock());
    assertEquals(5 * workloads.size(), comparison.cells().size());
    for (Cell cell : comparison.cells()) {
      String name = cell.technique() + " " + cell.workload();
      assertNull(cell.failure(), name);
      assertEquals(2, cell.samples().size(), name);
      Sample first = cell.samples().get(0);
      assertEquals(counted(first), counted(cell.samples().get(1)), name);
      if (!cell.workload().equals(Roster.BOOT)) {
        assertEquals(first.value(), cell.samples().get(1).value(), name);
      }
      assertPlausible(cell, first, name);
    }
    Path file = directory.resolve("result.json");
    ResultFile.write(comparison, file);
    assertEquals(comparison, ResultFile.read(file));
  }

  /** What such workloads cannot do without, by technique. */
  private static void assertPlausible(Cell cell, Sample sample, String name) {
    assertTrue(sample.instructions() > sample.operations(), name);
    assertTrue(sample.hostCpuNanos() > 0 && sample.wallNanos() > 0, name);
    boolean para = cell.technique() == Technique.PARA;
    if (para || cell.technique() == Technique.FULL) {
      assertEquals(para, !sample.counts().hypercalls().isEmpty(), name);
    }
    if (cell.workload().equals("null")) {
      String key = para ? "system call" : "system call:cpu";
      Count calls = sample.counts().interceptions().get(key);
      assertNotNull(calls, () -> name + sample.counts().interceptions());
      // The clock is read twice within.
      long over = calls.times() - sample.operations();
      assertTrue(over >= 0 && over <= 8, () -> name + ": " + over + " calls too many");
    }
    Count flag = sample.counts().interceptions().get("interrupt flag:cpu:STI");
    assertEquals(para, flag == null, name);
    if (cell.workload().equals("page-fault")) {
      String key = para ? "exception:#PF" : "exception:cpu:vector 14";
      assertTrue(
          sample.counts().interceptions().get(key).times() >= sample.operations(),
          () -> name + sample.counts().interceptions());
    }
    if (cell.workload().equals("fork")) {
      assertEquals(para, sample.counts().pageTableUpdates() > 0, name);
      for (String key : List.of("page-table update:cpu", "hidden page fault:cpu")) {
        assertEquals(para, sample.counts().interceptions().get(key) == null, name + " " + key);
      }
      assertTrue(sample.counts().tlbFlushes() > 0, name);
    }
  }

  @Test
  void aProgramThatNeedsNoKernelIsMeasuredWithoutOne() throws Exception {
    List<Workload> workloads =
        new ArrayList<>(
            Roster.named(
                List.of(
                    "boot", "null", "fork", "exec", "pipe", "integer", "unix", "disk", "idle")));
    workloads.add(Roster.command("true"));
    Comparison comparison =
        run(config(workloads, "true", null, List.of(Technique.PARTIAL), 2, false));
    Set<String> measured = new TreeSet<>();
    for (Cell cell : comparison.cells()) {
      if (cell.failure() == null) {
        measured.add(cell.workload());
        assertEquals(2, cell.samples().size(), cell.workload());
      } else {
        assertTrue(cell.samples().isEmpty());
      }
    }
    assertEquals(
        new TreeSet<>(List.of("null", "fork", "exec", "pipe", "integer", "idle")), measured);
    Sample nothing = comparison.cell(Technique.PARTIAL, "null").samples().get(0);
    assertTrue(
        nothing.counts().interceptions().get("system call:getppid").times() == nothing.operations(),
        () -> nothing.toString());
  }

  @Test
  void aProgramHasTheGuestsShellWhereTheyHaveTheBuiltInOne() throws Exception {
    busybox();
    List<Workload> workloads = Roster.named(List.of("sh"));
    List<Technique> partial = List.of(Technique.PARTIAL);
    Cell cell = run(config(workloads, "", null, partial, 1, false)).cell(Technique.PARTIAL, "sh");
    assertNull(cell.failure());
    Sample sample = cell.samples().getFirst();
    long executed = sample.counts().interceptions().get("system call:execve").times();
    assertEquals(2 * sample.operations(), executed, sample::toString);
    Path root = Files.createDirectories(directory.resolve("empty"));
    assertNotNull(
        run(config(workloads, "", null, root, partial, 1, false))
            .cell(Technique.PARTIAL, "sh")
            .failure());
  }

  private static Path busybox() throws IOException {
    try {
      return PackageCache.ofUser(Progress.NONE).busybox();
    } catch (ImageException e) {
      return Assumptions.abort("no busybox: " + e.getMessage());
    }
  }

  @Test
  void whatWasMeasuredUntilAnInterruptionIsKept() throws Exception {
    List<Workload> workloads = Roster.named(List.of("null", "integer"));
    LabConfig config = config(workloads, "", null, List.of(Technique.PARTIAL), 50, false);
    LabRun[] run = new LabRun[1];
    run[0] =
        new LabRun(
            config,
            (at, all, what) -> {
              if (at == 3) {
                run[0].stop();
              }
            });
    Comparison comparison = run(run[0]);
    assertTrue(run[0].isStopped());
    for (Workload workload : workloads) {
      Cell cell = comparison.cell(Technique.PARTIAL, workload.id());
      assertEquals(2, cell.samples().size(), workload.id());
    }
  }

  @Test
  void nothingIsLeftOfAComparison() throws Exception {
    Set<Path> before = leftovers();
    Comparison unused =
        run(config(Roster.named(List.of("null")), "", null, List.of(Technique.PARTIAL), 1, false));
    Set<Path> after = leftovers();
    after.removeAll(before);
    assertEquals(Set.of(), after);
  }

  private static Set<Path> leftovers() throws IOException {
    Set<Path> found = new TreeSet<>();
    Path temporary = Path.of(System.getProperty("java.io.tmpdir"));
    try (var entries = Files.newDirectoryStream(temporary, "parhelion-lab-*")) {
      entries.forEach(found::add);
    }
    return found;
  }

  @Test
  void whatOnlyAProcessorWithoutAssistanceTrapsIsCountedWhereTheHostsTimeIsNoFigure()
      throws Exception {
    List<Workload> workloads = Roster.named(List.of("null"));
    for (boolean virtualClock : new boolean[] {false, true}) {
      Comparison comparison =
          run(config(workloads, "", null, List.of(Technique.FULL), 1, virtualClock));
      Sample sample = comparison.cell(Technique.FULL, "null").samples().getFirst();
      Count cleared = sample.counts().interceptions().get("interrupt flag:cpu:CLI");
      assertEquals(virtualClock, cleared != null);
      Count exchanged = sample.counts().interceptions().get("privileged instruction:cpu:SWAPGS");
      assertEquals(virtualClock, exchanged != null);
      assertTrue(exchanged == null || exchanged.times() >= 2 * sample.operations());
      // Returns are counted by generated code, too.
      Count returns = sample.counts().interceptions().get("return:cpu:SYSRET");
      Count calls = sample.counts().interceptions().get("system call:cpu");
      assertTrue(Math.abs(calls.times() - returns.times()) <= 8, sample::toString);
      // Linux leaves a system call with interrupts off.
      assertTrue(cleared == null || cleared.times() >= sample.operations(), sample::toString);
    }
  }

  @Test
  void aRootIsInEveryGuestWhatItIs() throws Exception {
    Path busybox = busybox();
    Path root = directory.resolve("root");
    Path bin = Files.createDirectories(root.resolve("bin"));
    Files.copy(busybox, bin.resolve("busybox"));
    for (String tool : List.of("sh", "stat")) {
      Files.createSymbolicLink(bin.resolve(tool), Path.of("busybox"));
    }
    Files.createLink(bin.resolve("again"), Files.writeString(root.resolve("text"), "of the root"));
    List<Workload> workloads = new ArrayList<>(Roster.named(List.of("null", "sh", "create-0k")));
    String command =
        """
        set -e
        read -r line </bin/again || :
        test "$line" = 'of the root'
        test $(stat -c %h:%u /text) = 2:0
        test ! -e /init
        test -c /dev/null
        test -d /proc/1
        test $(stat -c %a /tmp) = 1777
        """;
    workloads.add(Roster.command(command));
    List<Technique> techniques = List.of(Technique.FULL, Technique.PVH, Technique.PARA);
    Comparison comparison = run(config(workloads, command, null, root, techniques, 1, true));
    for (Cell cell : comparison.cells()) {
      assertNull(cell.failure(), cell.technique() + " " + cell.workload());
      assertEquals(1, cell.samples().size());
    }
    Files.delete(bin.resolve("sh"));
    Comparison shellless =
        run(config(workloads, command, null, root, List.of(Technique.PARA), 1, true));
    assertEquals("the root has no /bin/sh", shellless.cell(Technique.PARA, "sh").failure());
    assertNull(shellless.cell(Technique.PARA, "null").failure());
    Files.write(root.resolve("large"), new byte[49 << 20]);
    UserError tooLarge =
        assertThrows(
            UserError.class,
            () -> run(config(workloads, command, null, root, List.of(Technique.PARA), 1, true)));
    assertTrue(tooLarge.getMessage().endsWith("give --memory 256M"), tooLarge::getMessage);
  }

  @Test
  void aGuestWithWildMarksSpoilsItsOwnSamplesOnly() throws Exception {
    Path bin = Files.createDirectories(directory.resolve("root/bin"));
    Path shell = Files.write(bin.resolve("sh"), wildProgram());
    assertTrue(shell.toFile().setExecutable(true));
    List<Workload> workloads = new ArrayList<>(Roster.named(List.of("boot", "null", "pipe")));
    workloads.add(Roster.command("anything"));
    Comparison comparison =
        run(
            config(
                workloads,
                "anything",
                directory.resolve("root"),
                List.of(Technique.PARA, Technique.PARTIAL),
                1,
                false));
    // Its boot was over before; its rows are its own to lie about, once each.
    assertEquals(1, comparison.cell(Technique.PARA, "boot").samples().size());
    for (Workload workload : workloads) {
      assertTrue(comparison.cell(Technique.PARA, workload.id()).samples().size() <= 1);
    }
    // The next guest knows nothing of it.
    assertNull(comparison.cell(Technique.PARTIAL, "null").failure());
    assertNull(comparison.cell(Technique.PARTIAL, "pipe").failure());
    assertTrue(ResultFile.json(comparison).length() > 100);
  }

  /** A static program that makes 300,000 marks of random numbers, and ends. */
  private static byte[] wildProgram() {
    String code =
        "48 bd 25 19 8c 5a 77 31 02 6e" // mov rbp, a seed
            + "41 bc e0 93 04 00" // mov r12d, 300000
            // again: xorshift
            + "48 89 e8 48 c1 e0 0d 48 31 c5 48 89 e8 48 c1 e8 07 48 31 c5"
            + "48 89 e8 48 c1 e0 11 48 31 c5"
            + "89 e9 83 e1 07" // mov ecx, ebp; and ecx, 7
            + "48 89 eb 48 c1 eb 08 83 e3 07" // mov rbx, rbp; shr rbx, 8; and ebx, 7
            + "48 89 ea 48 89 ee 48 c1 ee 03 48 89 ef" // rdx, rsi, rdi: all bits
            + "b8 68 72 61 50 0f a2" // the leaf
            + "41 ff cc 75 ba" // dec r12d; jnz again
            + "31 ff b8 e7 00 00 00 0f 05"; // exit_group(0)
    byte[] text = HexFormat.of().parseHex(code.replace(" ", ""));
    ByteBuffer elf = ByteBuffer.allocate(0x78 + text.length).order(ByteOrder.LITTLE_ENDIAN);
    elf.putInt(0x464c_457f).put((byte) 2).put((byte) 1).put((byte) 1).position(16);
    elf.putShort((short) 2).putShort((short) 62).putInt(1);
    elf.putLong(0x40_0078).putLong(64).position(52);
    elf.putShort((short) 64).putShort((short) 56).putShort((short) 1).position(64);
    elf.putInt(1).putInt(5).putLong(0).putLong(0x40_0000).putLong(0x40_0000);
    elf.putLong(elf.capacity()).putLong(elf.capacity()).putLong(4096);
    elf.put(text);
    return elf.array();
  }
}
