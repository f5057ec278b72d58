package parhelion.lab.workload;

/** How a sample's value comes of what the guest says at the closing mark. */
public enum Figure {
  MICROSECONDS("us", false) {
    @Override
    public double of(long operations, long bytes, long guestNanos, long hostCpuNanos) {
      return guestNanos / 1e3 / operations;
    }
  },
  MILLISECONDS("ms", false) {
    @Override
    public double of(long operations, long bytes, long guestNanos, long hostCpuNanos) {
      return guestNanos / 1e6 / operations;
    }
  },
  SECONDS("s", false) {
    @Override
    public double of(long operations, long bytes, long guestNanos, long hostCpuNanos) {
      return guestNanos / 1e9 / operations;
    }
  },
  MEGABYTES_PER_SECOND("MB/s", true) {
    @Override
    public double of(long operations, long bytes, long guestNanos, long hostCpuNanos) {
      return bytes * 1e3 / guestNanos;
    }
  },
  MEGABITS_PER_SECOND("Mb/s", true) {
    @Override
    public double of(long operations, long bytes, long guestNanos, long hostCpuNanos) {
      return bytes * 8e3 / guestNanos;
    }
  },

  /** What the host pays for a second of the guest's. */
  HOST_MILLISECONDS_PER_SECOND("ms/s", false) {
    @Override
    public double of(long operations, long bytes, long guestNanos, long hostCpuNanos) {
      return hostCpuNanos * 1e3 / guestNanos;
    }
  };

  /** What it is counted in. */
  public final String unit;

  /** Whether more is better. */
  public final boolean higherIsBetter;

  Figure(String unit, boolean higherIsBetter) {
    this.unit = unit;
    this.higherIsBetter = higherIsBetter;
  }

  /** The value; operations and nanoseconds are positive. */
  public abstract double of(long operations, long bytes, long guestNanos, long hostCpuNanos);
}
