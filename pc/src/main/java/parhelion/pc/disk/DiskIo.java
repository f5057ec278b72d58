package parhelion.pc.disk;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import parhelion.media.disk.Disk;
import parhelion.media.disk.DiskWorkers;
import parhelion.pc.Board;

/**
 * The host's side of a disk device: jobs, done by {@link DiskWorkers}, whose ends are told on the
 * machine's thread.
 */
public final class DiskIo implements AutoCloseable {
  private static final System.Logger LOG = System.getLogger(DiskIo.class.getName());

  private final Disk disk;
  private final Board board;
  private final DiskWorkers workers;
  private final Object idle = new Object();

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
    workers = new DiskWorkers(disk);
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
    if (workers.isShutdown()) {
      done.done(false);
      return;
    }
    Attempt attempt = new Attempt(job);
    if (workers.runNow(attempt, bytes, slow)) {
      done.done(attempt.ok);
      return;
    }
    synchronized (idle) {
      aside++;
    }
    workers.runAside(
        attempt,
        () -> {
          board.post(() -> done.done(attempt.ok));
          synchronized (idle) {
            aside--;
            idle.notifyAll();
          }
        });
  }

  /** A job, and whether the disk could do it. */
  private static final class Attempt implements DiskWorkers.Job {
    private final Job job;
    boolean ok;

    Attempt(Job job) {
      this.job = job;
    }

    @Override
    public void run(Disk disk) {
      try {
        job.run(disk);
        ok = true;
      } catch (IOException e) {
        LOG.log(System.Logger.Level.DEBUG, () -> disk + ": input or output failed", e);
      } catch (RuntimeException | Error e) {
        LOG.log(System.Logger.Level.ERROR, () -> disk + ": input or output failed", e);
      }
    }
  }

  /** Whether a range is all on the disk. */
  public boolean holds(long offset, long lengthBytes) {
    long size = disk.sizeBytes();
    return offset >= 0 && lengthBytes >= 0 && offset <= size && lengthBytes <= size - offset;
  }

  /** A transfer between consecutive bytes of the disk and what remains of some buffers. */
  public static Job transfer(long offset, List<ByteBuffer> buffers, boolean toDisk) {
    return disk -> {
      if (toDisk) {
        disk.write(offset, buffers);
      } else {
        disk.read(offset, buffers);
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
    workers.shutdown();
  }
}
