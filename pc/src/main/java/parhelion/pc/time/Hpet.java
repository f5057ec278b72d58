package parhelion.pc.time;

import java.util.function.IntFunction;
import parhelion.pc.Board;
import parhelion.pc.InterruptLine;
import parhelion.pc.Registers;
import parhelion.pc.Timers;

/**
 * The High Precision Event Timer (IA-PC HPET 1.0a) at 0xfed00000: a 64-bit counter of 100 MHz and
 * three comparators, periodic or not, on lines of the I/O APIC. It has no legacy replacement: where
 * it had, Linux would make it the tick by which it boots, and look whether that comes by the clock
 * while a slow host is still at the first one; without, it goes by the local APICs' timers from the
 * start. On the thread that runs the machine.
 */
public final class Hpet implements Registers {
  public static final long ADDRESS = 0xfed0_0000L;

  /** Ten nanoseconds a tick, said in femtoseconds. */
  private static final long PERIOD_FEMTOSECONDS = 10_000_000L;

  private static final long NANOS_PER_TICK = 10;
  private static final int TIMERS = 3;

  /** 64 bits, three timers, Intel's number, revision 1. */
  public static final long CAPABILITIES = PERIOD_FEMTOSECONDS << 32 | 0x8086_2201L;

  private static final long CONFIG_ENABLE = 1;

  private static final long LEVEL = 1 << 1;
  private static final long ENABLE = 1 << 2;
  private static final long PERIODIC = 1 << 3;
  private static final long PERIODIC_CAPABLE = 1 << 4;
  private static final long WIDE_CAPABLE = 1 << 5;
  private static final long SET_VALUE = 1 << 6;
  private static final long NARROW = 1 << 8;
  private static final long ROUTE = 31 << 9;
  private static final long WRITABLE = LEVEL | ENABLE | PERIODIC | SET_VALUE | NARROW | ROUTE;

  /** Lines 20 to 23, to which no PCI device is wired. */
  private static final int FIRST_ROUTE = 20;

  private static final long ROUTES = 0x00f0_0000L << 32;

  /** Counts that a period has at most: more is centuries. */
  private static final long MAX_PERIOD = Long.MAX_VALUE / 64;

  private final Timers timers;
  private final InterruptLine[] routed = new InterruptLine[4];
  private final Comparator[] comparators = new Comparator[TIMERS];
  private long config;
  private long status;

  /** The counter where it stands while it is stopped; else what is to be added to the clock's. */
  private long counter;

  /**
   * A timer on a board.
   *
   * @param lines makes an input of a line
   */
  public Hpet(Timers timers, IntFunction<InterruptLine> lines) {
    this.timers = timers;
    for (int i = 0; i < routed.length; i++) {
      routed[i] = lines.apply(FIRST_ROUTE + i);
    }
    for (int i = 0; i < TIMERS; i++) {
      comparators[i] = new Comparator(i);
    }
    reset();
  }

  /** Places the registers. */
  public void plug(Board board) {
    board.mapMemory(ADDRESS, 4096, "hpet", this);
  }

  /** The state after reset. */
  public void reset() {
    config = 0;
    status = 0;
    counter = 0;
    for (Comparator each : comparators) {
      each.reset();
    }
  }

  private boolean runs() {
    return (config & CONFIG_ENABLE) != 0;
  }

  private long count() {
    return runs() ? timers.nanos() / NANOS_PER_TICK + counter : counter;
  }

  @Override
  public long read(long offset, int size) {
    long value = register(offset & ~7L);
    return size == 8 ? value : value >>> 8 * (offset & 7);
  }

  private long register(long offset) {
    return switch ((int) offset) {
      case 0 -> CAPABILITIES;
      case 0x10 -> config;
      case 0x20 -> status;
      case 0xf0 -> count();
      default -> {
        Comparator c = comparator(offset);
        yield c == null ? 0 : (offset & 0x1f) == 0 ? c.config : (offset & 0x1f) == 8 ? c.value : 0;
      }
    };
  }

  private @org.jspecify.annotations.Nullable Comparator comparator(long offset) {
    int i = (int) (offset - 0x100 >> 5);
    return offset >= 0x100 && i < TIMERS ? comparators[i] : null;
  }

  @Override
  public void write(long offset, int size, long value) {
    if (size < 4) {
      return; // registers are accessed by 32 or 64 bits
    }
    long old = register(offset & ~7L);
    long whole = value;
    boolean high = size == 4 && (offset & 4) != 0;
    if (size == 4) {
      whole = high ? old & 0xffff_ffffL | value << 32 : old & ~0xffff_ffffL | value & 0xffff_ffffL;
    }
    switch ((int) offset & ~7) {
      case 0x10 -> configure(whole);
      case 0x20 -> acknowledge(high ? 0 : value);
      case 0xf0 -> {
        if (!runs()) {
          counter = whole;
        }
      }
      default -> {
        Comparator c = comparator(offset & ~7L);
        if (c != null && (offset & 0x18) == 0) {
          c.configure(whole);
        } else if (c != null && (offset & 0x18) == 8) {
          c.set(whole, high);
        }
      }
    }
  }

  private void configure(long value) {
    boolean ran = runs();
    long count = count();
    for (Comparator c : comparators) {
      c.lower();
    }
    config = value & CONFIG_ENABLE;
    if (ran != runs()) {
      counter = runs() ? count - timers.nanos() / NANOS_PER_TICK : count;
    }
    for (Comparator c : comparators) {
      c.schedule();
    }
  }

  private void acknowledge(long bits) {
    for (int i = 0; i < TIMERS; i++) {
      if ((bits >>> i & 1) != 0 && (status >>> i & 1) != 0) {
        comparators[i].lower();
      }
    }
  }

  private final class Comparator {
    private final int number;
    private final Timers.Timer timer;
    private long config;
    private long value;
    private long period;

    Comparator(int number) {
      this.number = number;
      timer = timers.timer(this::expired);
    }

    void reset() {
      timer.cancel();
      config = PERIODIC_CAPABLE | WIDE_CAPABLE | ROUTES;
      value = -1L;
      period = 0;
    }

    void configure(long written) {
      lower();
      config = written & WRITABLE | PERIODIC_CAPABLE | WIDE_CAPABLE | ROUTES;
      if ((config & NARROW) != 0) {
        value &= 0xffff_ffffL;
      }
      schedule();
    }

    void set(long written, boolean high) {
      long wanted = (config & NARROW) != 0 ? written & 0xffff_ffffL : written;
      if ((config & PERIODIC) == 0) {
        value = wanted;
      } else if ((config & SET_VALUE) != 0) {
        value = wanted;
        if (period == 0) {
          period = wanted;
        }
        if (!high) {
          config &= ~SET_VALUE;
        }
      } else {
        period = wanted;
      }
      schedule();
    }

    private long ticksUntil() {
      long until = value - count();
      return (config & NARROW) != 0 ? until & 0xffff_ffffL : until;
    }

    void schedule() {
      if (!runs() || (config & ENABLE) == 0) {
        timer.cancel();
        return;
      }
      long until = ticksUntil();
      if (until < 0) {
        // A comparator that the counter has passed matches after it has gone round: not soon.
        timer.cancel();
        return;
      }
      long nanos = until > Long.MAX_VALUE / 32 ? Long.MAX_VALUE / 2 : until * NANOS_PER_TICK;
      timer.set(timers.nanos() + nanos);
    }

    private void expired() {
      if (!runs() || (config & ENABLE) == 0) {
        return;
      }
      raise();
      if ((config & PERIODIC) != 0 && period > 0) {
        tickAgain();
      }
    }

    /** The comparator moves on by its period; see {@link Ticks} for what comes of being late. */
    private void tickAgain() {
      long late = count() - value;
      late = (config & NARROW) != 0 ? (int) late : late;
      long now = timers.nanos();
      long meant = now - late * NANOS_PER_TICK;
      long periodNanos = Math.min(period, MAX_PERIOD) * NANOS_PER_TICK;
      long next = Ticks.next(meant, periodNanos, now);
      value += (next - meant) / NANOS_PER_TICK;
      if ((config & NARROW) != 0) {
        value &= 0xffff_ffffL;
      }
      timer.set(Ticks.due(next, periodNanos, now));
    }

    private InterruptLine line() {
      int route = ((int) (config >>> 9) & 31) - FIRST_ROUTE;
      return route >= 0 && route < routed.length ? routed[route] : raised -> {};
    }

    private void raise() {
      if ((config & LEVEL) != 0) {
        status |= 1L << number;
        line().set(true);
      } else {
        line().pulse();
      }
    }

    void lower() {
      if ((status >>> number & 1) != 0) {
        status &= ~(1L << number);
        line().set(false);
      }
    }
  }
}
