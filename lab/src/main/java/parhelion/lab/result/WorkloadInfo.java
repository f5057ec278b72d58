package parhelion.lab.result;

import org.jspecify.annotations.Nullable;

/**
 * What a workload is; how it is run is no part of a result.
 *
 * @param id its name on the command line, unique in a comparison
 * @param group what it is shown with: boot, processes, memory, latency, files, disk, network,
 *     compute, yours
 * @param title what tables call it
 * @param unit of {@link Sample#value}: us, MB/s, s ...
 * @param higherIsBetter whether more of the unit is better (a throughput) or less (a time)
 * @param sosp03 the row of the Xen paper (SOSP 2003, tables 3 to 6 and figure 3) that it repeats,
 *     or null
 */
public record WorkloadInfo(
    String id,
    String group,
    String title,
    String unit,
    boolean higherIsBetter,
    @Nullable String sosp03) {
  public WorkloadInfo {
    Check.text("workload.id", id);
    Check.text("workload.group", group);
    Check.text("workload.title", title);
    Check.text("workload.unit", unit);
    if (sosp03 != null) {
      Check.text("workload.sosp03", sosp03);
    }
  }
}
