package parhelion.toolstack.guest;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import parhelion.cpu.Cpu;
import parhelion.toolstack.image.KernelSymbols;

/**
 * Where a guest spends its time: a thread of its own looks at the running vcpu's RIP every
 * millisecond. RIP is that of the end of the running block, so a sample names the function, not the
 * instruction.
 */
final class GuestProfile implements AutoCloseable {
  private static final long EVERY_NANOS = 1_000_000;
  private static final int MAX_ADDRESSES = 1 << 20;

  private final Supplier<@Nullable Cpu> current;
  private final Map<Long, Integer> samples = new HashMap<>();
  private final Thread thread;
  private volatile boolean closed;
  private int idle;
  private int running;

  /**
   * Begins to sample.
   *
   * @param current the CPU that is running, or null between slices; asked by another thread
   */
  GuestProfile(Supplier<@Nullable Cpu> current) {
    this.current = current;
    thread = Thread.ofPlatform().daemon().name("guest profile").start(this::sample);
  }

  private void sample() {
    while (!closed) {
      java.util.concurrent.locks.LockSupport.parkNanos(EVERY_NANOS);
      Cpu cpu = current.get();
      if (cpu == null) {
        idle++;
        continue;
      }
      running++;
      if (samples.size() < MAX_ADDRESSES) {
        samples.merge(cpu.rip(), 1, Integer::sum);
      }
    }
  }

  /** Stops sampling. The CPUs must exist until this returns. */
  @Override
  public void close() {
    closed = true;
    try {
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** The functions with the most samples, for people. After {@link #close}. */
  String asTable(@Nullable KernelSymbols symbols, int rows) {
    Map<String, Integer> byName = new HashMap<>();
    samples.forEach((rip, count) -> byName.merge(nameOf(rip, symbols), count, Integer::sum));
    List<Map.Entry<String, Integer>> sorted = new ArrayList<>(byName.entrySet());
    sorted.sort(Map.Entry.<String, Integer>comparingByValue().reversed());
    StringBuilder text = new StringBuilder();
    text.append("%d samples running, %d idle%n".formatted(running, idle));
    for (Map.Entry<String, Integer> entry : sorted.subList(0, Math.min(rows, sorted.size()))) {
      text.append("%6.2f %%  %s%n".formatted(100.0 * entry.getValue() / running, entry.getKey()));
    }
    return text.toString();
  }

  private static String nameOf(long rip, @Nullable KernelSymbols symbols) {
    if (rip >= 0) {
      return "(user mode)";
    }
    KernelSymbols.Symbol symbol = symbols == null ? null : symbols.at(rip);
    return symbol == null ? "0x" + Long.toHexString(rip) : symbol.name();
  }
}
