package parhelion.process;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import parhelion.cpu.EngineStats;
import parhelion.cpu.interp.CodeCache;

/** What a run has cost: instructions, and system calls by number and host time. */
public final class Stats {
  /** One kind of system call. */
  public record Calls(String name, long count, long errors, long nanos) {}

  private final CodeCache code;
  private final long startNanos = System.nanoTime();
  private final long[] count = new long[Syscall.LIMIT];
  private final long[] errors = new long[Syscall.LIMIT];
  private final long[] nanos = new long[Syscall.LIMIT];
  long instructions;
  long guestNanos;
  long processes;
  long threads;
  long exceptions;

  Stats(CodeCache code) {
    this.code = code;
  }

  /** Name of the engine that executed guest code. */
  public String engine() {
    return code.engine().label;
  }

  /** What the rewriter did; null where the interpreter executed guest code. */
  public @Nullable EngineStats rewriter() {
    return code.engineStats();
  }

  void called(long number, boolean failed, long tookNanos) {
    int n = number >= 0 && number < Syscall.LIMIT ? (int) number : Syscall.LIMIT - 1;
    count[n]++;
    nanos[n] += tookNanos;
    if (failed) {
      errors[n]++;
    }
  }

  /** Instructions retired by all guest threads. */
  public long instructions() {
    return instructions;
  }

  public long processes() {
    return processes;
  }

  public long threads() {
    return threads;
  }

  /** Exceptions that became signals. */
  public long exceptions() {
    return exceptions;
  }

  /** Host time since the start. */
  public long elapsedNanos() {
    return System.nanoTime() - startNanos;
  }

  /** Host time in system calls, waits included, of all threads together. */
  public long callNanos() {
    long sum = 0;
    for (long each : nanos) {
      sum += each;
    }
    return sum;
  }

  /** Host time in which guest code ran, without its system calls. */
  public long guestNanos() {
    return Math.max(1, guestNanos);
  }

  /** Million instructions a second of guest code's own time. */
  public double mips() {
    return instructions * 1e3 / guestNanos();
  }

  /** System calls that were made, the most frequent first. */
  public List<Calls> calls() {
    List<Calls> all = new ArrayList<>();
    for (int n = 0; n < Syscall.LIMIT; n++) {
      if (count[n] > 0) {
        all.add(new Calls(Syscall.nameOf(n), count[n], errors[n], nanos[n]));
      }
    }
    all.sort((a, b) -> Long.compare(b.count, a.count));
    return all;
  }
}
