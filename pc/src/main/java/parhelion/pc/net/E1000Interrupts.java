package parhelion.pc.net;

import parhelion.pc.InterruptLine;
import parhelion.pc.Timers;

/**
 * The card's interrupt causes, and how they are held together (317453, section 3.2.7): a delay
 * after the last packet, at most so long after the first, each way; and a least interval between
 * any two.
 */
final class E1000Interrupts {
  static final int TX_WRITTEN_BACK = 1;
  static final int TX_EMPTY = 1 << 1;
  static final int LINK_CHANGE = 1 << 2;
  static final int RX_LOW = 1 << 4;
  static final int RX_TIMER = 1 << 7;
  static final int MDI_DONE = 1 << 9;

  private static final int ALL = 0x1_ffff;
  private static final int UNIT_NANOS = 1024;
  private static final int INTERVAL_UNIT_NANOS = 256;

  /** Causes of one direction that wait. */
  private final class Delay {
    private final int cause;
    private final int delayRegister;
    private final int limitRegister;
    private final Timers.Timer timer;
    private long firstNanos = -1;

    Delay(int cause, int delayRegister, int limitRegister) {
      this.cause = cause;
      this.delayRegister = delayRegister;
      this.limitRegister = limitRegister;
      timer = timers.timer(this::end);
    }

    void begin() {
      long delay = (registers.get(delayRegister) & 0xffffL) * UNIT_NANOS;
      if (delay == 0) {
        end();
        return;
      }
      long now = timers.nanos();
      firstNanos = firstNanos < 0 ? now : firstNanos;
      long limit = (registers.get(limitRegister) & 0xffffL) * UNIT_NANOS;
      long due = now + delay;
      timer.set(limit == 0 ? due : Math.min(due, firstNanos + limit));
    }

    void end() {
      cancel();
      raise(cause);
    }

    void cancel() {
      firstNanos = -1;
      timer.cancel();
    }
  }

  private final E1000Registers registers;
  private final Timers timers;
  private final InterruptLine line;
  private final Timers.Timer interval;
  private final Delay received;
  private final Delay sent;
  private int causes;
  private int mask;
  private boolean raised;
  private long quietUntil;

  E1000Interrupts(E1000Registers registers, Timers timers, InterruptLine line) {
    this.registers = registers;
    this.timers = timers;
    this.line = line;
    interval = timers.timer(this::update);
    received = new Delay(RX_TIMER, E1000Register.RDTR, E1000Register.RADV);
    sent = new Delay(TX_WRITTEN_BACK, E1000Register.TIDV, E1000Register.TADV);
  }

  void reset() {
    causes = 0;
    mask = 0;
    quietUntil = 0;
    received.cancel();
    sent.cancel();
    interval.cancel();
    update();
  }

  void raise(int cause) {
    causes |= cause & ALL;
    update();
  }

  /** A packet was received. */
  void received() {
    received.begin();
  }

  /** Software asks that what was received be told of at once. */
  void flushReceived() {
    if (received.firstNanos >= 0) {
      received.end();
    }
  }

  /** A descriptor that asked for it was sent; {@code delayed} if it may be told of later. */
  void sent(boolean delayed) {
    if (delayed) {
      sent.begin();
    } else {
      sent.end();
    }
  }

  int mask() {
    return mask;
  }

  void enable(int bits) {
    mask |= bits & ALL;
    update();
  }

  void disable(int bits) {
    mask &= ~bits;
    update();
  }

  /** The causes, which reading clears. */
  int take() {
    int taken = causes;
    causes = 0;
    update();
    return taken;
  }

  void clear(int bits) {
    causes &= ~bits;
    update();
  }

  private void update() {
    boolean wanted = (causes & mask) != 0;
    if (wanted && !raised) {
      long now = timers.nanos();
      if (now < quietUntil) {
        interval.set(quietUntil);
        return;
      }
      long least = (registers.get(E1000Register.ITR) & 0xffffL) * INTERVAL_UNIT_NANOS;
      quietUntil = now + least;
    }
    if (wanted != raised) {
      raised = wanted;
      line.set(raised);
    }
  }
}
