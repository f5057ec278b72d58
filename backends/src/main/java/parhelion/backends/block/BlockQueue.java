package parhelion.backends.block;

import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import parhelion.abi.BlkifArgs.BlkifRequest;
import parhelion.abi.BlkifOp;
import parhelion.abi.BlkifRsp;
import parhelion.backends.Frontend;
import parhelion.backends.Port;
import parhelion.backends.block.BlockRequest.Rules;
import parhelion.backends.xenbus.XenbusDriver.RefusedException;
import parhelion.media.disk.DiskWorkers;

/**
 * One ring of a block device at work: takes requests, has them done, answers. Its turns are on the
 * scheduler's thread: when the guest has raised the event, and when threads have finished requests.
 */
final class BlockQueue implements AutoCloseable {
  /** Requests taken in one turn; the guest runs for a moment between turns. */
  private static final int BATCH = 64;

  /** How long a guest that goes on running may wait for its requests to be looked at. */
  private static final long PATIENCE_NANOS = 300_000;

  private final Frontend guest;
  private final BlockRing ring;
  private final GrantPool pool;
  private final DiskWorkers workers;
  private final BlockCounts counts;
  private final Supplier<Rules> rules;
  private final Consumer<String> fail;
  private final byte[] slot = new byte[BlkifRequest.STRUCT.size()];
  private final ConcurrentLinkedQueue<BlockJob> finished = new ConcurrentLinkedQueue<>();
  private final AtomicBoolean scheduled = new AtomicBoolean();
  private final Object idle = new Object();
  private @Nullable Port port;
  private boolean closed;

  /** Jobs that threads have; guarded by {@link #idle}. */
  private int aside;

  /** Requests without an answer. */
  private int unanswered;

  /** A barrier that waits for all before it, or is under way: nothing is taken meanwhile. */
  private @Nullable BlockJob barrier;

  private boolean barrierRuns;

  /**
   * Serves a ring.
   *
   * @param rules asked for each request: the disk's size may change
   * @param fail told what the guest has done that no guest may do
   */
  BlockQueue(
      Frontend guest,
      BlockRing ring,
      GrantPool pool,
      DiskWorkers workers,
      BlockCounts counts,
      Supplier<Rules> rules,
      Consumer<String> fail) {
    this.guest = guest;
    this.ring = ring;
    this.pool = pool;
    this.workers = workers;
    this.counts = counts;
    this.rules = rules;
    this.fail = fail;
  }

  /** Binds to the guest's port and looks at the ring. */
  void open(long remotePort) throws RefusedException {
    port =
        guest.bind(
            remotePort,
            () -> {
              counts.eventsIn++;
              if (scheduled.compareAndSet(false, true)) {
                guest.defer(this::turn, PATIENCE_NANOS);
              }
            });
    schedule();
  }

  /** Any thread. */
  private void schedule() {
    if (scheduled.compareAndSet(false, true)) {
      guest.post(this::turn);
    }
  }

  private void turn() {
    scheduled.set(false);
    if (!closed) {
      long start = System.nanoTime();
      serveAll();
      counts.nanos += System.nanoTime() - start;
    }
  }

  private void serveAll() {
    for (BlockJob job = finished.poll(); job != null; job = finished.poll()) {
      answer(job);
    }
    int taken = 0;
    boolean more = true;
    while (more && taken < BATCH && barrier == null) {
      int waiting = ring.waiting();
      if (waiting < 0) {
        fail.accept("the ring's producer is ahead of its requests by more than there is room for");
        return;
      }
      more = waiting > 0;
      if (more) {
        ring.take(slot);
        unanswered++;
        taken++;
        serve(BlockRequest.parse(slot, ring.shift(), guest, rules.get()));
      } else {
        ring.askForEvent();
        more = ring.waiting() != 0;
      }
    }
    startBarrier();
    publish();
    if (more && barrier == null) {
      schedule();
    }
  }

  private void publish() {
    if (ring.publish()) {
      counts.eventsOut++;
      Port open = port;
      if (open != null) {
        open.notifyGuest();
      }
    }
  }

  private void serve(BlockRequest request) {
    if (request.status() != BlkifRsp.OKAY) {
      answer(request, request.status());
      return;
    }
    BlockJob job;
    try {
      job = BlockJob.prepare(request, pool);
    } catch (RefusedException refused) {
      answer(request, BlkifRsp.ERROR);
      return;
    }
    counts.count(job);
    if (request.op() == BlkifOp.WRITE_BARRIER) {
      barrier = job;
    } else if (workers.runNow(job::run, job.request.lengthBytes(), job.isSlow())) {
      answer(job);
    } else {
      runAside(job);
    }
  }

  /** Once all that came before it has been answered. */
  private void startBarrier() {
    BlockJob waiting = barrier;
    if (waiting != null && !barrierRuns && unanswered == 1) {
      barrierRuns = true;
      runAside(waiting);
    }
  }

  private void runAside(BlockJob job) {
    synchronized (idle) {
      aside++;
    }
    counts.aside++;
    workers.runAside(
        job::run,
        () -> {
          finished.add(job);
          synchronized (idle) {
            aside--;
            idle.notifyAll();
          }
          schedule();
        });
  }

  private void answer(BlockJob job) {
    if (job == barrier) {
      barrier = null;
      barrierRuns = false;
      schedule();
    }
    answer(job.request, job.finish(pool));
  }

  private void answer(BlockRequest request, int status) {
    if (status != BlkifRsp.OKAY) {
      counts.refused++;
    }
    unanswered--;
    ring.answer(request.id(), request.operation(), status);
  }

  /**
   * Serves no more and lets go of all frames. What threads are at is waited for and answered, and
   * all that was not begun fails: a driver that gives its disk up waits for every answer, and one
   * that never comes would hold its guest up for ever.
   */
  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    awaitThreads();
    for (BlockJob job = finished.poll(); job != null; job = finished.poll()) {
      barrier = barrier == job ? null : barrier;
      answer(job.request, job.finish(pool));
    }
    if (barrier != null) {
      int unused = barrier.finish(pool);
      answer(barrier.request, BlkifRsp.ERROR);
      barrier = null;
    }
    for (int waiting = ring.waiting(); waiting > 0; waiting--) {
      ring.take(slot);
      unanswered++;
      answer(BlockRequest.parse(slot, ring.shift(), guest, rules.get()), BlkifRsp.ERROR);
    }
    publish();
    if (port != null) {
      port.close();
    }
    pool.close();
    ring.close();
  }

  private void awaitThreads() {
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
}
