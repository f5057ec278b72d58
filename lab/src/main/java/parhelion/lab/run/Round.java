package parhelion.lab.run;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import parhelion.lab.result.Sample;
import parhelion.lab.workload.Workload;

/**
 * What came of doing all rows once: a sample or a failure for each workload, by its name. *
 *
 * @param engine what executed it
 */
record Round(String engine, Map<String, Sample> samples, Map<String, String> failures) {
  /** Of a run that has ended; {@code otherwise} is why rows were not done that were not. */
  static Round of(
      String engine, List<Workload> workloads, MarkRecorder recorder, String otherwise) {
    Map<String, Sample> samples = new HashMap<>();
    Map<String, String> failures = new HashMap<>();
    for (Workload workload : workloads) {
      Sample sample = recorder.sample(workload);
      if (sample != null) {
        samples.put(workload.id(), sample);
      } else {
        @Nullable String why = recorder.failure(workload);
        failures.put(
            workload.id(),
            why != null ? why : recorder.isDone() ? "its marks did not come" : otherwise);
      }
    }
    return new Round(engine, samples, failures);
  }
}
