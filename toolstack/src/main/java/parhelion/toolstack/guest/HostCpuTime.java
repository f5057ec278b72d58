package parhelion.toolstack.guest;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.management.ManagementFactory;
import parhelion.host.Libc;

/**
 * Processor time of this whole process, by all of its threads: guests' code, devices, the JVM's own
 * compilers and collectors. To the nanosecond on Linux; elsewhere as finely as the JDK has it.
 */
public final class HostCpuTime {
  /** CLOCK_PROCESS_CPUTIME_ID. */
  private static final int PROCESS_CPU_TIME = 2;

  private static final ThreadLocal<MemorySegment> TIMESPEC =
      ThreadLocal.withInitial(() -> Arena.ofAuto().allocate(16, 8));

  private HostCpuTime() {}

  /** Nanoseconds since the process began. */
  public static long nanos() {
    if (Libc.isAvailable()) {
      MemorySegment time = TIMESPEC.get();
      if (Libc.call(Libc.Call.CLOCK_GETTIME, PROCESS_CPU_TIME, time.address()) == 0) {
        return time.get(ValueLayout.JAVA_LONG, 0) * 1_000_000_000L
            + time.get(ValueLayout.JAVA_LONG, 8);
      }
    }
    var system = ManagementFactory.getOperatingSystemMXBean();
    return system instanceof com.sun.management.OperatingSystemMXBean process
        ? Math.max(0, process.getProcessCpuTime())
        : 0;
  }
}
