package parhelion.lab.report;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import parhelion.lab.cost.CostModel;
import parhelion.lab.cost.Modelled;
import parhelion.lab.cost.Price;
import parhelion.lab.report.Analysis.Entry;
import parhelion.lab.report.Analysis.Row;
import parhelion.lab.result.Technique;

/** The page's part about cost models, which has no measured number in it. */
final class HtmlModels {
  private record Column(CostModel model, Technique technique) {}

  private final Html html;
  private final Analysis analysis;

  HtmlModels(Html html, Analysis analysis) {
    this.html = html;
    this.analysis = analysis;
  }

  /** What a model says of all workloads under a technique. */
  static List<Modelled> of(Analysis analysis, CostModel model, Technique technique) {
    List<Modelled> all = new ArrayList<>();
    for (Row row : analysis.rows()) {
      Modelled modelled = of(row, model, technique);
      if (modelled != null) {
        all.add(modelled);
      }
    }
    return all;
  }

  private static @Nullable Modelled of(Row row, CostModel model, Technique technique) {
    Entry entry = row.entries().get(technique);
    if (entry != null) {
      for (Modelled modelled : entry.modelled()) {
        if (modelled.model().id().equals(model.id())) {
          return modelled;
        }
      }
    }
    return null;
  }

  void write() {
    List<Column> columns = new ArrayList<>();
    for (CostModel model : analysis.models()) {
      for (Technique technique : model.techniques()) {
        if (!of(analysis, model, technique).isEmpty()) {
          columns.add(new Column(model, technique));
        }
      }
    }
    if (columns.isEmpty()) {
      return;
    }
    html.open("section", "class", "modelled", "id", "modelled");
    html.open("h2").text("On named hardware ").text("span", "modelled", "class", "tag model");
    html.closeLine();
    html.text(
        "p",
        "None of this was measured. Modelled time is the guest's instructions at a rate of that"
            + " hardware plus what was counted times what each costs there; waiting for devices is"
            + " left out. The numbers say how many times as long as on the bare machine, whose"
            + " kernel does what a PC's guest does: a paravirtual kernel's further instructions"
            + " count, too.");
    if (columns.stream().anyMatch(column -> borrowed(column))) {
      html.text(
          "p",
          "Without the virtual clock nobody sees the stores of a PC's kernel to its page tables, so"
              + " models with shadow page tables take the number that the paravirtual guest asked"
              + " for at the same work; faults that fill shadows are left out.",
          "class",
          "quiet");
    }
    new Charts(html).models(analysis);
    table(columns);
    published();
    models();
    html.closeLine();
  }

  private boolean borrowed(Column column) {
    return of(analysis, column.model, column.technique).stream()
        .anyMatch(Modelled::borrowedUpdates);
  }

  private void table(List<Column> columns) {
    scroll("Modelled factors by workload");
    html.open("table")
        .text("caption", "Times the bare machine's time, and the time of an operation");
    html.open("thead").open("tr").text("th", "workload", "scope", "col", "class", "left");
    for (Column column : columns) {
      html.open("th", "scope", "col")
          .text(column.model.id())
          .text("small", column.technique.id)
          .closeLine();
    }
    html.close().closeLine().open("tbody");
    for (Row row : analysis.rows()) {
      html.open("tr").text("th", row.info().id(), "scope", "row");
      for (Column column : columns) {
        Modelled modelled = of(row, column.model, column.technique);
        html.open("td");
        if (modelled == null) {
          html.text("-");
        } else {
          html.text(Figures.number(modelled.timesBare()));
          html.text("small", Figures.time(modelled.totalNanos()));
        }
        html.closeLine();
      }
      html.closeLine();
    }
    html.close().close().closeLine();
  }

  private void published() {
    List<Published> rows = Published.of(analysis);
    if (rows.isEmpty()) {
      return;
    }
    html.text("h3", "Beside the Xen paper of 2003");
    html.text(
        "p",
        "How many times as slow full virtualisation is as paravirtualisation: VMware Workstation"
            + " against Xen in Barham et al., SOSP 2003, and the models of that machine on the"
            + " counts of this run.",
        "class",
        "quiet");
    scroll("Ratios beside those of the Xen paper");
    html.open("table").open("thead").open("tr");
    for (String head : List.of("row", "paper: para", "paper: full", "model: para", "model: full")) {
      html.text("th", head, "scope", "col", "class", head.equals("row") ? "left" : "");
    }
    html.text("th", "paper: full / para", "scope", "col");
    html.text("th", "model: full / para", "scope", "col");
    html.close().closeLine().open("tbody");
    for (Published row : rows) {
      html.open("tr").text("th", row.row(), "scope", "row");
      html.text("td", Figures.number(row.para())).text("td", Figures.number(row.full()));
      html.text("td", number(row.modelledPara())).text("td", number(row.modelledFull()));
      html.text("td", Figures.number(row.published())).text("td", number(row.modelled()));
      html.closeLine();
    }
    html.close().close().closeLine();
  }

  private static String number(@Nullable Double value) {
    return value == null ? "-" : Figures.number(value);
  }

  private void models() {
    html.text("h3", "The models and where their numbers are from");
    for (CostModel model : analysis.models()) {
      html.open("details").open("summary").text(model.id() + " ");
      html.text("span", model.title() + ", " + model.year() + ": " + model.hardware());
      html.closeLine();
      html.text("p", model.about());
      html.text(
          "p",
          "An instruction takes "
              + Figures.time(model.nanosPerInstruction())
              + ": "
              + model.instructionSource()
              + ".",
          "class",
          "quiet");
      scroll("Prices of " + model.id());
      html.open("table").open("thead").open("tr");
      for (String head : List.of("event", "price", "bare machine", "source")) {
        boolean left = head.equals("event") || head.equals("source");
        html.text("th", head, "scope", "col", "class", left ? "left" : "");
      }
      html.close().closeLine().open("tbody");
      for (Price price : model.prices()) {
        html.open("tr").text("th", price.event(), "scope", "row");
        html.text("td", Figures.time(price.nanos()));
        html.text("td", price.nativeNanos() == 0 ? "-" : Figures.time(price.nativeNanos()));
        html.text("td", price.source(), "class", "left");
        html.closeLine();
      }
      html.close().close().close().closeLine();
    }
  }

  private void scroll(String label) {
    html.open("div", "class", "scroll", "tabindex", "0", "role", "region", "aria-label", label);
  }
}
