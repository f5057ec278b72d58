package parhelion.media.net.nat.tcp;

import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * The half of a connection from the guest to the far side: what is expected next, what window the
 * guest has been given, and the way of the bytes to the far side. The window follows what the far
 * side takes, and never shrinks.
 */
final class TcpReceiver {
  private static final int MAX_WINDOW = 65535;

  private final TcpShared shared;
  private final ReceiveQueue queue;
  private final int maxBytes;

  /** The scale of windows that this side offers, and uses if the guest has one. */
  final int offeredScale;

  private int scale;
  private int next;

  /** Where the window that the guest knows of ends. */
  private int edge;

  private int unacknowledged;
  private boolean finished;
  private boolean shutdown;

  TcpReceiver(TcpShared shared) {
    this.shared = shared;
    this.maxBytes = shared.config.limits().receiveBufferBytes();
    this.queue =
        new ReceiveQueue(
            shared.receiveBudget, maxBytes, shared.config.limits().outOfOrderSegments());
    int shift = 0;
    while (shift < Segment.MAX_SCALE && (long) MAX_WINDOW << shift < maxBytes) {
      shift++;
    }
    this.offeredScale = shift;
  }

  /** The guest's SYN. */
  void start(int seq, boolean scaled) {
    next = seq + 1;
    edge = next;
    scale = scaled ? offeredScale : 0;
  }

  int next() {
    return next;
  }

  /** The window that the guest knows of. */
  int window() {
    return edge - next;
  }

  /** Whether the guest has ended its half, and all before that has come. */
  boolean isFinished() {
    return finished;
  }

  /** Whether the far side has all that the guest sent. */
  boolean isDrained() {
    return queue.isDrained();
  }

  boolean hasGap() {
    return queue.hasEarly();
  }

  int unacknowledged() {
    return unacknowledged;
  }

  /** Takes a segment's payload, from {@code skip} on; false if it filled no gap or had no room. */
  boolean accept(Segment segment, int skip, int length) {
    int seq = segment.seq() + skip;
    long before = queue.next();
    long position = before + (seq - next);
    boolean room = queue.accept(position, segment.datagram().bytes(), segment.at() + skip, length);
    int advanced = (int) (queue.next() - before);
    next += advanced;
    unacknowledged += advanced;
    return room && advanced > 0;
  }

  /** The guest's FIN, if it is the next thing. */
  void finish() {
    finished = true;
    next++;
    edge = Seq.max(edge, next);
  }

  /** The window for a segment that is sent now, as it stands in the header. */
  int announce(boolean syn) {
    unacknowledged = 0;
    edge = Seq.max(edge, next + offer(syn ? 0 : scale));
    return Math.min(edge - next >>> (syn ? 0 : scale), MAX_WINDOW);
  }

  /** Whether the window could grow by so much that the guest should hear of it. */
  boolean shouldAnnounce(int mss) {
    int growth = next + offer(scale) - edge;
    return growth >= Math.min(2 * mss, maxBytes / 2)
        && (window() < maxBytes / 2 || growth > maxBytes / 4);
  }

  private int offer(int shift) {
    long room = Math.min(queue.room(), (long) MAX_WINDOW << shift);
    return (int) (room >>> shift << shift);
  }

  /** Gives the far side what is there, and the end after it; true if it did not take all. */
  boolean flush(FarSide far) throws IOException {
    while (!queue.isDrained()) {
      ByteBuffer transfer = shared.transfer.clear();
      queue.peek(transfer);
      transfer.flip();
      int offered = transfer.remaining();
      far.write(transfer);
      int taken = offered - transfer.remaining();
      queue.remove(taken);
      if (taken < offered) {
        return true;
      }
    }
    if (finished && !shutdown) {
      shutdown = true;
      far.shutdownOutput();
    }
    return false;
  }

  void clear() {
    queue.clear();
  }
}
