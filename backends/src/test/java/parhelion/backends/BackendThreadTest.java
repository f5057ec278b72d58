package parhelion.backends;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The thread that runs agents. */
@Timeout(60)
class BackendThreadTest {
  /** An agent that counts down some work. */
  private static final class Counter implements Agent {
    final AtomicInteger work = new AtomicInteger();
    final AtomicInteger done = new AtomicInteger();
    final AtomicBoolean broken = new AtomicBoolean();
    final CountDownLatch finished;
    private volatile Runnable wake = () -> {};

    Counter(int expected) {
      finished = new CountDownLatch(expected);
    }

    @Override
    public boolean runPending() {
      if (broken.getAndSet(false)) {
        throw new IllegalStateException("a bug");
      }
      if (work.get() == 0) {
        return false;
      }
      work.decrementAndGet();
      done.incrementAndGet();
      finished.countDown();
      return true;
    }

    @Override
    public void wakeWith(Runnable wake) {
      this.wake = wake;
    }

    void add(int more) {
      work.addAndGet(more);
      wake.run();
    }
  }

  @Test
  void everyWakeUpLeadsToWork() throws InterruptedException {
    Counter one = new Counter(30_000);
    Counter two = new Counter(10_000);
    try (BackendThread _ = BackendThread.start("agents", one, two)) {
      for (int i = 0; i < 10_000; i++) {
        one.add(3);
        two.add(1);
      }
      one.finished.await();
      two.finished.await();
    }
    assertEquals(30_000, one.done.get());
    assertEquals(10_000, two.done.get());
  }

  @Test
  void aBugInOneAgentDoesNotStopTheOthers() throws InterruptedException {
    Logger log = Logger.getLogger(BackendThread.class.getName());
    Level before = log.getLevel();
    log.setLevel(Level.OFF);
    try {
      Counter broken = new Counter(1);
      Counter sound = new Counter(1);
      broken.broken.set(true);
      try (BackendThread _ = BackendThread.start("agents", broken, sound)) {
        sound.add(1);
        sound.finished.await();
        broken.add(1);
        broken.finished.await();
      }
      assertTrue(sound.done.get() == 1 && broken.done.get() == 1);
    } finally {
      log.setLevel(before);
    }
  }
}
