package parhelion.lab.cost;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import parhelion.lab.result.Comparisons;
import parhelion.lab.result.Count;
import parhelion.lab.result.Counts;
import parhelion.lab.result.PerOperation;
import parhelion.lab.result.Sample;
import parhelion.lab.result.Technique;
import parhelion.toolstack.UserError;

final class CostModelTest {
  private static final String TEXT =
      """
      id: mine
      title: a machine of a test's
      year: 2020
      hardware: none
      about: round numbers
      techniques: [full, para]
      exits: vmx
      clock: 2 GHz
      guest:
        instruction: 1 ns
        source: estimate
      costs:
        - {for: port write, cost: 100 ns, native: 10 ns, source: a}
        - {for: 'port write:ide*', cost: 1 us, source: b}
        - {for: 'port write:ide0:0x1f7', cost: 4000 cycles, source: c}
        - {for: 'exception', cost: 70 ns, native: 7 ns, source: d}
        - {for: page-table update, cost: 50 ns, native: 1 ns, source: e}
        - {for: hypercall, cost: 0.2 us, source: f}
        - {for: byte copied, cost: 2 ns, source: g}
      """;

  @TempDir Path directory;

  static List<CostModel> builtIn() {
    return CostModels.builtIn();
  }

  private static CostModel mine() {
    return CostFile.parse("mine.yaml", TEXT);
  }

  private static String refused(String text) {
    String message =
        assertThrows(UserError.class, () -> CostFile.parse("mine.yaml", text)).getMessage();
    assertEquals(1, message.lines().count(), message);
    assertTrue(message.startsWith("mine.yaml is no cost model: "), message);
    assertFalse(message.chars().anyMatch(Character::isISOControl), message);
    return message;
  }

  // --- the models that come along ---

  @ParameterizedTest
  @MethodSource("builtIn")
  void everyNumberOfAModelThatComesAlongHasASourceAndMakesSense(CostModel model) {
    assertFalse(model.prices().isEmpty());
    assertTrue(model.nanosPerInstruction() > 0.1 && model.nanosPerInstruction() < 10);
    for (Price price : model.prices()) {
      assertTrue(price.source().length() > 15, price.event() + ": " + price.source());
      assertTrue(price.nanos() < 100_000, price.event());
      assertTrue(price.nativeNanos() < 2_000, price.event());
    }
    assertEquals(model, CostModels.of(model.id()));
  }

  @ParameterizedTest
  @MethodSource("builtIn")
  void aModelThatComesAlongPricesAllThatItsHardwareTakes(CostModel model) {
    Map<String, Count> pc = new java.util.TreeMap<>();
    for (String key :
        List.of(
            "port read:com1:0x3fd",
            "port write:com1:0x3f8",
            "register read:hpet:+0xf0",
            "register write:lapic:+0x380",
            "RDMSR:cpu:0x1b",
            "WRMSR:lapic:0x6e0",
            "control register:cpu:CR0",
            "control register:cpu:CR3",
            "control register:cpu:CR4",
            "INVLPG:cpu",
            "CPUID:cpu",
            "system call:cpu",
            "HLT:cpu",
            "hypercall:xen:event_channel_op",
            "interrupt:cpu:vector 236",
            "exception:cpu:vector 14",
            "exception:cpu:vector 6")) {
      pc.put(key, new Count(1, 1));
    }
    Map<String, Count> para = new java.util.TreeMap<>();
    for (String key :
        List.of(
            "hypercall:mmu_update",
            "hypercall:iret",
            "interrupt",
            "system call",
            "page-table write",
            "CPUID",
            "emulated instruction:IN",
            "exception:#PF")) {
      para.put(key, new Count(1, 1));
    }
    for (Technique technique : model.techniques()) {
      Map<String, Count> counted = technique == Technique.PARA ? para : pc;
      Modelled modelled = Modelled.of(model, technique, counts(counted, 1000, 5, 7), 5.0, null);
      assertEquals(Map.of(), modelled.unpriced());
      assertTrue(modelled.totalNanos() > 1000 * model.nanosPerInstruction());
    }
  }

  // --- matching ---

  @ParameterizedTest
  @CsvSource({
    "port write:com1:0x3f8, port write",
    "port write:ide1:0x170, port write:ide*",
    "port write:ide0:0x1f7, port write:ide0:0x1f7",
    "port write:ide0:0x1f0, port write:ide*",
    "port write, port write",
    "hypercall:mmu_update, hypercall"
  })
  void thePriceWithTheMostPartsCounts(String event, String expected) {
    assertEquals(expected, Objects.requireNonNull(mine().price(event)).event());
  }

  @ParameterizedTest
  @CsvSource({"port read:ide0:0x1f7", "port writes", "port", "hypercalls"})
  void whatNoPriceIsForHasNone(String event) {
    assertNull(mine().price(event));
  }

  @Test
  void aRegistersNameMayHaveColonsInIt() {
    CostKey key = CostKey.of("MSR:cpu:a*");
    assertTrue(key.matches("MSR:cpu:a:b"));
    assertFalse(key.matches("MSR:cpu"));
  }

  // --- the sum ---

  private static PerOperation counts(
      Map<String, Count> interceptions, long instructions, long updates, long bytes) {
    return PerOperation.of(
        List.of(
            new Sample(
                1,
                0,
                1,
                1,
                1,
                1,
                instructions,
                new Counts(interceptions, Map.of(), updates, 0, 0, bytes, 0))));
  }

  @Test
  void modelledTimeIsTheGuestsWorkAndCountsTimesPrices() {
    PerOperation counts =
        counts(
            Map.of(
                "port write:ide0:0x1f7", new Count(3, 0),
                "port write:com1:0x3f8", new Count(10, 0),
                "exception:cpu:vector 14", new Count(2, 0),
                "exception:cpu:vector 13", new Count(5, 0),
                "system call:cpu", new Count(9, 0)),
            500,
            0,
            100);
    Modelled modelled = Modelled.of(mine(), Technique.FULL, counts, 4.0, null);
    // The bare machine: instructions, ports, both kinds of exceptions, and stores to page tables.
    assertEquals(500 + 10 * 10 + 7 * 7 + 4 * 1, modelled.bareNanos(), 1e-9);
    // vmx takes page faults alone of the exceptions, and no system call.
    double added = 3 * 2000 + 10 * 90 + 2 * 63 + 4 * 49 + 100 * 2;
    assertEquals(500 + 153 + added, modelled.totalNanos(), 1e-9);
    assertEquals((653 + added) / 653, modelled.timesBare(), 1e-12);
    assertEquals("port write:ide0:0x1f7", modelled.parts().getFirst().event());
    assertTrue(modelled.borrowedUpdates());
    assertEquals(Map.of(), modelled.unpriced());
  }

  @Test
  void whatTheHardwareTakesAndNobodyHasPricedIsTold() {
    PerOperation counts =
        counts(Map.of("HLT:cpu", new Count(4, 0), "system call:cpu", new Count(9, 0)), 1, 0, 0);
    assertEquals(
        Map.of("HLT:cpu", 4.0), Modelled.of(mine(), Technique.FULL, counts, null, null).unpriced());
  }

  @Test
  void aParavirtualGuestsOwnUpdatesArePricedAndNoTrapModelIsAsked() {
    PerOperation counts =
        counts(
            Map.of("hypercall:mmu_update", new Count(2, 0), "exception:#GP", new Count(1, 0)),
            100,
            6,
            0);
    Modelled modelled = Modelled.of(mine(), Technique.PARA, counts, 99.0, null);
    assertEquals(100 + 2 * 200 + 70 + 6 * 50, modelled.totalNanos(), 1e-9);
    assertFalse(modelled.borrowedUpdates());
  }

  @Test
  void theBareMachineRunsTheUnmodifiedKernel() {
    PerOperation para = counts(Map.of("hypercall:mmu_update", new Count(2, 0)), 700, 6, 0);
    PerOperation pc = counts(Map.of("exception:cpu:vector 14", new Count(3, 0)), 500, 0, 0);
    Modelled modelled = Modelled.of(mine(), Technique.PARA, para, null, pc);
    assertEquals(500 + 3 * 7, modelled.bareNanos(), 1e-9);
    assertEquals(700 + 2 * 200 + 6 * 50, modelled.totalNanos(), 1e-9);
    assertTrue(
        modelled
            .parts()
            .contains(new Modelled.Part(Modelled.INSTRUCTIONS, 200, 700 + 6 - (500 + 21))));
  }

  @Test
  void nestedPagingNeedsNobodysPageTableUpdates() {
    CostModel nested = CostFile.parse("mine.yaml", TEXT.replace("exits: vmx", "exits: ept"));
    PerOperation counts = counts(Map.of("exception:cpu:vector 14", new Count(3, 0)), 10, 0, 0);
    assertEquals(
        10 + 3 * 7, Modelled.of(nested, Technique.FULL, counts, 50.0, null).totalNanos(), 1e-9);
  }

  // --- files ---

  @Test
  void aUsersFileIsRead() throws IOException {
    Path file = Files.writeString(directory.resolve("mine.yaml"), TEXT);
    CostModel model = CostModels.of(file.toString());
    assertEquals(mine(), model);
    assertEquals(2000, Objects.requireNonNull(model.price("port write:ide0:0x1f7")).nanos());
    assertNotNull(model.exits());
  }

  @Test
  void aFileThatIsNotThereOrNoTextIsOneLine() throws IOException {
    Path none = directory.resolve("none.yaml");
    Path bytes = Files.write(directory.resolve("bytes.yaml"), new byte[] {(byte) 0xc3, 0x28});
    Path large = Files.write(directory.resolve("large.yaml"), new byte[5 << 20]);
    for (Path file : List.of(none, bytes, large, directory.resolve("."))) {
      String message =
          assertThrows(UserError.class, () -> CostModels.of(file.toString())).getMessage();
      assertTrue(message.contains(file.toString()), message);
      assertEquals(1, message.lines().count());
    }
    assertTrue(
        assertThrows(UserError.class, () -> CostModels.of("vax"))
            .getMessage()
            .contains("kvm-nested"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          year: 2020            | year: soon                  | year
          year: 2020            | year: 20.5                  | year
          year: 2020            | year: 99999999999999999999  | year
          techniques: [full, para] | techniques: [fuller]     | techniques
          techniques: [full, para] | techniques: full         | techniques
          techniques: [full, para] | techniques: []           | techniques
          exits: vmx            | exits: sometimes            | exits
          exits: vmx            | # nothing                   | exits is missing
          clock: 2 GHz          | clock: 0 GHz                | clock
          clock: 2 GHz          | clock: 2                    | clock
          instruction: 1 ns     | instruction: -1 ns          | guest.instruction
          instruction: 1 ns     | instruction: 1e3 ns         | guest.instruction
          cost: 0.2 us          | cost: 0.2                   | costs[5].cost
          cost: 0.2 us          | cost: [0.2 us]              | costs[5].cost
          cost: 0.2 us          | cost: .inf                  | costs[5].cost
          cost: 0.2 us          | cost: 999999999999 ms       | more than a second
          cost: 0.2 us, source: f | cost: 0.2 us              | costs[5].source is missing
          for: hypercall        | for: exception              | two costs
          for: hypercall        | for: a:b:c:d                | costs[5].for
          for: hypercall        | for: {a: b}                 | costs[5].for
          id: mine              | id: ../mine                 | id
          id: mine              | id: !!java.lang.Runtime {}  | no cost model
          hardware: none        | hardwear: none              | unknown field hardwear
          title: a machine      | id: twice                   | found duplicate key
          about: round numbers  | about: "\\x1b[2J"           | unknown
          """)
  void aWrongFieldIsNamed(String found, String replacement, String reason) {
    assertTrue(TEXT.contains(found), found);
    String text = TEXT.replace(found, replacement);
    if (reason.equals("unknown")) {
      // Not wrong: what it could do to a terminal is the reports' matter.
      assertEquals("\u001b[2J", CostFile.parse("mine.yaml", text).about());
      return;
    }
    String message = refused(text);
    assertTrue(message.contains(reason), message);
  }

  @Test
  void aliasesThatGrowWithoutEndAreRefused() {
    StringBuilder bomb = new StringBuilder("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for (int i = 1; i < 30; i++) {
      bomb.append("a%d: &a%d [".formatted(i, i))
          .append("*a%d, ".formatted(i - 1).repeat(8))
          .append("*a%d]\n".formatted(i - 1));
    }
    refused(bomb.toString());
    refused(TEXT + bomb);
    refused("&a [*a]");
    refused("&a {*a : *a}");
    refused(TEXT.replace("techniques: [full, para]", "techniques: &a [*a]"));
    refused("[".repeat(100_000));
    refused("{a: ".repeat(100_000));
    refused("x".repeat(2 << 20));
    refused("");
    refused("--- 1\n--- 2\n");
  }

  @Test
  void randomDamageIsAModelOrOneLine() {
    Random random = new Random(Long.getLong("parhelion.seed", 1));
    String signs = "{}[]:,-&*!|>'\"%@`# \n\t\u0000\ud800x0";
    int refused = 0;
    for (int i = 0; i < 3000; i++) {
      StringBuilder text = new StringBuilder(TEXT);
      for (int n = random.nextInt(3); n >= 0; n--) {
        int at = random.nextInt(text.length());
        if (random.nextBoolean()) {
          text.setCharAt(at, signs.charAt(random.nextInt(signs.length())));
        } else {
          text.delete(at, Math.min(text.length(), at + random.nextInt(40)));
        }
      }
      try {
        assertFalse(CostFile.parse("mine.yaml", text.toString()).prices().isEmpty());
      } catch (UserError e) {
        refused++;
        assertEquals(1, e.getMessage().lines().count());
      }
    }
    assertTrue(refused > 100, "refused " + refused);
  }

  @Test
  void theSampleOfATestHasNoHiddenCosts() {
    PerOperation counts =
        PerOperation.of(
            List.of(Comparisons.sample(10, 1, 1000, Map.of("HLT:cpu", new Count(5, 5)))));
    assertEquals(100, counts.instructions());
    assertEquals(0.5, counts.interceptions().get("HLT:cpu").times());
  }
}
