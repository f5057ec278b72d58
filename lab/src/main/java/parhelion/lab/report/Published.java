package parhelion.lab.report;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import parhelion.lab.cost.Modelled;
import parhelion.lab.report.Analysis.Entry;
import parhelion.lab.report.Analysis.Row;
import parhelion.lab.result.Technique;

/**
 * Our ratios beside those of Barham et al., "Xen and the Art of Virtualization", SOSP 2003: native
 * Linux, Linux on Xen, and Linux on VMware Workstation 3.2 on one machine.
 *
 * @param row as the workload names it
 * @param para how many times as slow as native Xen was in the paper
 * @param full the same of VMware Workstation
 * @param measured full against para here, or null
 * @param modelledPara para against the bare machine by the model of Xen in 2003, or null
 * @param modelledFull full against the bare machine by the model of traps in 2003, or null
 */
public record Published(
    String row,
    double para,
    double full,
    @Nullable Double measured,
    @Nullable Double modelledPara,
    @Nullable Double modelledFull) {
  private record Figure(String row, double bare, double xen, double vmware, boolean higherBetter) {}

  private static final List<Figure> FIGURES =
      List.of(
          new Figure("Linux build time", 263, 271, 334, false),
          new Figure("fork proc", 110, 198, 874, false),
          new Figure("ctxsw 2p/0K", 0.77, 1.97, 18.1, false),
          new Figure("page fault", 1.42, 2.73, 12.4, false),
          new Figure("TCP TX MTU 1500", 897, 897, 291, true));

  /** Rows of the paper that were measured here. */
  static List<Published> of(Analysis analysis) {
    List<Published> all = new ArrayList<>();
    for (Figure figure : FIGURES) {
      for (Row row : analysis.rows()) {
        if (figure.row.equals(row.info().sosp03())) {
          all.add(of(figure, row, analysis.reference() == Technique.PARA));
        }
      }
    }
    return all;
  }

  private static Published of(Figure figure, Row row, boolean againstPara) {
    Entry full = row.entries().get(Technique.FULL);
    return new Published(
        figure.row,
        figure.higherBetter ? figure.bare / figure.xen : figure.xen / figure.bare,
        figure.higherBetter ? figure.bare / figure.vmware : figure.vmware / figure.bare,
        full == null || full.slower() == null || !againstPara ? null : full.slower().estimate(),
        timesBare(row.entries().get(Technique.PARA), "xen-2003"),
        timesBare(full, "trap-2003"));
  }

  private static @Nullable Double timesBare(@Nullable Entry entry, String model) {
    if (entry == null) {
      return null;
    }
    for (Modelled modelled : entry.modelled()) {
      if (modelled.model().id().equals(model)) {
        return modelled.timesBare();
      }
    }
    return null;
  }

  /** Full against para in the paper. */
  double published() {
    return full / para;
  }

  /** Full against para by the models, or null. */
  @Nullable Double modelled() {
    return modelledFull == null || modelledPara == null ? null : modelledFull / modelledPara;
  }
}
