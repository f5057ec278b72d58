package parhelion.lab.workload;

import org.jspecify.annotations.Nullable;
import parhelion.lab.result.WorkloadInfo;

/**
 * One thing to measure.
 *
 * @param info what results say of it
 * @param row the row of the guest program ({@code guests/lab}) with its argument; {@code IP PORT}
 *     stands for the service's address
 * @param figure how its value comes about
 * @param need what it needs
 */
public record Workload(WorkloadInfo info, String row, Figure figure, Need need) {
  static Workload of(
      String id,
      String group,
      String title,
      String row,
      Figure figure,
      Need need,
      @Nullable String sosp03) {
    return new Workload(
        new WorkloadInfo(id, group, title, figure.unit, figure.higherIsBetter, sosp03),
        row,
        figure,
        need);
  }

  /** Its name on the command line. */
  public String id() {
    return info.id();
  }
}
