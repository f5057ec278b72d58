package parhelion.pc.time;

import java.time.DateTimeException;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.time.temporal.ChronoField;
import parhelion.pc.Board;
import parhelion.pc.InterruptLine;
import parhelion.pc.Registers;
import parhelion.pc.Timers;

/**
 * The MC146818 real-time clock with its 128 bytes of battery-backed memory: ports 70h and 71h, line
 * 8. On the thread that runs the machine.
 */
public final class Rtc implements Registers {
  private static final int SECONDS = 0;
  private static final int MINUTES = 2;
  private static final int HOURS = 4;
  private static final int WEEKDAY = 6;
  private static final int DAY = 7;
  private static final int MONTH = 8;
  private static final int YEAR = 9;
  private static final int A = 10;
  private static final int B = 11;
  private static final int C = 12;
  private static final int D = 13;
  public static final int CENTURY = 0x32;

  private static final int B_SET = 0x80;
  private static final int B_PERIODIC = 0x40;
  private static final int B_ALARM = 0x20;
  private static final int B_UPDATE = 0x10;
  private static final int B_BINARY = 4;
  private static final int B_24H = 2;
  private static final int C_REQUEST = 0x80;

  private static final long SECOND = 1_000_000_000L;

  /** An update takes so long, and is announced by bit 7 of register A. */
  private static final long UPDATE_NANOS = 244_000;

  private final Timers timers;
  private final InterruptLine line;
  private final byte[] memory = new byte[128];
  private final Timers.Timer periodic;
  private final Timers.Timer update;
  private int index;

  /** What software has set the clock to is so many seconds ahead of the machine's. */
  private long offsetSeconds;

  /** Reads of the time give what it was when the clock was stopped. */
  private LocalDateTime stopped = LocalDateTime.MIN;

  private boolean isStopped;

  /** A clock that drives {@code line}. */
  public Rtc(Timers timers, InterruptLine line) {
    this.timers = timers;
    this.line = line;
    periodic = timers.timer(this::periodicTick);
    update = timers.timer(this::updated);
    memory[A] = 0x26;
    memory[B] = B_24H;
    memory[D] = (byte) 0x80;
  }

  /** Places the registers. */
  public void plug(Board board) {
    board.mapPorts(0x70, 2, "rtc", this);
  }

  /** The state after reset: interrupts are off, time goes on. */
  public void reset() {
    memory[B] &= (byte) ~(B_PERIODIC | B_ALARM | B_UPDATE | 8);
    memory[C] = 0;
    schedule();
    line.set(false);
  }

  /** A byte of the memory behind the clock's registers, from 14 on. */
  public void store(int at, int value) {
    if (at <= D) {
      throw new IllegalArgumentException("register " + at);
    }
    memory[at] = (byte) value;
  }

  @Override
  public long read(long offset, int size) {
    if (offset == 0) {
      return 0xff; // the index cannot be read
    }
    return switch (index) {
      case SECONDS, MINUTES, HOURS, WEEKDAY, DAY, MONTH, YEAR, CENTURY -> timeRegister(index);
      case A -> memory[A] & 0x7f | (updating() ? 0x80 : 0);
      case C -> {
        int flags = memory[C] & 0xff;
        memory[C] = 0;
        line.set(false);
        yield flags;
      }
      default -> memory[index] & 0xff;
    };
  }

  @Override
  public void write(long offset, int size, long value) {
    int v = (int) value & 0xff;
    if (offset == 0) {
      index = v & 0x7f; // bit 7 would mask NMIs
      if (size > 1) {
        write(1, 1, value >>> 8);
      }
      return;
    }
    switch (index) {
      case SECONDS, MINUTES, HOURS, WEEKDAY, DAY, MONTH, YEAR, CENTURY -> setTime(index, v);
      case A -> {
        memory[A] = (byte) (v & 0x7f);
        schedule();
      }
      case B -> {
        boolean set = (v & B_SET) != 0;
        if (set && !isStopped) {
          stopped = now();
        } else if (!set && isStopped) {
          startFrom(stopped);
        }
        isStopped = set;
        memory[B] = (byte) v;
        schedule();
        interrupt(0);
      }
      case C, D -> {}
      default -> memory[index] = (byte) v;
    }
  }

  // --- time ---

  private LocalDateTime now() {
    return isStopped
        ? stopped
        : LocalDateTime.ofInstant(timers.wallClock().plusSeconds(offsetSeconds), ZoneOffset.UTC);
  }

  private boolean updating() {
    return !isStopped && now().get(ChronoField.NANO_OF_SECOND) >= SECOND - UPDATE_NANOS;
  }

  private int timeRegister(int register) {
    LocalDateTime now = now();
    int value =
        switch (register) {
          case SECONDS -> now.getSecond();
          case MINUTES -> now.getMinute();
          case HOURS -> now.getHour();
          case WEEKDAY -> now.getDayOfWeek().getValue() % 7 + 1;
          case DAY -> now.getDayOfMonth();
          case MONTH -> now.getMonthValue();
          case YEAR -> now.getYear() % 100;
          default -> now.getYear() / 100;
        };
    if (register == HOURS && (memory[B] & B_24H) == 0) {
      int twelve = value % 12 == 0 ? 12 : value % 12;
      return encode(twelve) | (value >= 12 ? 0x80 : 0);
    }
    return encode(value);
  }

  private int encode(int value) {
    return (memory[B] & B_BINARY) != 0 ? value : value / 10 << 4 | value % 10;
  }

  private int decode(int value) {
    return (memory[B] & B_BINARY) != 0 ? value : (value >> 4) * 10 + (value & 15);
  }

  /** A value that is no time is not taken. */
  private void setTime(int register, int raw) {
    LocalDateTime old = now();
    int value = decode(register == HOURS && (memory[B] & B_24H) == 0 ? raw & 0x7f : raw);
    if (register == HOURS && (memory[B] & B_24H) == 0) {
      value = value % 12 + ((raw & 0x80) != 0 ? 12 : 0);
    }
    LocalDateTime changed;
    try {
      changed =
          switch (register) {
            case SECONDS -> old.withSecond(value);
            case MINUTES -> old.withMinute(value);
            case HOURS -> old.withHour(value);
            case DAY -> old.withDayOfMonth(value);
            case MONTH -> old.withMonth(value);
            case YEAR -> old.withYear(old.getYear() / 100 * 100 + value % 100);
            case CENTURY -> old.withYear(value % 100 * 100 + old.getYear() % 100);
            default -> old; // the weekday follows from the date
          };
    } catch (DateTimeException e) {
      return;
    }
    if (isStopped) {
      stopped = changed;
    } else {
      startFrom(changed);
    }
  }

  private void startFrom(LocalDateTime time) {
    offsetSeconds = time.toEpochSecond(ZoneOffset.UTC) - timers.wallClock().getEpochSecond();
  }

  // --- interrupts ---

  private void schedule() {
    int rate = memory[A] & 15;
    if ((memory[B] & B_PERIODIC) != 0 && rate != 0) {
      periodic.set(timers.nanos() + periodNanos(rate));
    } else {
      periodic.cancel();
    }
    if ((memory[B] & (B_UPDATE | B_ALARM)) != 0 && !isStopped) {
      update.set(timers.nanos() + SECOND - now().get(ChronoField.NANO_OF_SECOND));
    } else {
      update.cancel();
    }
  }

  /** Rates 1 and 2 are 256 and 128 Hz, the others 65536 Hz shifted down. */
  private static long periodNanos(int rate) {
    int shift = rate <= 2 ? rate + 6 : rate - 1;
    return SECOND * (1L << shift) / 32768;
  }

  private void periodicTick() {
    int rate = memory[A] & 15;
    if ((memory[B] & B_PERIODIC) == 0 || rate == 0) {
      return;
    }
    periodic.set(timers.nanos() + periodNanos(rate));
    interrupt(B_PERIODIC);
  }

  private void updated() {
    schedule();
    int flags = B_UPDATE;
    if (alarmMatches(1, timeRegister(SECONDS))
        && alarmMatches(3, timeRegister(MINUTES))
        && alarmMatches(5, timeRegister(HOURS))) {
      flags |= B_ALARM;
    }
    interrupt(flags);
  }

  /** The two highest bits of an alarm register mean: any. */
  private boolean alarmMatches(int register, int value) {
    int alarm = memory[register] & 0xff;
    return (alarm & 0xc0) == 0xc0 || alarm == value;
  }

  private void interrupt(int flags) {
    int all = memory[C] | flags;
    if ((all & memory[B] & 0x70) != 0) {
      memory[C] = (byte) (all | C_REQUEST);
      line.set(true);
    } else {
      memory[C] = (byte) all;
    }
  }
}
