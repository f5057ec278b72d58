package parhelion.process;

/** futex, and the robust list that threads register. */
final class FutexCalls {
  private static final int PRIVATE = 128;
  private static final int CLOCK_REALTIME = 256;
  private static final int ALL = -1;
  private static final long SECOND = 1_000_000_000L;

  private FutexCalls() {}

  static long futex(
      Task t, long va, long operation, long value, long timeVa, long va2, long value3) {
    int command = (int) operation & ~(PRIVATE | CLOCK_REALTIME);
    boolean realtime = (operation & CLOCK_REALTIME) != 0;
    Futexes futexes = t.kernel.futexes;
    switch (command) {
      case 0 -> { // FUTEX_WAIT: relative time
        long deadline = timeVa == 0 ? Task.FOREVER : TimeCalls.deadline(t, timeVa);
        futexes.await(t, va, (int) value, ALL, deadline);
        return 0;
      }
      case 9 -> { // FUTEX_WAIT_BITSET: absolute time
        long deadline = timeVa == 0 ? Task.FOREVER : absolute(t, timeVa, realtime);
        futexes.await(t, va, (int) value, (int) value3, deadline);
        return 0;
      }
      case 1 -> {
        return futexes.wake(t, va, count(value), ALL);
      }
      case 10 -> {
        return futexes.wake(t, va, count(value), (int) value3);
      }
      case 3, 4 -> { // FUTEX_REQUEUE, FUTEX_CMP_REQUEUE
        if (command == 4 && t.memory().get32(va) != (int) value3) {
          throw new LinuxError(Errno.EAGAIN);
        }
        if ((int) value < 0 || (int) timeVa < 0) {
          throw new LinuxError(Errno.EINVAL);
        }
        return futexes.requeue(t, va, (int) value, va2, (int) timeVa, command == 4);
      }
      case 5 -> {
        return wakeOperation(t, va, count(value), count(timeVa), va2, (int) value3);
      }
      default -> throw new LinuxError(Errno.ENOSYS);
    }
  }

  private static int count(long value) {
    return (int) value <= 0 ? 1 : (int) value;
  }

  private static long absolute(Task t, long va, boolean realtime) {
    long seconds = t.memory().get64(va);
    long nanos = t.memory().get64(va + 8);
    if (seconds < 0 || nanos < 0 || nanos >= SECOND) {
      throw new LinuxError(Errno.EINVAL);
    }
    if (seconds > Integer.MAX_VALUE * 2L) {
      return Task.FOREVER;
    }
    long now = realtime ? TimeCalls.wallNanos() : System.nanoTime() - t.kernel.bootNanos + SECOND;
    return System.nanoTime() + seconds * SECOND + nanos - now;
  }

  /** FUTEX_WAKE_OP: changes the second word and wakes there, too, if its old value compares. */
  private static long wakeOperation(Task t, long va, int count, int count2, long va2, int encoded) {
    int operand = encoded << 8 >> 20;
    int compared = encoded << 20 >> 20;
    if ((encoded & 0x8000_0000) != 0) {
      operand = 1 << (operand & 31);
    }
    int old = t.memory().get32(va2);
    int next =
        switch (encoded >>> 28 & 7) {
          case 0 -> operand;
          case 1 -> old + operand;
          case 2 -> old | operand;
          case 3 -> old & ~operand;
          case 4 -> old ^ operand;
          default -> throw new LinuxError(Errno.ENOSYS);
        };
    boolean also =
        switch (encoded >>> 24 & 15) {
          case 0 -> old == compared;
          case 1 -> old != compared;
          case 2 -> old < compared;
          case 3 -> old <= compared;
          case 4 -> old > compared;
          case 5 -> old >= compared;
          default -> throw new LinuxError(Errno.ENOSYS);
        };
    t.memory().put32(va2, next);
    Futexes futexes = t.kernel.futexes;
    int woken = futexes.wake(t, va, count, ALL);
    return also ? woken + futexes.wake(t, va2, count2, ALL) : woken;
  }

  static long setRobustList(Task t, long va, long size, long c, long d, long e, long f) {
    if (size != 24) {
      throw new LinuxError(Errno.EINVAL);
    }
    t.robustList = va;
    return 0;
  }

  static long getRobustList(Task t, long tid, long va, long sizeVa, long d, long e, long f) {
    Task target = tid == 0 ? t : t.kernel.tasks.get((int) tid);
    if (target == null) {
      throw new LinuxError(Errno.ESRCH);
    }
    t.memory().put64(va, target.robustList);
    t.memory().put64(sizeVa, 24);
    return 0;
  }
}
