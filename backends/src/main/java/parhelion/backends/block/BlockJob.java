package parhelion.backends.block;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import parhelion.abi.BlkifOp;
import parhelion.abi.BlkifRsp;
import parhelion.backends.GrantedPage;
import parhelion.backends.block.BlockRequest.Segment;
import parhelion.backends.xenbus.XenbusDriver.RefusedException;
import parhelion.media.disk.Disk;

/**
 * A request on its way: its frames mapped, and the transfers that they make. Frames that follow
 * each other in the host's memory share a transfer. {@link #run} may be called by any thread, the
 * rest by the scheduler's.
 */
final class BlockJob {
  private static final System.Logger LOG = System.getLogger(BlockJob.class.getName());
  private static final int PAGE_BYTES = 4096;

  final BlockRequest request;
  private final BlkifOp op;
  private final GrantPool.Use[] uses;
  private final List<ByteBuffer> transfers = new ArrayList<>();
  private int status = BlkifRsp.OKAY;

  private BlockJob(BlockRequest request) {
    this.request = request;
    op = Objects.requireNonNull(request.op());
    uses = new GrantPool.Use[request.segments().length];
  }

  /**
   * Maps a good request's frames.
   *
   * @throws RefusedException if one is not granted so; nothing is mapped then
   */
  static BlockJob prepare(BlockRequest request, GrantPool pool) throws RefusedException {
    BlockJob job = new BlockJob(request);
    Segment[] segments = request.segments();
    int mapped = 0;
    try {
      for (; mapped < segments.length; mapped++) {
        job.uses[mapped] = pool.take(segments[mapped].ref(), job.reads());
      }
    } finally {
      if (mapped < segments.length) {
        for (int i = 0; i < mapped; i++) {
          pool.release(job.uses[i]);
        }
      }
    }
    job.join();
    return job;
  }

  /** Whether bytes go from the disk to the guest. */
  private boolean reads() {
    return op == BlkifOp.READ;
  }

  private void join() {
    Segment[] segments = request.segments();
    for (int from = 0; from < segments.length; ) {
      int to = from + 1;
      while (to < segments.length && follows(to)) {
        to++;
      }
      transfers.add(buffer(from, to));
      from = to;
    }
  }

  /** Whether segment {@code i} goes on in memory where the one before ends. */
  private boolean follows(int i) {
    Segment before = request.segments()[i - 1];
    return before.offset() + before.lengthBytes() == PAGE_BYTES
        && request.segments()[i].offset() == 0
        && uses[i].hostAddress == uses[i - 1].hostAddress + PAGE_BYTES;
  }

  private ByteBuffer buffer(int from, int to) {
    Segment first = request.segments()[from];
    GrantedPage page = uses[from].page;
    if (to == from + 1) {
      return page.buffer(first.offset(), first.lengthBytes());
    }
    List<GrantedPage> pages = new ArrayList<>();
    int bytes = 0;
    for (int i = from; i < to; i++) {
      pages.add(uses[i].page);
      bytes += request.segments()[i].lengthBytes();
    }
    return page.run(pages).slice(first.offset(), bytes);
  }

  /** Whether it may wait for the host's disk, however warm the host's cache is. */
  boolean isSlow() {
    return op != BlkifOp.READ && op != BlkifOp.WRITE;
  }

  int transfers() {
    return transfers.size();
  }

  /** Moves the bytes; what goes wrong is the request's status. */
  void run(Disk disk) {
    try {
      switch (op) {
        case READ, WRITE -> transfer(disk);
        case FLUSH_DISKCACHE -> {
          transfer(disk);
          disk.flush();
        }
        case WRITE_BARRIER -> {
          disk.flush();
          transfer(disk);
          disk.flush();
        }
        case DISCARD -> disk.discard(request.offsetBytes(), request.lengthBytes());
        case RESERVED_1, INDIRECT -> throw new IllegalStateException("no such job: " + op);
      }
    } catch (IOException e) {
      status = BlkifRsp.ERROR;
      LOG.log(System.Logger.Level.DEBUG, () -> disk + ": " + op + " failed", e);
    } catch (RuntimeException | Error e) {
      status = BlkifRsp.ERROR;
      LOG.log(System.Logger.Level.ERROR, () -> disk + ": " + op + " failed", e);
    }
  }

  private void transfer(Disk disk) throws IOException {
    if (transfers.isEmpty()) {
      return;
    }
    if (reads()) {
      disk.read(request.offsetBytes(), transfers);
    } else {
      disk.write(request.offsetBytes(), transfers);
    }
  }

  /** Lets go of the frames; returns the status for the answer. */
  int finish(GrantPool pool) {
    Segment[] segments = request.segments();
    for (int i = 0; i < segments.length; i++) {
      if (reads()) {
        uses[i].page.written(segments[i].offset(), segments[i].lengthBytes());
      }
      pool.release(uses[i]);
    }
    return status;
  }
}
