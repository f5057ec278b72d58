package parhelion.media.net.nat.tcp;

import java.nio.ByteBuffer;
import java.util.Iterator;
import parhelion.media.net.nat.loop.Count;

/**
 * The half of a connection from the far side to the guest. Nothing waits here to be sent: bytes are
 * read from the far side when the guest's window has room for them, straight into the frame that is
 * sent, and kept until they are acknowledged.
 */
final class TcpSender {
  private final TcpShared shared;
  private final SendQueue queue;
  private final RoundTrip roundTrip = new RoundTrip();
  private final int maxBytes;
  private Congestion congestion = new Congestion(1);
  private int mss = 536;
  private int scale;
  private int initial;
  private int unacknowledged;
  private int next;

  /** What is being sent again goes from here to {@link #next}; equal to that if nothing is. */
  private int again;

  private int window;
  private int maxWindow;
  private int windowSeq;
  private int windowAck;
  private boolean finished;
  int retries;

  TcpSender(TcpShared shared, int initial) {
    this.shared = shared;
    this.queue = new SendQueue(shared.sendBudget);
    this.maxBytes = shared.config.limits().sendBufferBytes();
    this.initial = initial;
    this.unacknowledged = initial;
    this.next = initial;
    this.again = initial;
  }

  /** What the guest's SYN says. */
  void start(Segment syn, int maxPayload) {
    mss = Math.clamp(syn.mss() == 0 ? 536 : syn.mss(), 64, maxPayload);
    scale = Math.max(syn.scale(), 0);
    congestion = new Congestion(mss);
    window = syn.window();
    maxWindow = window;
    windowSeq = syn.seq();
    windowAck = syn.ack();
  }

  int initial() {
    return initial;
  }

  int mss() {
    return mss;
  }

  int next() {
    return next;
  }

  int unacknowledged() {
    return unacknowledged;
  }

  int flight() {
    return next - unacknowledged;
  }

  boolean isFinished() {
    return finished;
  }

  /** Whether the end of this half was acknowledged. */
  boolean isFinishAcknowledged() {
    return finished && unacknowledged == next;
  }

  boolean windowIsClosed() {
    return window == 0;
  }

  long timeoutNanos() {
    return roundTrip.timeoutNanos(retries);
  }

  /** A SYN was sent. */
  void synSent() {
    next = initial + 1;
    again = next;
    if (retries > 0) {
      roundTrip.sentAgain();
    } else {
      roundTrip.sent(next, shared.loop.now());
    }
  }

  /** The guest has the SYN. The window that it says with that is not scaled: {@link #start}. */
  void synAcknowledged() {
    unacknowledged = next;
    roundTrip.acknowledged(next, shared.loop.now());
  }

  /** How many bytes may be read from the far side and sent now. */
  int usable() {
    if (finished || again != next) {
      return 0;
    }
    long allowed = Math.min(Math.min(window, congestion.windowBytes()), maxBytes);
    long usable = Math.min(allowed - flight(), shared.sendBudget.free());
    boolean silly = flight() > 0 && usable < Math.min(mss, maxWindow / 2);
    return usable <= 0 || silly ? 0 : (int) usable;
  }

  /** Sends what is in the buffer, which is not more than {@link #usable}. */
  void send(TcpConnection connection, ByteBuffer bytes) {
    boolean v6 = connection.key().guest().v6();
    int large = shared.output.maxLargePayload(v6, mss);
    while (bytes.hasRemaining()) {
      int length = Math.min(bytes.remaining(), large);
      byte[] frame = shared.output.frame(v6, length);
      int at = TcpOutput.payloadAt(v6);
      bytes.get(frame, at, length);
      int push = bytes.hasRemaining() ? 0 : Segment.PSH;
      connection.transmit(frame, next, Segment.ACK | push, mss);
      shared.sendBudget.take(length);
      queue.add(new SendQueue.Sent(next, frame, at, length));
      next += length;
      again = next;
    }
    roundTrip.sent(next, shared.loop.now());
  }

  /** Ends this half. */
  void finish(TcpConnection connection) {
    finished = true;
    next++;
    again = next;
    sendFin(connection);
  }

  private void sendFin(TcpConnection connection) {
    byte[] frame = shared.output.frame(connection.key().guest().v6(), 0);
    connection.transmit(frame, next - 1, Segment.ACK | Segment.FIN, mss);
  }

  /** An acknowledgement that may be: not beyond what was sent. True if it told something new. */
  boolean acknowledge(TcpConnection connection, Segment segment) {
    int ack = segment.ack();
    int scaled = segment.window() << scale;
    int bytes = ack - unacknowledged;
    if (bytes < 0) {
      return false;
    }
    if (bytes == 0) {
      boolean duplicate = segment.span() == 0 && scaled == window && flight() > 0 && again == next;
      if (duplicate && congestion.duplicate(flight(), next)) {
        sendAgain(connection, 1);
      }
      return updateWindow(segment, scaled);
    }
    retries = 0;
    unacknowledged = ack;
    again = Seq.max(again, ack);
    queue.acknowledge(ack);
    roundTrip.acknowledged(ack, shared.loop.now());
    boolean partial = congestion.acknowledged(bytes, ack, Math.min(maxWindow, maxBytes));
    updateWindow(segment, scaled);
    if (again != next) {
      sendAgainFrom(connection);
    } else if (partial) {
      sendAgain(connection, 1);
    }
    return true;
  }

  private boolean updateWindow(Segment segment, int scaled) {
    boolean newer =
        Seq.before(windowSeq, segment.seq())
            || windowSeq == segment.seq() && Seq.beforeOrAt(windowAck, segment.ack());
    if (!newer) {
      return false;
    }
    boolean changed = window != scaled;
    window = scaled;
    maxWindow = Math.max(maxWindow, scaled);
    windowSeq = segment.seq();
    windowAck = segment.ack();
    return changed;
  }

  /**
   * Nothing was acknowledged in time: everything in flight goes again, as acknowledgements come.
   */
  void timedOut(TcpConnection connection) {
    congestion.timedOut(flight());
    again = unacknowledged;
    sendAgainFrom(connection);
  }

  /** Sends again the first parts that are not acknowledged. */
  private void sendAgain(TcpConnection connection, int parts) {
    roundTrip.sentAgain();
    int left = parts;
    for (Iterator<SendQueue.Sent> sent = queue.iterator(); sent.hasNext() && left > 0; left--) {
      transmitAgain(connection, sent.next());
    }
    if (left > 0 && finished) {
      shared.counts.add(Count.TCP_RETRANSMITTED);
      sendFin(connection);
    }
  }

  /** Sends again from {@link #again} on, as far as the windows go. */
  private void sendAgainFrom(TcpConnection connection) {
    roundTrip.sentAgain();
    long allowed = Math.max(Math.min(window, congestion.windowBytes()), 1);
    Iterator<SendQueue.Sent> sent = queue.iterator();
    while (sent.hasNext()) {
      SendQueue.Sent part = sent.next();
      if (Seq.beforeOrAt(part.end(), again)) {
        continue;
      }
      if (again - unacknowledged >= allowed) {
        return;
      }
      transmitAgain(connection, part);
      again = part.end();
    }
    if (again != next && finished) {
      shared.counts.add(Count.TCP_RETRANSMITTED);
      again = next;
      sendFin(connection);
    }
  }

  /** A frame that was sent is not touched again: its payload goes into new ones. */
  private void transmitAgain(TcpConnection connection, SendQueue.Sent part) {
    boolean v6 = connection.key().guest().v6();
    int large = shared.output.maxLargePayload(v6, mss);
    for (int offset = 0; offset < part.length; offset += large) {
      int length = Math.min(part.length - offset, large);
      byte[] frame = shared.output.frame(v6, length);
      System.arraycopy(part.frame, part.at + offset, frame, TcpOutput.payloadAt(v6), length);
      shared.counts.add(Count.TCP_RETRANSMITTED);
      connection.transmit(frame, part.seq + offset, Segment.ACK | Segment.PSH, mss);
    }
  }

  void clear() {
    queue.clear();
  }
}
