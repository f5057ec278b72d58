package parhelion.process;

import java.time.Instant;
import parhelion.process.memory.UserMemory;

/** Clocks, sleeping, timers, usage, and the scheduler's calls. */
final class TimeCalls {
  private static final long SECOND = 1_000_000_000L;
  private static final int CLOCK_REALTIME = 0;
  private static final int CLOCK_PROCESS = 2;
  private static final int CLOCK_THREAD = 3;
  private static final int TIMER_ABSTIME = 1;
  private static final long MAX_SECONDS = 1L << 32;

  private TimeCalls() {}

  /** Host nanoTime after this long, saturated. */
  static long later(long seconds, long nanos) {
    if (seconds > MAX_SECONDS) {
      return Task.FOREVER;
    }
    return System.nanoTime() + seconds * SECOND + nanos;
  }

  /** Host nanoTime at which a timespec's time will have passed. */
  static long deadline(Task t, long va) {
    long seconds = t.memory().get64(va);
    long nanos = t.memory().get64(va + 8);
    check(seconds, nanos);
    return later(seconds, nanos);
  }

  private static void check(long seconds, long nanos) {
    if (seconds < 0 || nanos < 0 || nanos >= SECOND) {
      throw new LinuxError(Errno.EINVAL);
    }
  }

  /** Nanoseconds of wall clock. */
  static long wallNanos() {
    Instant now = Instant.now();
    return now.getEpochSecond() * SECOND + now.getNano();
  }

  private static long clock(Task t, int id) {
    return switch (id) {
      case CLOCK_REALTIME, 5, 11 -> wallNanos();
      case 1, 4, 6, 7 -> monotonicNanos(t);
      case CLOCK_PROCESS -> t.process.userNanos;
      case CLOCK_THREAD -> t.process.userNanos;
      default -> throw new LinuxError(Errno.EINVAL);
    };
  }

  /** Uptime of this world, with a second added so that it is never zero. */
  private static long monotonicNanos(Task t) {
    return System.nanoTime() - t.kernel.bootNanos + SECOND;
  }

  private static void putTime(UserMemory memory, long va, long nanos, long unitNanos) {
    memory.put64(va, nanos / SECOND);
    memory.put64(va + 8, nanos % SECOND / unitNanos);
  }

  static long clockGettime(Task t, long id, long va, long c, long d, long e, long f) {
    putTime(t.memory(), va, clock(t, (int) id), 1);
    return 0;
  }

  static long clockGetres(Task t, long id, long va, long c, long d, long e, long f) {
    long ignored = clock(t, (int) id);
    if (va != 0) {
      putTime(t.memory(), va, 1, 1);
    }
    return 0;
  }

  static long gettimeofday(Task t, long va, long zoneVa, long c, long d, long e, long f) {
    if (va != 0) {
      putTime(t.memory(), va, wallNanos(), 1000);
    }
    if (zoneVa != 0) {
      t.memory().put64(zoneVa, 0);
    }
    return 0;
  }

  static long time(Task t, long va, long b, long c, long d, long e, long f) {
    long seconds = wallNanos() / SECOND;
    if (va != 0) {
      t.memory().put64(va, seconds);
    }
    return seconds;
  }

  // --- sleeping ---

  private static long sleep(Task t, long deadlineNanos, long leftVa) {
    LinuxError interrupted = t.sleepUntil(deadlineNanos);
    if (interrupted == null) {
      return 0;
    }
    if (leftVa != 0) {
      putTime(t.memory(), leftVa, Math.max(0, deadlineNanos - System.nanoTime()), 1);
    }
    throw interrupted;
  }

  static long nanosleep(Task t, long va, long leftVa, long c, long d, long e, long f) {
    return sleep(t, deadline(t, va), leftVa);
  }

  static long clockNanosleep(Task t, long id, long flags, long va, long leftVa, long e, long f) {
    long now = clock(t, (int) id);
    if ((flags & TIMER_ABSTIME) == 0) {
      return sleep(t, deadline(t, va), leftVa);
    }
    long seconds = t.memory().get64(va);
    long nanos = t.memory().get64(va + 8);
    check(seconds, nanos);
    long left = seconds > MAX_SECONDS * 2 ? Long.MAX_VALUE / 2 : seconds * SECOND + nanos - now;
    return sleep(t, System.nanoTime() + left, 0);
  }

  static long yield(Task t, long a, long b, long c, long d, long e, long f) {
    if (t.kernel.lock.hasQueuedThreads()) {
      t.kernel.lock.unlock();
      t.kernel.lock.lock();
      t.kernel.calling = t;
    }
    return 0;
  }

  // --- timers ---

  static long alarm(Task t, long seconds, long b, long c, long d, long e, long f) {
    IntervalTimer timer = t.process.realTimer;
    long left = timer.leftNanos(System.nanoTime());
    set(t.process, (seconds & 0xffff_ffffL) * SECOND, 0);
    return left == 0 ? 0 : Math.max(1, (left + SECOND / 2) / SECOND);
  }

  private static void set(Process process, long valueNanos, long intervalNanos) {
    IntervalTimer timer = process.realTimer;
    timer.cancel();
    timer.intervalNanos = intervalNanos;
    timer.dueNanos = valueNanos == 0 ? 0 : System.nanoTime() + valueNanos;
    if (valueNanos != 0) {
      arm(process, timer.generation, valueNanos);
    }
  }

  private static void arm(Process process, int generation, long delayNanos) {
    process.realTimer.pending =
        process.kernel.schedule(
            () -> {
              IntervalTimer timer = process.realTimer;
              if (timer.generation != generation || process.zombie) {
                return;
              }
              SignalDelivery.send(
                  process, new SignalInfo(Signals.SIGALRM, SignalInfo.SI_KERNEL, 0, 0, 0));
              timer.dueNanos = 0;
              if (timer.intervalNanos != 0) {
                long next = Math.max(timer.intervalNanos, 1_000_000);
                timer.dueNanos = System.nanoTime() + next;
                arm(process, generation, next);
              }
            },
            delayNanos);
  }

  private static void putTimer(Task t, long va) {
    IntervalTimer timer = t.process.realTimer;
    putTime(t.memory(), va, timer.intervalNanos, 1000);
    putTime(t.memory(), va + 16, timer.leftNanos(System.nanoTime()), 1000);
  }

  static long getitimer(Task t, long which, long va, long c, long d, long e, long f) {
    if (which != 0) {
      if (which < 0 || which > 2) {
        throw new LinuxError(Errno.EINVAL);
      }
      t.memory().clear(va, 32);
      return 0;
    }
    putTimer(t, va);
    return 0;
  }

  static long setitimer(Task t, long which, long va, long oldVa, long d, long e, long f) {
    if (which != 0) {
      throw new LinuxError(Errno.EINVAL); // only real time
    }
    byte[] value = va == 0 ? new byte[32] : t.memory().bytes(va, 32);
    for (int at = 0; at < 32; at += 16) {
      long micros = Bytes.get64(value, at + 8);
      if (Bytes.get64(value, at) < 0 || micros < 0 || micros >= 1_000_000) {
        throw new LinuxError(Errno.EINVAL);
      }
    }
    if (oldVa != 0) {
      putTimer(t, oldVa);
    }
    set(t.process, nanos(value, 16), nanos(value, 0));
    return 0;
  }

  private static long nanos(byte[] value, int at) {
    long seconds = Math.min(Bytes.get64(value, at), MAX_SECONDS);
    return seconds * SECOND + Bytes.get64(value, at + 8) * 1000;
  }

  // --- usage ---

  static long getrusage(Task t, long who, long va, long c, long d, long e, long f) {
    long nanos =
        switch ((int) who) {
          case 0, 1 -> t.process.userNanos;
          case -1 -> t.process.childrenNanos;
          default -> throw new LinuxError(Errno.EINVAL);
        };
    t.memory().bytes(va, usage(nanos, t.process.space.mappedBytes() >>> 10));
    return 0;
  }

  /** struct rusage. */
  static byte[] usage(long userNanos, long residentKib) {
    byte[] out = new byte[144];
    Bytes.put64(out, 0, userNanos / SECOND);
    Bytes.put64(out, 8, userNanos % SECOND / 1000);
    Bytes.put64(out, 32, residentKib);
    return out;
  }

  static long times(Task t, long va, long b, long c, long d, long e, long f) {
    long tick = SECOND / 100;
    if (va != 0) {
      byte[] out = new byte[32];
      Bytes.put64(out, 0, t.process.userNanos / tick);
      Bytes.put64(out, 16, t.process.childrenNanos / tick);
      t.memory().bytes(va, out);
    }
    return monotonicNanos(t) / tick;
  }

  static long getaffinity(Task t, long pid, long size, long va, long d, long e, long f) {
    if (size < 8 || (size & 7) != 0) {
      throw new LinuxError(Errno.EINVAL);
    }
    t.memory().put64(va, 1);
    return 8;
  }

  static long setaffinity(Task t, long pid, long size, long va, long d, long e, long f) {
    return 0;
  }
}
