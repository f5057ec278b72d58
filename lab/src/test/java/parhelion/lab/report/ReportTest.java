package parhelion.lab.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.StringReader;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import javax.xml.parsers.DocumentBuilder;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;
import org.xml.sax.InputSource;
import parhelion.lab.cost.CostModels;
import parhelion.lab.result.Cell;
import parhelion.lab.result.Comparison;
import parhelion.lab.result.Comparisons;
import parhelion.lab.result.Count;
import parhelion.lab.result.Counts;
import parhelion.lab.result.Sample;
import parhelion.lab.result.Technique;

final class ReportTest {
  private static final String HOSTILE = "<script>alert(1)</script>\"'&\u001b[31m\u202e]]>-->";

  /** Six samples around a time of an operation, of ten operations each. */
  private static Cell cell(
      Technique technique,
      String workload,
      double nanos,
      long instructions,
      Map<String, Count> kinds) {
    List<Sample> samples = new ArrayList<>();
    for (int i = 0; i < 6; i++) {
      // Wall time is exact; the guest's figure is a little off, each time another way.
      samples.add(
          new Sample(
              10,
              0,
              nanos / 1000 * (1 + (i - 2.5) / 1000),
              (long) (10 * nanos),
              (long) (10 * nanos),
              (long) (10 * nanos),
              10 * instructions,
              new Counts(kinds, Map.of(), 0, 0, 0, 0, 0)));
    }
    return new Cell(technique, workload, samples, null);
  }

  /** full takes 10 us, of which 6 us are ports and 1 us is HLT; para 4 us, of which 2 us a call. */
  private static Comparison known() {
    return Comparisons.of(
        List.of(
            cell(
                Technique.FULL,
                "fork",
                10_000,
                3000,
                Map.of(
                    "port write:ide0:0x1f7", new Count(20, 40_000),
                    "port write:ide0:0x1f0", new Count(10, 20_000),
                    "HLT:cpu", new Count(10, 10_000))),
            cell(
                Technique.PARA,
                "fork",
                4_000,
                2000,
                Map.of("hypercall:mmu_update", new Count(30, 20_000))),
            new Cell(Technique.PARTIAL, "fork", List.of(), "not today")));
  }

  private static Analysis analysis(Comparison comparison) {
    return Analysis.of(comparison, CostModels.builtIn(), null);
  }

  private static Finding full(Analysis analysis) {
    return analysis.rows().getFirst().findings().stream()
        .filter(finding -> !finding.isModelled() && finding.technique() == Technique.FULL)
        .findFirst()
        .orElseThrow();
  }

  // --- words ---

  @Test
  void theWordsSayWhatTheDifferenceIsMadeOf() {
    Finding finding = full(analysis(known()));
    assertEquals("port write of ide0", finding.weights().getFirst().cause());
    assertEquals(1, finding.weights().getFirst().share(), 1e-9);
    assertEquals(6_000, finding.weights().getFirst().nanos(), 1e-9);
    assertEquals(3, finding.weights().getFirst().times(), 1e-9);
    // Without the ports full would take 4 us, as para.
    assertEquals(1, finding.weights().getFirst().remaining(), 1e-9);
    Finding.Weight last = finding.weights().getLast();
    assertEquals("hypercall mmu_update", last.cause());
    assertEquals(-2_000.0 / 6_000, last.share(), 1e-9);
    assertTrue(finding.text().contains("full is 2.50 times as slow as para"), finding.text());
    assertTrue(finding.text().contains("6.00 us more"), finding.text());
    assertTrue(
        finding.text().contains("100 % for port write of ide0 (6.00 us, 3.00 times)"),
        finding.text());
    assertTrue(finding.text().contains("17 % for HLT"), finding.text());
    assertTrue(
        finding.text().contains("17 % outside of interceptions, in 1.50 times the instructions"),
        finding.text());
    // 3 us against 2 us outside.
    assertTrue(finding.text().contains("1.50 times the time would remain"), finding.text());
  }

  @Test
  void sharesOfCausesAndTheRestAddUp() {
    Finding finding = full(analysis(known()));
    double rest = (10_000 - 7_000 - (4_000 - 2_000)) / 6_000.0;
    assertEquals(
        1, rest + finding.weights().stream().mapToDouble(Finding.Weight::share).sum(), 1e-9);
  }

  @Test
  void whereChanceCouldBeTheReasonNoCauseIsNamed() {
    Analysis same =
        analysis(
            Comparisons.of(
                List.of(
                    cell(Technique.FULL, "fork", 4_000, 1, Map.of("HLT:cpu", new Count(1, 9))),
                    cell(Technique.PARA, "fork", 4_000, 1, Map.of()))));
    assertTrue(full(same).text().startsWith("No difference between full and para"));
    assertEquals(List.of(), full(same).weights());
    Sample one = Comparisons.sample(1, 5, 5, Map.of());
    Analysis few =
        analysis(
            Comparisons.of(
                List.of(
                    new Cell(Technique.FULL, "fork", List.of(one), null),
                    new Cell(Technique.PARA, "fork", List.of(one), null))));
    assertTrue(full(few).text().contains("too few repetitions"), full(few).text());
    assertTrue(Overview.sentences(few).getFirst().contains("too few repetitions"));
  }

  @Test
  void withoutParaTheFirstTechniqueIsTheReferenceAndIsNamed() {
    Analysis analysis =
        analysis(
            Comparisons.of(
                List.of(
                    cell(Technique.FULL_VIRTIO, "fork", 4_000, 1, Map.of()),
                    cell(Technique.FULL, "fork", 8_000, 1, Map.of()))));
    assertEquals(Technique.FULL, analysis.reference());
    assertTrue(Overview.sentences(analysis).getFirst().contains("full+virtio: faster than full; "));
    assertTrue(TerminalReport.of(analysis, 80, false).contains("as slow as full\n"));
    assertTrue(HtmlReport.of(analysis).contains("How many times as slow as full"));
  }

  @Test
  void whatTheReferenceDidNotDoHasNoRatio() {
    Analysis analysis =
        analysis(
            Comparisons.of(
                List.of(
                    cell(Technique.PARA, "fork", 4_000, 1, Map.of()),
                    new Cell(Technique.PARA, "boot", List.of(), "it broke"),
                    cell(Technique.FULL, "boot", 8_000, 1, Map.of()),
                    cell(Technique.PARTIAL, "boot", 9_000, 1, Map.of()))));
    analysis.rows().getFirst().entries().values().forEach(e -> assertNull(e.slower()));
  }

  @Test
  void moreOfAThroughputIsFaster() {
    List<Sample> quick = new ArrayList<>();
    List<Sample> slow = new ArrayList<>();
    for (int i = 0; i < 6; i++) {
      quick.add(Comparisons.sample(1, 200 + i, 1000, Map.of()));
      slow.add(Comparisons.sample(1, 100 + i, 2000, Map.of()));
    }
    Analysis analysis =
        analysis(
            Comparisons.of(
                List.of(
                    new Cell(Technique.FULL, "tcp-send", slow, null),
                    new Cell(Technique.PARA, "tcp-send", quick, null))));
    assertEquals(
        1.98, analysis.rows().getFirst().entries().get(Technique.FULL).slower().estimate(), 0.03);
    assertTrue(full(analysis).text().contains("full is 1.98 times as slow"), full(analysis).text());
  }

  @Test
  void theModelsWordsNameTheHeaviestPartAndWhatWouldRemain() {
    Finding kvm =
        analysis(known()).rows().getFirst().findings().stream()
            .filter(f -> f.isModelled() && f.text().contains("KVM with nested paging"))
            .findFirst()
            .orElseThrow();
    // 3000 instructions at 0.4 ns; 3 ports at 3.79 us of which 0.5 native; HLT 0.87 us.
    double bare = 1200 + 3 * 500;
    double total = bare + 3 * 3290 + 870;
    assertTrue(
        kvm.text().contains("%s times the bare machine's".formatted(Figures.number(total / bare))),
        kvm.text());
    assertTrue(kvm.text().contains("92 % is port write (3.00 times)"), kvm.text());
    assertTrue(
        kvm.text()
            .contains(
                "Without port write, %s times would remain"
                    .formatted(Figures.number((bare + 870) / bare))),
        kvm.text());
  }

  // --- baseline ---

  @Test
  void changesAreTheIntervalsWordAndNameCountsAndConditions() {
    Comparison before = known();
    List<Cell> cells = new ArrayList<>(before.cells());
    cells.set(
        0,
        cell(
            Technique.FULL,
            "fork",
            5_000,
            3000,
            Map.of(
                "port write:ide0:0x1f7", new Count(10, 10_000), "HLT:cpu", new Count(10, 10_000))));
    Comparison after = Comparisons.of(cells);
    Changes changes = Changes.of(before, after);
    assertEquals(2, changes.changes().size());
    Changes.Change full = changes.changes().getFirst();
    assertEquals("faster", full.verdict());
    assertEquals(0.5, full.slower().estimate(), 0.01);
    assertEquals(List.of("port write of ide0 3.00 to 1.00"), full.counts());
    assertEquals("same", changes.changes().getLast().verdict());
    assertEquals(List.of(), changes.conditions());
    assertEquals(List.of(), changes.missing());
  }

  @Test
  void whatOnlyOneOfTwoComparisonsHasIsTold() {
    Comparison one = Comparisons.of(List.of(cell(Technique.FULL, "fork", 5, 5, Map.of())));
    Comparison other = Comparisons.of(List.of(cell(Technique.PARA, "fork", 5, 5, Map.of())));
    assertEquals(
        List.of("fork under para had no samples then", "fork under full was not run now"),
        Changes.of(one, other).missing());
  }

  // --- the page ---

  private static Document parse(String html) throws Exception {
    DocumentBuilder builder = DocumentBuilderFactory.newInstance().newDocumentBuilder();
    builder.setErrorHandler(null);
    return builder.parse(new InputSource(new StringReader(html.replace("<!DOCTYPE html>", ""))));
  }

  private static List<Element> elements(Document page, String name) {
    NodeList list = page.getElementsByTagName(name);
    List<Element> all = new ArrayList<>();
    for (int i = 0; i < list.getLength(); i++) {
      all.add((Element) list.item(i));
    }
    return all;
  }

  @Test
  void thePageIsWellFormedAndAsksTheNetworkForNothing() throws Exception {
    Document page = parse(HtmlReport.of(analysis(known())));
    for (String element : List.of("script", "link", "img", "iframe", "object", "form")) {
      assertEquals(List.of(), elements(page, element), element);
    }
    for (Element element : elements(page, "*")) {
      for (int i = 0; i < element.getAttributes().getLength(); i++) {
        String name = element.getAttributes().item(i).getNodeName();
        assertFalse(Set.of("src", "href", "xlink:href", "style").contains(name), name);
        assertFalse(name.startsWith("on"), name);
      }
    }
    String style = elements(page, "style").getFirst().getTextContent();
    assertFalse(style.contains("url(") || style.contains("@import"), "the style sheet fetches");
    assertTrue(style.contains("prefers-color-scheme: dark") && style.contains("@media print"));
  }

  @Test
  void thePageHasItsPartsInOrder() throws Exception {
    Document page = parse(HtmlReport.of(Analysis.of(known(), CostModels.builtIn(), known())));
    assertEquals("en", page.getDocumentElement().getAttribute("lang"));
    List<String> sections =
        elements(page, "section").stream()
            .map(s -> s.getAttribute("id"))
            .filter(id -> !id.isEmpty())
            .toList();
    assertEquals(List.of("measured", "changes", "workloads", "modelled", "method"), sections);
    assertEquals(1, elements(page, "h1").size());
    assertEquals(3, elements(page, "svg").size());
  }

  @Test
  void picturesHaveTextsAndTablesHaveHeads() throws Exception {
    Document page = parse(HtmlReport.of(analysis(known())));
    for (Element picture : elements(page, "svg")) {
      assertEquals("img", picture.getAttribute("role"));
      assertTrue(picture.getAttribute("aria-label").length() > 40);
      assertFalse(picture.getElementsByTagName("title").item(0).getTextContent().isBlank());
      assertFalse(picture.getElementsByTagName("desc").item(0).getTextContent().isBlank());
    }
    Set<String> labels = new HashSet<>();
    for (Element table : elements(page, "table")) {
      assertTrue(table.getElementsByTagName("thead").getLength() == 1);
      NodeList heads = table.getElementsByTagName("th");
      for (int i = 0; i < heads.getLength(); i++) {
        assertNotNull(heads.item(i).getAttributes().getNamedItem("scope"));
      }
      Element around = (Element) table.getParentNode();
      assertEquals("0", around.getAttribute("tabindex"));
      assertTrue(labels.add(around.getAttribute("aria-label")), "two regions have one label");
    }
  }

  @Test
  void coordinatesOfPicturesAreNumbersWithinThem() throws Exception {
    Document page = parse(HtmlReport.of(analysis(known())));
    for (Element picture : elements(page, "svg")) {
      String[] box = picture.getAttribute("viewBox").split(" ", -1);
      for (String name : List.of("rect", "circle", "line", "text")) {
        NodeList shapes = picture.getElementsByTagName(name);
        for (int i = 0; i < shapes.getLength(); i++) {
          Element shape = (Element) shapes.item(i);
          for (String attribute : List.of("x", "x1", "x2", "cx", "y", "y1", "y2", "cy")) {
            if (shape.hasAttribute(attribute)) {
              double value = Double.parseDouble(shape.getAttribute(attribute));
              double most = Double.parseDouble(box[attribute.contains("x") ? 2 : 3]);
              assertTrue(value >= 0 && value <= most, attribute + "=" + value + " of " + most);
            }
          }
        }
      }
    }
  }

  private static Comparison hostile() {
    Comparison c = Comparisons.small();
    Sample sample = Comparisons.sample(3, 4, 5, Map.of("cause:" + HOSTILE + ":r", new Count(3, 4)));
    return new Comparison(
        HOSTILE,
        HOSTILE,
        c.startedAt(),
        List.of(HOSTILE),
        1,
        "real",
        new parhelion.lab.result.Host(HOSTILE, 1, 0, HOSTILE, HOSTILE),
        new parhelion.lab.result.Kernel(HOSTILE, HOSTILE, "0".repeat(64)),
        64,
        1,
        HOSTILE,
        1,
        0,
        List.of(
            new parhelion.lab.result.WorkloadInfo(
                HOSTILE, HOSTILE, HOSTILE, HOSTILE, true, HOSTILE)),
        List.of(
            new Cell(Technique.FULL, HOSTILE, List.of(sample), HOSTILE),
            new Cell(
                Technique.PARA,
                HOSTILE,
                List.of(
                    new Sample(
                        1, 2, 3, 4, 5, 6, 7, Comparisons.counts(Map.of(), Map.of(HOSTILE, 8L)))),
                null),
            new Cell(Technique.PARTIAL, HOSTILE, List.of(), HOSTILE)));
  }

  @Test
  void whatGuestsAndFileNamesSayIsEscapedEverywhere() throws Exception {
    String html = HtmlReport.of(Analysis.of(hostile(), CostModels.builtIn(), hostile()));
    Document page = parse(html);
    assertEquals(List.of(), elements(page, "script"));
    assertTrue(html.contains("&lt;script&gt;alert(1)"));
    assertFalse(html.contains("\u001b") || html.contains("\u202e"));
    String text =
        TerminalReport.of(Analysis.of(hostile(), CostModels.builtIn(), hostile()), 100, false);
    assertFalse(text.contains("\u001b") || text.contains("\u202e"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"\ud800", "a\udc00b", "\ufffe\uffff\u0000\u0007", "\ud83d\ude00", "a\nb"})
  void anyStringMakesAPageThatParses(String text) throws Exception {
    Html html = new Html();
    html.open("p", "title", text).text(text).close();
    Document page = parse(html.done());
    assertEquals(
        text.contains("\ud83d"), page.getDocumentElement().getTextContent().contains("\ud83d"));
  }

  @Test
  void anElementLeftOpenIsABug() {
    assertThrows(IllegalStateException.class, () -> new Html().open("p").done());
  }

  // --- the terminal ---

  @ParameterizedTest
  @ValueSource(ints = {0, 80, 100, 130, 9999})
  void linesFitTheTerminal(int width) {
    String text =
        TerminalReport.of(Analysis.of(known(), CostModels.builtIn(), known()), width, false);
    int most = Math.clamp(width, 80, 130);
    text.lines().forEach(line -> assertTrue(line.length() <= most, line));
    assertFalse(text.contains("\u001b"));
    assertTrue(text.contains("x2.50*"), text);
    assertTrue(text.contains("partial was not measured: not today"), text);
  }

  @Test
  void allTechniquesFitTheNarrowestTerminal() {
    List<Cell> cells = new ArrayList<>();
    for (Technique technique : Technique.values()) {
      cells.add(cell(technique, "fork", 123_456 + 9_000 * technique.ordinal(), 5, Map.of()));
    }
    String text = TerminalReport.of(analysis(Comparisons.of(cells)), 80, false);
    text.lines().forEach(line -> assertTrue(line.length() <= 80, line));
    for (Technique technique : Technique.values()) {
      assertTrue(text.contains(" " + technique.id + "\n") || text.contains(technique.id + " "));
    }
  }

  @Test
  void coloursAddNothingButColours() {
    Analysis analysis = analysis(known());
    String coloured = TerminalReport.of(analysis, 100, true);
    assertTrue(coloured.contains("\u001b[31m"));
    assertEquals(
        TerminalReport.of(analysis, 100, false), coloured.replaceAll("\u001b\\[[0-9]*m", ""));
  }

  @ParameterizedTest
  @CsvSource({
    "0, 0",
    "1, 1.00",
    "0.9996, 1.00",
    "9.994, 9.99",
    "9.996, 10.0",
    "99.96, 100",
    "123.4, 123",
    "0.0123, 0.0123",
    "0.999, 0.999",
    "0.00001, 1.0e-05",
    "-2.5, -2.50"
  })
  void numbersHaveThreeDigitsThatMeanSomething(double value, String expected) {
    assertEquals(expected, Figures.number(value));
  }

  @Test
  void largeNumbersAndUnitsAreReadable() {
    assertEquals("12,345", Figures.number(12_345));
    assertEquals("1.50 us", Figures.time(1500));
    assertEquals("2.00 ms", Figures.time(2e6));
    assertEquals("1.00 MiB", Figures.bytes(1 << 20));
    assertEquals("96 %", Figures.confidence(0.969));
  }

  // --- JSON ---

  @Test
  void measuredAndModelledNumbersAreApartInJson() throws IOException {
    JsonNode root =
        new ObjectMapper()
            .readTree(JsonReport.of(Analysis.of(known(), CostModels.builtIn(), known())));
    JsonNode full = root.get("workloads").get(0).get("techniques").get(0);
    assertEquals(2.5, full.get("measured").get("timesAsSlow").get("estimate").asDouble(), 0.01);
    assertTrue(full.get("measured").get("timesAsSlow").get("significant").asBoolean());
    assertNull(full.get("measured").get("timesBare"));
    assertTrue(full.get("modelled").get(0).get("timesBare").asDouble() > 1);
    assertEquals(8, root.get("models").size());
    assertEquals("same", root.get("changes").get("cells").get(0).get("verdict").asText());
    assertEquals(
        "not today", root.get("workloads").get(0).get("techniques").get(2).get("failure").asText());
  }

  // --- anything ---

  @Test
  void anyComparisonMakesAllThreeReports() throws Exception {
    Random random = new Random(Long.getLong("parhelion.seed", 1));
    for (int i = 0; i < 30; i++) {
      List<Cell> cells = new ArrayList<>();
      for (Technique technique : Technique.values()) {
        List<Sample> samples = new ArrayList<>();
        for (int n = random.nextInt(9); n > 0; n--) {
          samples.add(
              Comparisons.sample(
                  random.nextLong(1, 1L << 40),
                  random.nextInt(4) == 0 ? 0 : Math.pow(10, random.nextInt(-300, 300)),
                  random.nextLong(1L << random.nextInt(1, 62)),
                  Map.of(
                      "HLT:cpu", new Count(random.nextLong(1L << 60), random.nextLong(1L << 60)))));
        }
        cells.add(new Cell(technique, "boot", samples, samples.isEmpty() ? "none" : null));
      }
      Comparison comparison = Comparisons.of(cells);
      Analysis analysis = Analysis.of(comparison, CostModels.builtIn(), comparison);
      parse(HtmlReport.of(analysis));
      assertFalse(HtmlReport.of(analysis).contains("NaN"), "a number is none");
      TerminalReport.of(analysis, 80, false);
      new ObjectMapper().readTree(JsonReport.of(analysis));
    }
  }
}
