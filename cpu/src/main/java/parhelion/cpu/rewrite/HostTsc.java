package parhelion.cpu.rewrite;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.io.IOException;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * The host's time-stamp counter as a clock in nanoseconds: what generated code can read by itself.
 * It is measured once against {@link System#nanoTime}; afterwards the two may drift apart by some
 * parts in a million, so a hypervisor takes all its time from one of them. Any thread.
 */
public final class HostTsc {
  /** The scale is taken over at least so long. */
  private static final long MEASURED_NANOS = 20_000_000;

  private static final int READINGS = 20;

  private static final @Nullable Counter COUNTER = Counter.open();

  /** The counter at nanosecond 0 of this clock. */
  final long base;

  /** Nanoseconds of a tick in units of 2^-63. */
  final long scale;

  private HostTsc(long base, long scale) {
    this.base = base;
    this.scale = scale;
  }

  /**
   * The clock, the same for all callers, or null where the host has no steady counter to be read.
   */
  public static @Nullable HostTsc find() {
    return Holder.CLOCK;
  }

  /** Nanoseconds since some moment of this process; never goes back. */
  public long nanos() {
    Counter counter = COUNTER;
    if (counter == null) {
      throw new IllegalStateException("no counter");
    }
    long ticks = counter.read() - base;
    return Math.unsignedMultiplyHigh(ticks, scale) << 1 | ticks * scale >>> 63;
  }

  private static final class Holder {
    static final @Nullable HostTsc CLOCK = COUNTER == null ? null : COUNTER.measured();
  }

  /** Reads the counter, by code of three instructions. */
  private static final class Counter {
    private final MethodHandle read;
    private final long firstTicks;
    private final long firstNanos;

    private Counter(MethodHandle read) {
      this.read = read;
      long[] first = reading();
      firstTicks = first[0];
      firstNanos = first[1];
    }

    static @Nullable Counter open() {
      if (HostCpu.obstacle() != null || !isSteady()) {
        return null;
      }
      try {
        CodeArena arena = new CodeArena(4096); // kept for good
        Assembler a = new Assembler();
        a.start(arena.next());
        a.b(0x0f, 0x31); // rdtsc
        a.shift(Assembler.SHL, Assembler.RDX, 32);
        a.alu(Assembler.OR, Assembler.RAX, Assembler.RDX);
        a.b(0xc3);
        arena.add(a.code, a.at);
        MemorySegment code = MemorySegment.ofAddress(a.base);
        return new Counter(
            Linker.nativeLinker()
                .downcallHandle(
                    code, FunctionDescriptor.of(JAVA_LONG), Linker.Option.critical(false)));
      } catch (UnsupportedOperationException e) {
        return null;
      }
    }

    /**
     * Whether Linux itself takes its time from the counter: then it runs evenly, on all processors
     * alike.
     */
    private static boolean isSteady() {
      try {
        return Files.readString(
                Path.of("/sys/devices/system/clocksource/clocksource0/current_clocksource"))
            .trim()
            .equals("tsc");
      } catch (IOException e) {
        return false;
      }
    }

    long read() {
      try {
        return (long) read.invokeExact();
      } catch (RuntimeException | Error e) {
        throw e;
      } catch (Throwable e) {
        throw new IllegalStateException(e);
      }
    }

    /** Counter and nanoTime of one moment: of several readings the one that took least. */
    private long[] reading() {
      long best = Long.MAX_VALUE;
      long[] reading = new long[2];
      for (int i = 0; i < READINGS; i++) {
        long before = System.nanoTime();
        long ticks = read();
        long after = System.nanoTime();
        if (after - before < best) {
          best = after - before;
          reading[0] = ticks;
          reading[1] = before + (after - before) / 2;
        }
      }
      return reading;
    }

    @Nullable HostTsc measured() {
      while (System.nanoTime() - firstNanos < MEASURED_NANOS) {
        Thread.onSpinWait();
      }
      long[] now = reading();
      double perTick = (double) (now[1] - firstNanos) / (now[0] - firstTicks);
      // A tick of a nanosecond or more would not fit; no such processor is known.
      return perTick > 0 && perTick < 0.99
          ? new HostTsc(firstTicks, (long) (perTick * 0x1p63))
          : null;
    }
  }
}
