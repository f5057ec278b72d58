package parhelion.bench;

import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;
import parhelion.cpu.Engine;

/**
 * Tight integer loops, compiled by gcc, on each engine with its software MMU. Read the row
 * "instructions": per microsecond.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 5, time = 2)
@Measurement(iterations = 5, time = 2)
@Fork(1)
public class EngineBenchmark {
  @Param({"rewriter", "interpreter"})
  public String engine = "";

  @Param({"sieve", "mix", "sha"})
  public String program = "";

  @SuppressWarnings("NullAway.Init")
  private FlatMachine machine;

  /** Guest instructions retired: as a rate per microsecond these are MIPS. */
  @AuxCounters(AuxCounters.Type.OPERATIONS)
  @State(Scope.Thread)
  public static class Counters {
    public long instructions;
  }

  @Setup(Level.Trial)
  public void open() {
    machine = new FlatMachine(program, Objects.requireNonNull(Engine.of(engine)));
  }

  @TearDown(Level.Trial)
  public void close() {
    machine.close();
  }

  @Benchmark
  public long run(Counters counters) {
    long n = machine.run();
    counters.instructions += n;
    return n;
  }
}
