package parhelion.pc.acpi;

import parhelion.pc.Board;
import parhelion.pc.InterruptLine;
import parhelion.pc.Registers;
import parhelion.pc.Timers;

/**
 * ACPI's fixed hardware (ACPI 6.4, 4.8.3): PM1 event and control registers with the power button
 * and sleeping, and the power-management timer of 3.579545 MHz, at ports 600h; and the reset
 * register of PIIX at CF9h. The machine is in ACPI mode from the start. On the thread that runs it.
 */
public final class PowerManagement {
  public static final int PORTS = 0x600;
  public static final int EVENT = PORTS;
  public static final int CONTROL = PORTS + 4;
  public static final int TIMER = PORTS + 8;

  /** General-purpose events: 16 bits of status, 16 that enable. */
  public static final int GENERAL = PORTS + 0x20;

  public static final int RESET = 0xcf9;
  public static final int RESET_VALUE = 6;

  /** The interrupt line of all of it. */
  public static final int LINE = 9;

  /** What SLP_TYP means switched off, here and in the DSDT. */
  public static final int SLEEP_OFF = 5;

  private static final long TIMER_HERTZ = 3_579_545;
  private static final int POWER_BUTTON = 1 << 8;
  private static final int TIMER_STATUS = 1;
  private static final int EVENTS = 0x8731;
  private static final int SCI_ENABLE = 1;
  private static final int SLEEP_ENABLE = 1 << 13;
  private static final long SECOND = 1_000_000_000L;

  private final Timers timers;
  private final InterruptLine line;
  private final Runnable off;
  private final Runnable reset;
  private final Timers.Timer overflow;
  private final Events fixed = new Events(EVENTS);
  private final Events general = new Events(0xffff);
  private int control = SCI_ENABLE;
  private int resetControl;

  /**
   * The hardware.
   *
   * @param off called when software switches the machine off
   * @param reset called when software resets it
   */
  public PowerManagement(Timers timers, InterruptLine line, Runnable off, Runnable reset) {
    this.timers = timers;
    this.line = line;
    this.off = off;
    this.reset = reset;
    overflow = timers.timer(this::overflowed);
  }

  /** Places the registers. */
  public void plug(Board board) {
    board.mapPorts(EVENT, 4, "acpi", fixed);
    board.mapPorts(CONTROL, 2, "acpi", new Pm1Control());
    board.mapPorts(TIMER, 4, "acpi", new PmTimer());
    board.mapPorts(GENERAL, 4, "acpi", general);
    board.mapPorts(RESET, 1, "reset", new ResetControl());
  }

  /** The state after reset. */
  public void reset() {
    fixed.clear();
    general.clear();
    control = SCI_ENABLE;
    resetControl = 0;
    overflow.cancel();
    line.set(false);
  }

  /** The power button is pressed. */
  public void pressPowerButton() {
    fixed.status |= POWER_BUTTON;
    update();
  }

  /** A general-purpose event, 0 to 15, has happened. */
  void raise(int event) {
    general.status |= 1 << event;
    update();
  }

  private void update() {
    line.set(fixed.isDue() || general.isDue());
    if ((fixed.enabled & TIMER_STATUS) != 0) {
      overflow.set(nextOverflowNanos());
    } else {
      overflow.cancel();
    }
  }

  // --- the timer ---

  private long ticks() {
    long nanos = timers.nanos();
    return nanos / SECOND * TIMER_HERTZ + nanos % SECOND * TIMER_HERTZ / SECOND;
  }

  /** The highest bit of 32 changes. */
  private long nextOverflowNanos() {
    long next = (ticks() | 0x7fff_ffffL) + 1;
    return next / TIMER_HERTZ * SECOND + next % TIMER_HERTZ * SECOND / TIMER_HERTZ + 1000;
  }

  private void overflowed() {
    fixed.status |= TIMER_STATUS;
    update();
  }

  private final class PmTimer implements Registers {
    @Override
    public long read(long offset, int size) {
      return (ticks() & 0xffff_ffffL) >>> 8 * offset;
    }

    @Override
    public void write(long offset, int size, long value) {}
  }

  // --- events and control ---

  /** 16 bits of status, which writing 1 clears, and behind them 16 that enable. */
  private final class Events implements Registers {
    private final int mask;
    private int status;
    private int enabled;

    Events(int mask) {
      this.mask = mask;
    }

    boolean isDue() {
      return (status & enabled) != 0;
    }

    void clear() {
      status = 0;
      enabled = 0;
    }

    @Override
    public long read(long offset, int size) {
      return ((long) enabled << 16 | status) >>> 8 * offset;
    }

    @Override
    public void write(long offset, int size, long value) {
      for (int i = 0; i < size; i++) {
        int v = (int) (value >>> 8 * i) & 0xff;
        int at = (int) offset + i;
        if (at < 2) {
          status &= ~(v << 8 * at);
        } else {
          int shift = 8 * (at - 2);
          enabled = (enabled & ~(0xff << shift) | v << shift) & mask;
        }
      }
      update();
    }
  }

  private final class Pm1Control implements Registers {
    @Override
    public long read(long offset, int size) {
      return (long) control >>> 8 * offset;
    }

    @Override
    public void write(long offset, int size, long value) {
      int shift = 8 * (int) offset;
      int mask = size == 1 ? 0xff << shift : 0xffff;
      int written = (int) value << shift & mask;
      control = (control & ~mask | written) & 0x1c07 | SCI_ENABLE;
      if ((written & SLEEP_ENABLE) != 0 && (control >>> 10 & 7) == SLEEP_OFF) {
        off.run();
      }
    }
  }

  private final class ResetControl implements Registers {
    @Override
    public long read(long offset, int size) {
      return resetControl;
    }

    @Override
    public void write(long offset, int size, long value) {
      resetControl = (int) value & 0xa;
      if ((value & 4) != 0) {
        reset.run();
      }
    }
  }
}
