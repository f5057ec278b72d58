package parhelion.pc.serial;

import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import parhelion.pc.Board;
import parhelion.pc.InterruptLine;
import parhelion.pc.Registers;

/**
 * A 16550A serial port (PC16550D data sheet) with its FIFOs. Bytes take no time on the line; while
 * the peer has no room the transmitter is busy. On the thread that runs the machine, but for {@link
 * #receive}.
 */
public final class Uart implements Registers {
  public static final int COM1 = 0x3f8;
  public static final int COM1_LINE = 4;

  private static final int IER_RECEIVED = 1;
  private static final int IER_EMPTY = 2;
  private static final int IER_LINE = 4;
  private static final int IER_MODEM = 8;
  private static final int LCR_DLAB = 0x80;
  private static final int MCR_LOOP = 0x10;
  private static final int MCR_OUT2 = 8;
  private static final int LSR_READY = 1;
  private static final int LSR_OVERRUN = 2;
  private static final int LSR_HOLDING_EMPTY = 0x20;
  private static final int LSR_EMPTY = 0x40;

  /** CTS, DSR and carrier: the peer is there. */
  private static final int MSR_PRESENT = 0xb0;

  private static final int FIFO_BYTES = 16;

  /** Bytes of input that may wait for the guest. */
  private static final int WAITING_BYTES = 4096;

  private final Board board;
  private final InterruptLine line;
  private final SerialPeer peer;
  private final ArrayBlockingQueue<Byte> input = new ArrayBlockingQueue<>(WAITING_BYTES);
  private final AtomicBoolean announced = new AtomicBoolean();
  private final byte[] fifo = new byte[FIFO_BYTES];
  private int fifoStart;
  private int fifoFilled;
  private int divisor = 12;
  private int ier;
  private int fcr;
  private int lcr;
  private int mcr;
  private int scratch;
  private int modemChanges;
  private boolean overrun;

  /** The interrupt that says that the transmitter is empty waits to be seen. */
  private boolean emptyPending;

  /** What the peer had no room for. */
  private int held = -1;

  /** A port that drives {@code line} and sends to {@code peer}. */
  public Uart(Board board, InterruptLine line, SerialPeer peer) {
    this.board = board;
    this.line = line;
    this.peer = peer;
  }

  /** Places the registers at eight ports. */
  public void plug(int port) {
    board.mapPorts(port, 8, "uart", this);
  }

  /** The state after reset. */
  public void reset() {
    ier = 0;
    fcr = 0;
    lcr = 0;
    mcr = 0;
    fifoFilled = 0;
    overrun = false;
    emptyPending = false;
    modemChanges = 0;
    update();
  }

  // --- the peer ---

  /** Bytes from the other end; waits while the guest takes none. Any thread but the machine's. */
  public void receive(byte[] bytes, int offset, int length) throws InterruptedException {
    for (int i = 0; i < length; i++) {
      if (!input.offer(bytes[offset + i])) {
        announce();
        input.put(bytes[offset + i]);
      }
    }
    announce();
  }

  private void announce() {
    if (announced.compareAndSet(false, true)) {
      board.post(
          () -> {
            announced.set(false);
            fill();
          });
    }
  }

  /** The peer has room again. On the machine's thread. */
  public void peerHasRoom() {
    if (held >= 0 && peer.send((byte) held)) {
      held = -1;
      emptyPending = true;
      update();
    }
  }

  /** Moves waiting input into the FIFO. */
  private void fill() {
    int room = (fcr & 1) != 0 ? FIFO_BYTES : 1;
    while (fifoFilled < room && (mcr & MCR_LOOP) == 0) {
      Byte next = input.poll();
      if (next == null) {
        break;
      }
      push(next);
    }
    update();
  }

  private void push(byte value) {
    int room = (fcr & 1) != 0 ? FIFO_BYTES : 1;
    if (fifoFilled == room) {
      overrun = true;
      return;
    }
    fifo[(fifoStart + fifoFilled++) % FIFO_BYTES] = value;
  }

  private int pop() {
    if (fifoFilled == 0) {
      return 0;
    }
    int value = fifo[fifoStart] & 0xff;
    fifoStart = (fifoStart + 1) % FIFO_BYTES;
    fifoFilled--;
    return value;
  }

  // --- registers ---

  @Override
  public long read(long offset, int size) {
    return switch ((int) offset) {
      case 0 -> {
        if ((lcr & LCR_DLAB) != 0) {
          yield divisor & 0xff;
        }
        int value = pop();
        fill();
        yield value;
      }
      case 1 -> (lcr & LCR_DLAB) != 0 ? divisor >> 8 : ier;
      case 2 -> {
        int cause = cause();
        if (cause == 2) {
          emptyPending = false;
          update();
        }
        yield cause | ((fcr & 1) != 0 ? 0xc0 : 0);
      }
      case 3 -> lcr;
      case 4 -> mcr;
      case 5 -> {
        int status = lineStatus();
        overrun = false;
        update();
        yield status;
      }
      case 6 -> {
        int status = modemStatus() | modemChanges;
        modemChanges = 0;
        update();
        yield status;
      }
      default -> scratch;
    };
  }

  @Override
  public void write(long offset, int size, long value) {
    int v = (int) value & 0xff;
    switch ((int) offset) {
      case 0 -> {
        if ((lcr & LCR_DLAB) != 0) {
          divisor = divisor & 0xff00 | v;
        } else {
          transmit(v);
        }
      }
      case 1 -> {
        if ((lcr & LCR_DLAB) != 0) {
          divisor = divisor & 0xff | v << 8;
        } else {
          boolean asked = (ier & IER_EMPTY) == 0 && (v & IER_EMPTY) != 0;
          ier = v & 15;
          emptyPending |= asked && held < 0;
        }
      }
      case 2 -> {
        if ((v & 2) != 0 || ((v ^ fcr) & 1) != 0) {
          fifoFilled = 0;
        }
        fcr = v;
        fill();
      }
      case 3 -> lcr = v;
      case 4 -> {
        int before = modemStatus();
        mcr = v & 0x1f;
        int changed = before ^ modemStatus();
        modemChanges |= changed >> 4;
      }
      case 7 -> scratch = v;
      default -> {} // the status registers are for reading
    }
    update();
  }

  private void transmit(int v) {
    if ((mcr & MCR_LOOP) != 0) {
      push((byte) v);
      emptyPending = true;
      return;
    }
    if (held >= 0 || !peer.send((byte) v)) {
      held = v; // software that does not wait for the transmitter loses what it held
      emptyPending = false;
    } else {
      emptyPending = true;
    }
  }

  private int lineStatus() {
    return (fifoFilled > 0 ? LSR_READY : 0)
        | (overrun ? LSR_OVERRUN : 0)
        | (held < 0 ? LSR_HOLDING_EMPTY | LSR_EMPTY : 0);
  }

  /** In loop mode the outputs come back as inputs. */
  private int modemStatus() {
    if ((mcr & MCR_LOOP) == 0) {
      return MSR_PRESENT;
    }
    return (mcr & 1) << 5 | (mcr & 2) << 3 | (mcr & 4) << 4 | (mcr & 8) << 4;
  }

  /** The interrupt identification: the most urgent cause, or 1. */
  private int cause() {
    if ((ier & IER_LINE) != 0 && overrun) {
      return 6;
    }
    if ((ier & IER_RECEIVED) != 0 && fifoFilled > 0) {
      return 4;
    }
    if ((ier & IER_EMPTY) != 0 && emptyPending) {
      return 2;
    }
    if ((ier & IER_MODEM) != 0 && modemChanges != 0) {
      return 0;
    }
    return 1;
  }

  /** OUT2 gates the interrupt on a PC. */
  private void update() {
    line.set(cause() != 1 && (mcr & (MCR_OUT2 | MCR_LOOP)) == MCR_OUT2);
  }
}
