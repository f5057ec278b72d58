package parhelion.lab.result;

/**
 * One measured repetition of a workload, between two marks of the guest program.
 *
 * @param operations how many operations the guest did between the marks, at least 1: the counts are
 *     of all of them
 * @param bytes that the workload moved, 0 where it moves none
 * @param value the guest's own figure, in the workload's unit
 * @param guestNanos between the marks by the guest's clock
 * @param wallNanos between the marks by the host's clock
 * @param hostCpuNanos processor time of the whole process between the marks
 * @param instructions that the guest's processors retired between the marks
 * @param counts what the guest needed of its monitor
 */
public record Sample(
    long operations,
    long bytes,
    double value,
    long guestNanos,
    long wallNanos,
    long hostCpuNanos,
    long instructions,
    Counts counts) {
  public Sample {
    if (operations < 1) {
      throw new IllegalArgumentException("sample.operations is " + operations + ", below 1");
    }
    Check.count("sample.bytes", bytes);
    if (!Double.isFinite(value) || value < 0) {
      throw new IllegalArgumentException("sample.value is " + value + ", no finite measure");
    }
    Check.count("sample.guestNanos", guestNanos);
    Check.count("sample.wallNanos", wallNanos);
    Check.count("sample.hostCpuNanos", hostCpuNanos);
    Check.count("sample.instructions", instructions);
    Check.present("sample.counts", counts);
  }
}
