package parhelion.pc.disk;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import parhelion.media.disk.Disk;
import parhelion.pc.Board;

/**
 * The host's side of a disk device: who does its input and output. Jobs of ordinary size are done
 * at once while the host answers out of its cache (3 us for 4 KiB, where a thread and back takes 16
 * us); after one that took long, the next ones go to threads, which exist only while there is work,
 * and the guest runs on. What may wait for the host's disk always goes to a thread.
 */
public final class DiskIo implements AutoCloseable {
  private static final System.Logger LOG = System.getLogger(DiskIo.class.getName());

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
  private final Board board;
  private final ThreadPoolExecutor threads;
  private final Object idle = new Object();
  private int penalty;

  /** Jobs that threads have; guarded by {@link #idle}. */
  private int aside;

  /** What is done to a disk; any thread. */
  @FunctionalInterface
  public interface Job {
    /** Does it; returns when it is done. */
    void run(Disk disk) throws IOException;
  }

  /** Told on the machine's thread that a job has ended. */
  @FunctionalInterface
  public interface Done {
    /** {@code ok} is false if the disk could not do it. */
    void done(boolean ok);
  }

  /** For one device; the disk stays its owner's. */
  public DiskIo(Disk disk, Board board) {
    this.disk = disk;
    this.board = board;
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

  public Disk disk() {
    return disk;
  }

  /**
   * Does a job and then calls {@code done} on the machine's thread: before this returns, or later.
   * Jobs that are under way together end in any order.
   *
   * @param bytes about how much it moves
   * @param slow whether it may wait for the host's disk, however warm the host's cache is
   */
  public void submit(Job job, long bytes, boolean slow, Done done) {
    if (threads.isShutdown()) {
      done.done(false);
      return;
    }
    if (!slow && bytes <= INLINE_BYTES && penalty == 0) {
      long start = System.nanoTime();
      boolean ok = run(job);
      if (System.nanoTime() - start > SLOW_NANOS + bytes * SLOW_NANOS_PER_BYTE) {
        penalty = PENALTY;
      }
      done.done(ok);
      return;
    }
    penalty = Math.max(0, penalty - 1);
    synchronized (idle) {
      aside++;
    }
    threads.execute(
        () -> {
          boolean ok = run(job);
          board.post(() -> done.done(ok));
          synchronized (idle) {
            aside--;
            idle.notifyAll();
          }
        });
  }

  private boolean run(Job job) {
    try {
      job.run(disk);
      return true;
    } catch (IOException e) {
      LOG.log(System.Logger.Level.DEBUG, () -> disk + ": input or output failed", e);
    } catch (RuntimeException | Error e) {
      LOG.log(System.Logger.Level.ERROR, () -> disk + ": input or output failed", e);
    }
    return false;
  }

  /** Whether a range is all on the disk. */
  public boolean holds(long offset, long lengthBytes) {
    long size = disk.sizeBytes();
    return offset >= 0 && lengthBytes >= 0 && offset <= size && lengthBytes <= size - offset;
  }

  /** A transfer between consecutive bytes of the disk and what remains of some buffers. */
  public static Job transfer(long offset, List<ByteBuffer> buffers, boolean toDisk) {
    return disk -> {
      long at = offset;
      for (ByteBuffer buffer : buffers) {
        int bytes = buffer.remaining();
        if (toDisk) {
          disk.write(at, buffer);
        } else {
          disk.read(at, buffer);
        }
        at += bytes;
      }
    };
  }

  /**
   * Waits for what threads are at: after this, none of them touches the guest's memory. What they
   * have posted is still to come.
   */
  public void drain() {
    boolean interrupted = false;
    synchronized (idle) {
      while (aside > 0) {
        try {
          idle.wait();
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public void close() {
    drain();
    threads.shutdown();
  }
}
