package parhelion.media.disk;

import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * Decides who does a disk's input and output for a guest: the thread that runs the guest, or one of
 * a few threads of the device, which exist only while there is work. Used by the thread that runs
 * the guest.
 *
 * <p>Measured (2026-11-27, medians on a busy host of two processors): a read out of the host's page
 * cache takes 3 us for 4 KiB, 18 us for 128 KiB, 134 us for 1 MiB; a job given to a thread, and its
 * end back, 16 us. So transfers of ordinary size are done at once; but after one that took long,
 * which will have waited for the host's disk, the next ones go to threads, and the guest runs on.
 */
public final class DiskWorkers {
  /** Larger transfers gain by running beside the guest. */
  private static final int INLINE_BYTES = 256 << 10;

  /** A transfer at once that takes longer, and longer by its size, has not come out of a cache. */
  private static final long SLOW_NANOS = 1_000_000;

  private static final long SLOW_NANOS_PER_BYTE = 2;

  /** How many then go to threads before it is tried again. */
  private static final int PENALTY = 16;

  private static final int THREADS = 4;
  private static final int IDLE_SECONDS = 5;

  private final Disk disk;
  private final ThreadPoolExecutor threads;
  private int penalty;

  /** What is done to a disk; any thread. It says itself how it went. */
  @FunctionalInterface
  public interface Job {
    /** Does it; returns when it is done, and throws nothing. */
    void run(Disk disk);
  }

  /** For one device; the disk stays its owner's. */
  public DiskWorkers(Disk disk) {
    this.disk = disk;
    threads =
        new ThreadPoolExecutor(
            THREADS,
            THREADS,
            IDLE_SECONDS,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(),
            Thread.ofPlatform().daemon().name("disk-", 1).factory());
    threads.allowCoreThreadTimeOut(true);
  }

  /**
   * Does the job now if that is likely to be quick; false if a thread should do it.
   *
   * @param bytes about how much it moves
   * @param slow whether it may wait for the host's disk, however warm the host's cache is
   */
  public boolean runNow(Job job, long bytes, boolean slow) {
    if (slow || bytes > INLINE_BYTES) {
      return false;
    }
    if (penalty > 0) {
      penalty--;
      return false;
    }
    long start = System.nanoTime();
    job.run(disk);
    if (System.nanoTime() - start > SLOW_NANOS + bytes * SLOW_NANOS_PER_BYTE) {
      penalty = PENALTY;
    }
    return true;
  }

  /** Has a thread do the job and then call {@code whenDone}. */
  public void runAside(Job job, Runnable whenDone) {
    threads.execute(
        () -> {
          job.run(disk);
          whenDone.run();
        });
  }

  /** Lets the threads end once they have done what they were given. */
  public void shutdown() {
    threads.shutdown();
  }

  public boolean isShutdown() {
    return threads.isShutdown();
  }
}
