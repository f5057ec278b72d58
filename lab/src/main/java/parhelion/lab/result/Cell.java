package parhelion.lab.result;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One workload under one technique.
 *
 * @param workload the {@link WorkloadInfo#id}
 * @param samples of the measured repetitions in the order in which they ran, warm-ups left out
 * @param failure why there are no samples, or fewer than asked for: a phrase, or null
 */
public record Cell(
    Technique technique, String workload, List<Sample> samples, @Nullable String failure) {
  public Cell {
    Check.present("cell.technique", technique);
    Check.text("cell.workload", workload);
    samples = Check.list("cell.samples", samples, 10_000);
    if (failure != null) {
      Check.text("cell.failure", failure);
    }
    if (samples.isEmpty() && failure == null) {
      throw new IllegalArgumentException(
          "the cell " + technique.id + "/" + workload + " has neither samples nor a failure");
    }
  }
}
