package parhelion.xen;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** The scheduler's wait: no work that another thread brings may be slept through. */
final class IdleWaitTest {
  private static final long LONG_NANOS = 30_000_000_000L;

  @Test
  void workOfAnotherThreadEndsEveryWait() throws Exception {
    AtomicInteger work = new AtomicInteger();
    AtomicInteger done = new AtomicInteger();
    IdleWait wait = new IdleWait(() -> work.get() > done.get());
    wait.begin();
    Thread other =
        new Thread(
            () -> {
              for (int i = 1; i <= 20_000; i++) {
                work.incrementAndGet();
                wait.wake();
                while (done.get() < i) {
                  Thread.onSpinWait();
                }
              }
            });
    long start = System.nanoTime();
    other.start();
    for (int i = 1; i <= 20_000; i++) {
      while (work.get() < i) {
        wait.await(LONG_NANOS);
      }
      done.incrementAndGet();
    }
    other.join();
    wait.end();
    assertTrue(System.nanoTime() - start < LONG_NANOS, "a wait has slept through its work");
  }

  @Test
  void aWaitEndsAtItsLimit() {
    IdleWait wait = new IdleWait(() -> false);
    wait.begin();
    for (int i = 0; i < 100; i++) {
      long start = System.nanoTime();
      wait.await(50_000);
      assertTrue(System.nanoTime() - start < LONG_NANOS);
    }
    wait.await(0);
    wait.await(-1);
    wait.end();
  }
}
