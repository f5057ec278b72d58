package parhelion.process;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import parhelion.process.file.OpenFile;
import parhelion.process.file.WaitQueue;

/** poll, select and their kin, and the wait that they and blocking transfers share. */
final class PollCalls {
  private PollCalls() {}

  /** A file and the POLL bits that are waited for. */
  private record Interest(int fd, @Nullable OpenFile file, int events) {
    int ready() {
      if (file == null) {
        return OpenFile.POLLNVAL;
      }
      int always = OpenFile.POLLERR | OpenFile.POLLHUP;
      int now = file.ready();
      // The "normal data" bits go with the plain ones.
      now |= (now & OpenFile.POLLIN) != 0 ? 0x40 : 0;
      now |= (now & OpenFile.POLLOUT) != 0 ? 0x100 : 0;
      return now & (events | always);
    }
  }

  /** Waits until a file may be ready, a signal came or the time is over. */
  static void waitFor(Task t, OpenFile file, int events, long deadlineNanos) {
    boolean ignored = await(t, List.of(new Interest(-1, file, events)), deadlineNanos);
  }

  /** Waits for a change; false when the time is over. The caller has called prepareToWait. */
  private static boolean await(Task t, List<Interest> interests, long deadlineNanos) {
    List<WaitQueue> queues = new ArrayList<>();
    int[] host = new int[interests.size() * 2];
    int hosts = 0;
    for (Interest interest : interests) {
      OpenFile file = interest.file;
      if (file == null) {
        continue;
      }
      WaitQueue queue = file.changed();
      if (queue != null && interest.events != 0) {
        queues.add(queue);
        queue.add(t.waker());
      }
      if (file.hostFd() >= 0) {
        host[hosts++] = file.hostFd();
        host[hosts++] = interest.events & (OpenFile.POLLIN | OpenFile.POLLOUT | OpenFile.POLLPRI);
      }
    }
    try {
      return hosts > 0
          ? t.awaitHost(Arrays.copyOf(host, hosts), deadlineNanos)
          : t.await(deadlineNanos);
    } finally {
      queues.forEach(queue -> queue.remove(t.waker()));
    }
  }

  /** Number of interests that are ready, waiting for the first; fills {@code ready}. */
  private static int select(Task t, List<Interest> interests, int[] ready, long deadlineNanos) {
    for (Interest interest : interests) {
      if (interest.file != null) {
        interest.file.retain();
      }
    }
    try {
      while (true) {
        t.prepareToWait();
        int count = 0;
        for (int i = 0; i < ready.length; i++) {
          ready[i] = interests.get(i).ready();
          count += ready[i] != 0 ? 1 : 0;
        }
        if (count > 0) {
          return count;
        }
        boolean inTime = await(t, interests, deadlineNanos);
        if (t.isInterrupted()) {
          throw new LinuxError(Errno.EINTR);
        }
        if (!inTime) {
          return 0;
        }
      }
    } finally {
      for (Interest interest : interests) {
        if (interest.file != null) {
          interest.file.release();
        }
      }
    }
  }

  static long poll(Task t, long va, long count, long timeoutMillis, long d, long e, long f) {
    long deadline =
        (int) timeoutMillis < 0
            ? Task.FOREVER
            : System.nanoTime() + (int) timeoutMillis * 1_000_000L;
    return poll(t, va, count, deadline);
  }

  private static long poll(Task t, long va, long countArgument, long deadlineNanos) {
    int count = (int) countArgument;
    if (count < 0 || count > FileTable.MAX) {
      throw new LinuxError(Errno.EINVAL);
    }
    byte[] table = t.memory().bytes(va, count * 8);
    List<Interest> interests = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      int fd = Bytes.get32(table, i * 8);
      if (fd >= 0) {
        int events = Bytes.get16(table, i * 8 + 4);
        interests.add(new Interest(i, t.process.files.find(fd), events));
      } else {
        Bytes.put16(table, i * 8 + 6, 0);
      }
    }
    int[] ready = new int[interests.size()];
    int result = select(t, interests, ready, deadlineNanos);
    for (int i = 0; i < ready.length; i++) {
      Bytes.put16(table, interests.get(i).fd * 8 + 6, ready[i]);
    }
    t.memory().bytes(va, table);
    return result;
  }

  static long ppoll(Task t, long va, long count, long timeVa, long maskVa, long size, long f) {
    long deadline = timeVa == 0 ? Task.FOREVER : TimeCalls.deadline(t, timeVa);
    SignalCalls.suspendMask(t, maskVa, size);
    return endWithMask(t, () -> poll(t, va, count, deadline));
  }

  private interface Body {
    long run();
  }

  /** Gives the old signal mask back, unless a handler is about to run, which does so itself. */
  private static long endWithMask(Task t, Body body) {
    try {
      long result = body.run();
      restoreMask(t);
      return result;
    } catch (LinuxError e) {
      if (e.errno != Errno.EINTR) {
        restoreMask(t);
      }
      throw e;
    }
  }

  private static void restoreMask(Task t) {
    if (t.hasSavedMask) {
      t.hasSavedMask = false;
      t.signalMask = t.savedMask;
    }
  }

  static long select(Task t, long n, long in, long out, long except, long timeVa, long f) {
    long deadline = Task.FOREVER;
    if (timeVa != 0) {
      long seconds = t.memory().get64(timeVa);
      long micros = t.memory().get64(timeVa + 8);
      if (seconds < 0 || micros < 0) {
        throw new LinuxError(Errno.EINVAL);
      }
      deadline = TimeCalls.later(seconds, micros * 1000);
    }
    return select(t, (int) n, in, out, except, deadline);
  }

  static long pselect(Task t, long n, long in, long out, long except, long timeVa, long maskVa) {
    long deadline = timeVa == 0 ? Task.FOREVER : TimeCalls.deadline(t, timeVa);
    if (maskVa != 0) {
      long mask = t.memory().get64(maskVa);
      SignalCalls.suspendMask(t, mask, t.memory().get64(maskVa + 8));
    }
    return endWithMask(t, () -> select(t, (int) n, in, out, except, deadline));
  }

  private static long select(
      Task t, int count, long in, long out, long except, long deadlineNanos) {
    if (count < 0) {
      throw new LinuxError(Errno.EINVAL);
    }
    int n = Math.min(count, FileTable.MAX);
    int words = (n + 63) / 64;
    long[] sets = {in, out, except};
    int[] events = {OpenFile.POLLIN, OpenFile.POLLOUT, OpenFile.POLLPRI};
    List<Interest> interests = new ArrayList<>();
    for (int fd = 0; fd < n; fd++) {
      int wanted = 0;
      for (int s = 0; s < 3; s++) {
        if (sets[s] != 0 && (t.memory().get64(sets[s] + fd / 64 * 8) >>> (fd & 63) & 1) != 0) {
          wanted |= events[s];
        }
      }
      if (wanted != 0) {
        interests.add(new Interest(fd, t.process.files.get(fd), wanted));
      }
    }
    int[] ready = new int[interests.size()];
    int ignored = select(t, interests, ready, deadlineNanos);
    int total = 0;
    long[][] result = new long[3][words];
    int broken = OpenFile.POLLHUP | OpenFile.POLLERR;
    for (int i = 0; i < ready.length; i++) {
      int fd = interests.get(i).fd;
      int wanted = interests.get(i).events;
      for (int s = 0; s < 3; s++) {
        int meant = events[s] | (s < 2 ? broken : 0);
        if ((wanted & events[s]) != 0 && (ready[i] & meant) != 0) {
          result[s][fd / 64] |= 1L << (fd & 63);
          total++;
        }
      }
    }
    for (int s = 0; s < 3; s++) {
      for (int w = 0; w < words && sets[s] != 0; w++) {
        t.memory().put64(sets[s] + w * 8L, result[s][w]);
      }
    }
    return total;
  }
}
