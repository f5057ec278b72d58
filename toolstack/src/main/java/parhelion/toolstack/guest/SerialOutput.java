package parhelion.toolstack.guest;

import parhelion.backends.console.ConsoleSink;
import parhelion.pc.Timers;
import parhelion.pc.serial.SerialPeer;

/**
 * The host's end of a guest's serial console: gathers bytes for a moment, so that not every one is
 * a write of its own. On the thread that runs the machine.
 */
final class SerialOutput implements SerialPeer {
  private static final int GATHERED_BYTES = 1024;
  private static final long MOMENT_NANOS = 2_000_000;

  private final ConsoleSink sink;
  private final Timers timers;
  private final Timers.Timer timer;
  private final byte[] gathered = new byte[GATHERED_BYTES];
  private int filled;

  SerialOutput(ConsoleSink sink, Timers timers) {
    this.sink = sink;
    this.timers = timers;
    timer = timers.timer(this::pass);
  }

  @Override
  public boolean send(byte value) {
    if (filled == GATHERED_BYTES) {
      pass();
      if (filled == GATHERED_BYTES) {
        return false;
      }
    }
    if (filled == 0) {
      timer.set(timers.nanos() + MOMENT_NANOS);
    }
    gathered[filled++] = value;
    return true;
  }

  /** Gives the sink what it takes now. */
  void pass() {
    int taken = Math.clamp(sink.accept(gathered, 0, filled), 0, filled);
    System.arraycopy(gathered, taken, gathered, 0, filled - taken);
    filled -= taken;
    if (filled == 0) {
      timer.cancel();
    } else {
      timer.set(timers.nanos() + MOMENT_NANOS);
    }
  }
}
