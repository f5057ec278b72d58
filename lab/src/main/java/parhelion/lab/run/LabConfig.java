package parhelion.lab.run;

import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import parhelion.lab.result.Technique;
import parhelion.lab.workload.Workload;
import parhelion.toolstack.CpuChoice;

/**
 * What to compare, and how.
 *
 * @param kernel a file, or null for a package's
 * @param packageName a package of Debian's, or null for the one that the devices need
 * @param initrd a file or directory, or null for the built-in initramfs
 * @param rootfs a directory, tar ball or image that guests have as their root, or null for the
 *     initramfs itself; not both
 * @param append more words for the kernel's command line
 * @param workloads what to measure, in that order
 * @param command the user's shell commands, if they are among the workloads
 * @param techniques how to run them
 * @param repetitions measured rounds, at least 1
 * @param warmUps rounds before, whose samples are dropped
 * @param rowMillis how long a row is measured, about
 * @param memoryMib of each guest
 * @param vcpus of each guest
 * @param cpu which processor guests see, and what executes their code
 * @param virtualClock whether an instruction takes a nanosecond and waiting nothing
 * @param seed of what is random in guests under the virtual clock
 * @param words the command line, for the record
 */
public record LabConfig(
    @Nullable Path kernel,
    @Nullable String packageName,
    @Nullable Path initrd,
    @Nullable Path rootfs,
    String append,
    List<Workload> workloads,
    String command,
    List<Technique> techniques,
    int repetitions,
    int warmUps,
    int rowMillis,
    int memoryMib,
    int vcpus,
    CpuChoice cpu,
    boolean virtualClock,
    long seed,
    List<String> words) {
  /** The most rounds that are of any use. */
  public static final int MAX_REPETITIONS = 1000;
}
