package parhelion.backends.block;

import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import parhelion.media.disk.Disk;

/**
 * Decides who does a disk's input and output: the scheduler's thread itself, or one of a few
 * threads of the device, which exist only while there is work.
 *
 * <p>What the host has in its page cache takes the scheduler's thread a microsecond per page, while
 * a thread of its own costs ten or more to wake, there and back. So small transfers are done at
 * once; but after one that took long, which will have waited for the host's disk, the next ones go
 * to threads, and the guest runs on.
 */
final class BlockWorkers {
  /** Larger transfers gain by running beside the guest. */
  static final int INLINE_BYTES = 128 << 10;

  /** A transfer at once that takes longer has not come out of a cache. */
  private static final long SLOW_NANOS = 300_000;

  /** How many then go to threads before it is tried again. */
  private static final int PENALTY = 32;

  private static final int THREADS = 4;
  private static final int IDLE_SECONDS = 5;

  private final Disk disk;
  private final ThreadPoolExecutor threads;
  private int penalty;

  BlockWorkers(Disk disk) {
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

  /** Does the job now if that is likely to be quick; false if a thread should do it. */
  boolean runNow(BlockJob job) {
    if (job.isSlow() || job.request.lengthBytes() > INLINE_BYTES) {
      return false;
    }
    if (penalty > 0) {
      penalty--;
      return false;
    }
    long start = System.nanoTime();
    job.run(disk);
    if (System.nanoTime() - start > SLOW_NANOS) {
      penalty = PENALTY;
    }
    return true;
  }

  /** Has a thread do the job and then call {@code whenDone}. */
  void runAside(BlockJob job, Runnable whenDone) {
    threads.execute(
        () -> {
          job.run(disk);
          whenDone.run();
        });
  }
}
