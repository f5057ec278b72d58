package parhelion.process;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Who waits on which futex word. Under the kernel's lock. */
final class Futexes {
  /**
   * A word's identity.
   *
   * @param space the address space for private memory, else null-like: the kernel's frames
   */
  private record Key(Object space, long address) {}

  private static final Object SHARED = new Object();

  private static final class Waiter {
    final Task task;
    final int bits;
    Key key;
    boolean woken;

    Waiter(Task task, Key key, int bits) {
      this.task = task;
      this.key = key;
      this.bits = bits;
    }
  }

  private final Map<Key, List<Waiter>> waiters = new HashMap<>();

  private static Key key(Task task, long va) {
    if ((va & 3) != 0) {
      throw new LinuxError(Errno.EINVAL);
    }
    if (task.process.space.isShared(va)) {
      return new Key(SHARED, task.memory().machineAddress(va));
    }
    int ignored = task.memory().get32(va);
    return new Key(task.process.space, va);
  }

  /** Waits while the word holds {@code expected}. */
  void await(Task task, long va, int expected, int bits, long deadlineNanos) {
    if (bits == 0) {
      throw new LinuxError(Errno.EINVAL);
    }
    Key key = key(task, va);
    if (task.memory().get32(va) != expected) {
      throw new LinuxError(Errno.EAGAIN);
    }
    Waiter waiter = new Waiter(task, key, bits);
    waiters.computeIfAbsent(key, k -> new ArrayList<>(2)).add(waiter);
    try {
      while (!waiter.woken) {
        task.prepareToWait();
        boolean inTime = task.await(deadlineNanos);
        if (waiter.woken) {
          return;
        }
        if (!inTime) {
          throw new LinuxError(Errno.ETIMEDOUT);
        }
        if (task.isInterrupted()) {
          throw new LinuxError(deadlineNanos == Task.FOREVER ? Errno.ERESTARTSYS : Errno.EINTR);
        }
      }
    } finally {
      if (!waiter.woken) {
        remove(waiter);
      }
    }
  }

  private void remove(Waiter waiter) {
    List<Waiter> list = waiters.get(waiter.key);
    if (list != null) {
      list.remove(waiter);
      if (list.isEmpty()) {
        waiters.remove(waiter.key);
      }
    }
  }

  /** Wakes up to {@code count} waiters whose bits match; returns how many. */
  int wake(Task task, long va, int count, int bits) {
    if (bits == 0) {
      throw new LinuxError(Errno.EINVAL);
    }
    return wake(key(task, va), count, bits);
  }

  private int wake(Key key, int count, int bits) {
    List<Waiter> list = waiters.get(key);
    if (list == null) {
      return 0;
    }
    int woken = 0;
    for (int i = 0; i < list.size() && woken < count; ) {
      Waiter waiter = list.get(i);
      if ((waiter.bits & bits) == 0) {
        i++;
        continue;
      }
      list.remove(i);
      waiter.woken = true;
      waiter.task.wake();
      woken++;
    }
    if (list.isEmpty()) {
      waiters.remove(key);
    }
    return woken;
  }

  /** Wakes some and moves others to a second word; returns how many were woken or moved. */
  int requeue(Task task, long va, int wakeCount, long toVa, int moveCount, boolean countMoved) {
    Key from = key(task, va);
    Key to = key(task, toVa);
    int woken = wake(from, wakeCount, -1);
    List<Waiter> list = waiters.get(from);
    int moved = 0;
    if (list != null && !from.equals(to)) {
      List<Waiter> target = waiters.computeIfAbsent(to, k -> new ArrayList<>(2));
      while (!list.isEmpty() && moved < moveCount) {
        Waiter waiter = list.removeFirst();
        waiter.key = to;
        target.add(waiter);
        moved++;
      }
      if (list.isEmpty()) {
        waiters.remove(from);
      }
      if (target.isEmpty()) {
        waiters.remove(to);
      }
    }
    return countMoved ? woken + moved : woken;
  }
}
