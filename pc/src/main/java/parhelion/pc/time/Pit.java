package parhelion.pc.time;

import parhelion.pc.Board;
import parhelion.pc.InterruptLine;
import parhelion.pc.Registers;
import parhelion.pc.Timers;

/**
 * The 8254 interval timer: three counters of 1.193182 MHz at ports 40h to 43h. Counter 0 drives
 * line 0, counter 2 the speaker, whose gate and output are at port 61h. On the thread that runs the
 * machine.
 */
public final class Pit implements Registers {
  public static final long HERTZ = 1_193_182;

  private static final int CONTROL = 3;

  private final Timers timers;
  private final InterruptLine line;
  private final Counter[] counters = {new Counter(), new Counter(), new Counter()};
  private final Timers.Timer tick;
  private int speaker;

  /** When counter 0 was, or is, meant to tick. */
  private long meantNanos;

  /** A timer that drives {@code line}. */
  public Pit(Timers timers, InterruptLine line) {
    this.timers = timers;
    this.line = line;
    tick = timers.timer(this::ticked);
    reset();
  }

  /** Places the registers. */
  public void plug(Board board) {
    board.mapPorts(0x40, 4, "pit", this);
    board.mapPorts(0x61, 1, "speaker", speakerPort());
  }

  /** The state after reset. */
  public void reset() {
    for (int i = 0; i < 3; i++) {
      counters[i].reset(i != 2);
    }
    speaker = 0;
    tick.cancel();
    line.set(false);
  }

  private Registers speakerPort() {
    return new Registers() {
      @Override
      public long read(long offset, int size) {
        long refresh = timers.nanos() / 15_085 & 1; // toggles with each refresh of old memory
        return speaker | refresh << 4 | (counters[2].output() ? 0x20 : 0);
      }

      @Override
      public void write(long offset, int size, long value) {
        speaker = (int) value & 3;
        counters[2].gate((value & 1) != 0);
      }
    };
  }

  @Override
  public long read(long offset, int size) {
    return offset == CONTROL ? 0 : counters[(int) offset].read();
  }

  @Override
  public void write(long offset, int size, long value) {
    int v = (int) value & 0xff;
    if (offset != CONTROL) {
      counters[(int) offset].write(v);
      if (offset == 0) {
        schedule();
      }
      return;
    }
    int select = v >> 6;
    if (select == 3) {
      readBack(v);
    } else if ((v & 0x30) == 0) {
      counters[select].latch();
    } else {
      counters[select].control(v & 0x3f);
      if (select == 0) {
        schedule();
      }
    }
  }

  private void readBack(int v) {
    for (int i = 0; i < 3; i++) {
      if ((v >> i + 1 & 1) != 0) {
        if ((v & 0x20) == 0) {
          counters[i].latch();
        }
        if ((v & 0x10) == 0) {
          counters[i].latchStatus();
        }
      }
    }
  }

  // --- counter 0's interrupts ---

  private void schedule() {
    Counter counter = counters[0];
    line.set(counter.output());
    long next = counter.nextChangeNanos();
    if (next == Long.MAX_VALUE) {
      tick.cancel();
    } else {
      meantNanos = next;
      tick.set(next);
    }
  }

  private void ticked() {
    Counter counter = counters[0];
    if (counter.isPeriodic()) {
      // The line is seen to rise once a period, however late this is.
      line.set(false);
      line.set(true);
      long now = timers.nanos();
      long period = counter.periodNanos();
      // Nobody can serve ticks that are closer than so: those are not owed.
      meantNanos =
          period < Ticks.MIN_PERIOD_NANOS
              ? counter.nextReloadNanos()
              : Ticks.next(meantNanos, period, now);
      tick.set(Ticks.due(meantNanos, period, now));
    } else {
      schedule();
    }
  }

  private static long nanosOf(long ticks) {
    long rest = ticks % HERTZ * 1_000_000_000L;
    return ticks / HERTZ * 1_000_000_000L + (rest + HERTZ - 1) / HERTZ;
  }

  private long ticksSince(long startNanos) {
    long nanos = timers.nanos() - startNanos;
    return nanos / 1_000_000_000L * HERTZ + nanos % 1_000_000_000L * HERTZ / 1_000_000_000L;
  }

  private final class Counter {
    private int mode;
    private int access;
    private boolean bcd;
    private int reload;
    private boolean loaded;
    private boolean gate;
    private long startNanos;
    private boolean highNext;
    private int writtenLow;
    private boolean readHighNext;
    private int latched = -1;
    private int latchedStatus = -1;

    void reset(boolean gateHigh) {
      mode = 0;
      access = 3;
      bcd = false;
      reload = 0;
      loaded = false;
      gate = gateHigh;
      highNext = false;
      readHighNext = false;
      latched = -1;
      latchedStatus = -1;
    }

    boolean isPeriodic() {
      return mode == 2 || mode == 3;
    }

    void control(int v) {
      access = v >> 4 & 3;
      mode = v >> 1 & 7;
      mode = mode >= 6 ? mode - 4 : mode;
      bcd = (v & 1) != 0;
      loaded = false;
      highNext = false;
      readHighNext = false;
      latched = -1;
      latchedStatus = -1;
    }

    void write(int v) {
      switch (access) {
        case 1 -> load(v);
        case 2 -> load(v << 8);
        default -> {
          if (highNext) {
            load(v << 8 | writtenLow);
          } else {
            writtenLow = v;
          }
          highNext = !highNext;
        }
      }
    }

    private void load(int value) {
      reload = value;
      // Modes 1 and 5 wait for the gate to rise.
      boolean waits = mode == 1 || mode == 5;
      loaded = true;
      startNanos = waits ? Long.MAX_VALUE : timers.nanos();
    }

    void gate(boolean high) {
      if (high && !gate && mode != 0 && mode != 4) {
        startNanos = timers.nanos();
      }
      gate = high;
    }

    private long period() {
      if (!bcd) {
        return reload == 0 ? 0x10000 : reload;
      }
      int decimal =
          (reload >> 12) * 1000
              + (reload >> 8 & 15) * 100
              + (reload >> 4 & 15) * 10
              + (reload & 15);
      return decimal == 0 ? 10_000 : decimal;
    }

    long periodNanos() {
      return nanosOf(period());
    }

    private boolean counts() {
      return loaded && startNanos != Long.MAX_VALUE;
    }

    private long elapsed() {
      return counts() ? ticksSince(startNanos) : 0;
    }

    private int count() {
      long period = period();
      long gone = elapsed();
      long left =
          switch (mode) {
            case 2 -> period - gone % period;
            case 3 -> period - gone * 2 % period;
            default -> period - gone & (bcd ? -1 : 0xffff);
          };
      if (!bcd) {
        return (int) left & 0xffff;
      }
      int decimal = (int) Math.floorMod(left, 10_000L);
      return decimal / 1000 << 12 | decimal / 100 % 10 << 8 | decimal / 10 % 10 << 4 | decimal % 10;
    }

    boolean output() {
      if (!counts()) {
        return mode != 0;
      }
      long gone = elapsed();
      long period = period();
      return switch (mode) {
        case 0 -> gone >= period;
        case 1 -> gone >= period;
        case 2 -> !gate || gone % period != period - 1;
        case 3 -> !gate || gone % period < (period + 1) / 2;
        default -> gone != period;
      };
    }

    void latch() {
      if (latched < 0) {
        latched = count();
      }
    }

    void latchStatus() {
      if (latchedStatus < 0) {
        latchedStatus =
            (output() ? 0x80 : 0) | (loaded ? 0 : 0x40) | access << 4 | mode << 1 | (bcd ? 1 : 0);
      }
    }

    int read() {
      if (latchedStatus >= 0) {
        int status = latchedStatus;
        latchedStatus = -1;
        return status;
      }
      int value = latched >= 0 ? latched : count();
      boolean high = access == 2 || access == 3 && readHighNext;
      if (access == 3) {
        readHighNext = !readHighNext;
      }
      if (access != 3 || !readHighNext) {
        latched = -1;
      }
      return high ? value >> 8 & 0xff : value & 0xff;
    }

    /** When the output is to change next, for counter 0. */
    long nextChangeNanos() {
      if (!counts()) {
        return Long.MAX_VALUE;
      }
      if (isPeriodic()) {
        return nextReloadNanos();
      }
      long end = startNanos + nanosOf(period());
      return end > timers.nanos() ? end : Long.MAX_VALUE;
    }

    long nextReloadNanos() {
      long period = period();
      long periods = elapsed() / period + 1;
      return startNanos + nanosOf(periods * period);
    }
  }
}
