/**
 * Runs workloads under techniques. {@link parhelion.lab.run.LabRun} is where to start: it boots a
 * guest for each round and technique, {@link parhelion.lab.run.MarkRecorder} cuts the samples out
 * of it.
 */
@NullMarked
package parhelion.lab.run;

import org.jspecify.annotations.NullMarked;
