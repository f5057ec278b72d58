package parhelion.pc.intercept;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * How often a guest needed the machine around its processor, by cause, device and register, and the
 * host time that this took. Written by the thread that runs the machine; readers on others see
 * slightly old numbers.
 */
public final class Intercepts {
  /** Guests choose registers: so many are told apart. */
  private static final int MAX_COUNTERS = 4096;

  /** Who is told of each one as it happens. */
  public interface Listener {
    /** One more of what a counter counts; on the machine's thread. */
    void intercepted(Cause cause, String device, String register);
  }

  /** One line of the account. */
  public final class Counter {
    private final Cause cause;
    private final String device;
    private final String register;
    private long count;
    private long nanos;

    Counter(Cause cause, String device, String register) {
      this.cause = cause;
      this.device = device;
      this.register = register;
    }

    /** Counts one that took since {@code startNanos}, a time of {@link Intercepts#now}. */
    public void add(long nanos) {
      count++;
      this.nanos += nanos;
      Listener told = listener;
      if (told != null) {
        told.intercepted(cause, device, register);
      }
    }

    /** Counts some that nobody was told of and whose time nobody measured. */
    public void addSilently(long some) {
      count += some;
    }

    Row row() {
      return new Row(cause, device, register, count, nanos);
    }
  }

  /**
   * A line of the account as it stands.
   *
   * @param register what of the device, or empty
   * @param hostNanos host time of all of them, 0 where nobody measured
   */
  public record Row(Cause cause, String device, String register, long count, long hostNanos) {
    /** By cause, and the most frequent first within each. */
    public static final Comparator<Row> ORDER =
        (a, b) -> a.cause != b.cause ? a.cause.compareTo(b.cause) : Long.compare(b.count, a.count);
  }

  private record Key(Cause cause, String device, String register) {}

  private final Map<Key, Counter> counters = new LinkedHashMap<>();
  private boolean timed = true;
  private boolean countsUnassisted;
  private @Nullable Listener listener;

  /** The counter of what is named so. */
  public Counter counter(Cause cause, String device, String register) {
    Key key = new Key(cause, device, register);
    Counter counter = counters.get(key);
    if (counter == null) {
      if (counters.size() >= MAX_COUNTERS && !register.equals("others")) {
        return counter(cause, device, "others");
      }
      counter = new Counter(cause, device, register);
      counters.put(key, counter);
    }
    return counter;
  }

  /** Has somebody told of each interception from now on, or nobody. */
  public void setListener(@Nullable Listener told) {
    listener = told;
  }

  /** Whether somebody is told of each. */
  public boolean isListenedTo() {
    return listener != null;
  }

  /** Measures host time from now on, or no more: reading the host's clock has its price. */
  public void measureTime(boolean measure) {
    timed = measure;
  }

  /**
   * Counts also what nobody here has to intercept and a hypervisor without assistance by the
   * processor has: instructions on the interrupt flag, others that are privileged, and what {@link
   * ShadowPaging} does. They are interpreted then, so that guests become slower. Before the machine
   * runs.
   */
  public void countUnassisted() {
    countsUnassisted = true;
  }

  /** Whether that is counted. */
  public boolean countsUnassisted() {
    return countsUnassisted;
  }

  /** Host time, or 0 where nobody wants it. */
  public long now() {
    return timed ? System.nanoTime() : 0;
  }

  /** How often what a cause names has happened, of all devices and of one register or all. */
  public long count(Cause cause, @Nullable String register) {
    long sum = 0;
    for (Counter counter : counters.values()) {
      if (counter.cause == cause && (register == null || register.equals(counter.register))) {
        sum += counter.count;
      }
    }
    return sum;
  }

  /** All that has happened, the most frequent first within each cause. */
  public List<Row> rows() {
    List<Row> rows = new ArrayList<>();
    for (Counter counter : counters.values()) {
      if (counter.count > 0) {
        rows.add(counter.row());
      }
    }
    rows.sort(Row.ORDER);
    return rows;
  }
}
