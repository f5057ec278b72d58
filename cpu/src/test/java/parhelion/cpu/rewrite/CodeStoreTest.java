package parhelion.cpu.rewrite;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static parhelion.cpu.CpuState.*;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import parhelion.cpu.Engine;

/**
 * What was written for a guest of an earlier process is taken from a file, if the file is what it
 * was.
 */
final class CodeStoreTest {
  private static final long CODE = 0x6543_2000L;
  private static final long DATA = 0x50_0000L;
  private static final long SEED = Long.getLong("parhelion.seed", 1);

  @TempDir Path directory;
  private Path file;

  @BeforeEach
  void whereCodeCanRun() {
    assumeTrue(HostCpu.obstacle() == null);
    file = directory.resolve("code");
  }

  /** What a guest came to, and how it got its code. */
  private record Run(long rax, long copies, long translations) {}

  private static Run run(CodeStore store, int frame, String step) {
    int codePa = Guest.FREE + frame * 4096;
    try (Guest g = new Guest(Engine.REWRITER)) {
      RegionCache regions = g.code.regions();
      assertNotNull(regions);
      regions.keepIn(store);
      g.map(CODE, codePa, Guest.USER & ~Guest.W);
      g.map(DATA, Guest.FREE + 0x1_0000, Guest.USER);
      g.set(RSP, DATA + 0x800);
      g.set(RBX, DATA);
      g.set(RAX, 0);
      // mov r13d, 1000; (step) add [rbx], rax; push rax; pop rcx; dec r13; jnz; ud2
      g.write(codePa, "41bde8030000" + step + "480103 50 59 49ffcd 75f3 0f0b");
      g.run(CODE, 100_000);
      return new Run(g.get(RAX), regions.counts.copies, regions.counts.translations);
    }
  }

  private void fill(String... steps) {
    CodeStore store = CodeStore.open(file);
    for (String step : steps) {
      assertTrue(run(store, 0, step).translations > 0);
    }
    store.save(1);
  }

  @Test
  void aLaterProcessTakesWhatWasWritten() {
    fill("48ffc0", "48ffc8"); // inc rax; dec rax
    CodeStore later = CodeStore.open(file);
    Run same = run(later, 3, "48ffc0");
    assertEquals(1000, same.rax);
    assertTrue(same.copies > 0);
    assertEquals(0, same.translations);
    assertEquals(-1000, run(later, 0, "48ffc8").rax);
    assertTrue(run(later, 3, "48f7d0").translations > 0, "not rax was never there");
  }

  @Test
  void whatIsNewIsAddedToWhatWasThere() {
    fill("48ffc0");
    int before = CodeStore.open(file).size();
    CodeStore second = CodeStore.open(file);
    run(second, 0, "48ffc8");
    second.save(1);
    CodeStore third = CodeStore.open(file);
    assertTrue(third.size() > before);
    assertEquals(0, run(third, 1, "48ffc0").translations);
    assertEquals(0, run(third, 2, "48ffc8").translations);
  }

  @Test
  void littleThatIsNewLeavesTheFileAsItWas() throws IOException {
    fill("48ffc0");
    byte[] before = Files.readAllBytes(file);
    CodeStore second = CodeStore.open(file);
    run(second, 0, "48ffc8");
    second.save();
    assertArrayEquals(before, Files.readAllBytes(file));
    assertOnlyTheFile();
  }

  @Test
  void aFileThatIsNotWholeIsNoWorseThanNone() throws IOException {
    fill("48ffc0");
    byte[] whole = Files.readAllBytes(file);
    Random r = new Random(SEED);
    for (int i = 0; i < 200; i++) {
      byte[] broken = whole.clone();
      if (i % 4 == 0) {
        broken = java.util.Arrays.copyOf(whole, r.nextInt(whole.length));
      } else {
        for (int n = 1 + r.nextInt(3); n > 0; n--) {
          broken[r.nextInt(i % 4 == 1 ? 200 : whole.length)] ^= (byte) (1 << r.nextInt(8));
        }
      }
      Files.write(file, broken);
      assertEquals(
          1000,
          run(CodeStore.open(file), r.nextInt(8), "48ffc0").rax,
          "seed " + SEED + ", case " + i);
    }
  }

  @Test
  void whereItCannotBeWrittenNothingIsKept() {
    Path nowhere = directory.resolve("missing").resolve("code");
    CodeStore store = CodeStore.open(nowhere);
    assertEquals(1000, run(store, 0, "48ffc0").rax);
    store.save(1);
    assertFalse(Files.exists(nowhere));
  }

  @Test
  void whatAKilledProcessLeftGoesAndThatOfARunningOneStays() throws IOException {
    Path killed = Files.createFile(directory.resolve("code.9999999999"));
    Path own = Files.createFile(directory.resolve("code." + ProcessHandle.current().pid()));
    Path running = Files.createFile(directory.resolve("code.1"));
    assumeTrue(ProcessHandle.of(1).isPresent());
    fill("48ffc0");
    assertFalse(Files.exists(killed));
    assertFalse(Files.exists(own));
    assertTrue(Files.exists(running));
  }

  @Test
  void nothingIsLeftBesideTheFile() throws IOException {
    fill("48ffc0", "48ffc8");
    assertOnlyTheFile();
  }

  private void assertOnlyTheFile() throws IOException {
    try (Stream<Path> all = Files.list(directory)) {
      assertEquals(List.of(file), all.toList());
    }
  }
}
