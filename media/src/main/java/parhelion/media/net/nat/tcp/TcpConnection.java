package parhelion.media.net.nat.tcp;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import parhelion.media.net.nat.ip.FlowKey;
import parhelion.media.net.nat.loop.Count;
import parhelion.media.net.nat.loop.Timer;

/**
 * A connection: TCP with the guest, which ends here, and a far side that it is relayed to. Segments
 * and timers change its state at once; bytes move, and acknowledgements are sent, at the end of the
 * loop's turn ({@link #flush}), so that one of each does for many packets.
 */
final class TcpConnection implements FarSide.Listener {
  private static final long DELAYED_ACK_NANOS = TimeUnit.MILLISECONDS.toNanos(40);
  private static final int MAX_RETRIES = 12;
  private static final int MAX_KEEPALIVES = 9;

  /** What one connection may read from its far side in one turn, while others wait. */
  private static final int TURN_BYTES = 512 << 10;

  private final FlowKey key;
  private final TcpShared shared;
  private final Consumer<TcpConnection> whenClosed;
  private final Consumer<TcpConnection> whenNotConnected;
  private final TcpSender sender;
  private final TcpReceiver receiver;
  private final Timer resend;
  private final Timer delayedAck;
  private final Timer life;

  private TcpState state;
  private @Nullable FarSide far;
  private @Nullable Segment firstSyn;
  private boolean scaled;
  private boolean acknowledgeNow;
  private long heardAt;

  /** Probes since the guest was last heard of. */
  private int unanswered;

  /**
   * A connection that is being opened: by the guest if {@code syn} is its SYN, else towards it.
   *
   * @param whenNotConnected the far side took too long
   */
  TcpConnection(
      TcpShared shared,
      FlowKey key,
      @Nullable Segment syn,
      int initialSeq,
      Consumer<TcpConnection> whenClosed,
      Consumer<TcpConnection> whenNotConnected) {
    this.shared = shared;
    this.key = key;
    this.firstSyn = syn;
    this.whenClosed = whenClosed;
    this.whenNotConnected = whenNotConnected;
    this.sender = new TcpSender(shared, initialSeq);
    this.receiver = new TcpReceiver(shared);
    this.resend = shared.loop.timer(this::resendTimeout);
    this.delayedAck = shared.loop.timer(this::sendAck);
    this.life = shared.loop.timer(this::lifeTimeout);
    this.heardAt = shared.loop.now();
    this.state = syn == null ? TcpState.SYN_SENT : TcpState.CONNECTING;
    shared.halfOpen++;
    life.setIn(shared.config.timeouts().connect().toNanos());
  }

  FlowKey key() {
    return key;
  }

  TcpState state() {
    return state;
  }

  /** The SYN that a connecting connection waits with. */
  @Nullable Segment firstSyn() {
    return firstSyn;
  }

  /** The guest's connection has a far side now: the guest gets its answer. */
  void connected(FarSide connectedFar) {
    Segment syn = firstSyn;
    if (state != TcpState.CONNECTING || syn == null) {
      connectedFar.reset();
      return;
    }
    firstSyn = null;
    attach(connectedFar);
    startFrom(syn);
    change(TcpState.SYN_RECEIVED);
    sendSyn();
  }

  /** Opens a connection to the guest for a far side that is connected. */
  void open(FarSide connectedFar) {
    attach(connectedFar);
    sendSyn();
  }

  private void attach(FarSide connectedFar) {
    far = connectedFar;
    connectedFar.attach(this);
  }

  private void startFrom(Segment syn) {
    scaled = syn.scale() >= 0;
    receiver.start(syn.seq(), scaled);
    sender.start(syn, shared.output.maxPayload(key.guest().v6()));
  }

  /** The SYN, or the SYN-ACK when the guest's SYN is here. */
  private void sendSyn() {
    boolean answers = state == TcpState.SYN_RECEIVED;
    int offered = !answers || scaled ? receiver.offeredScale : -1;
    int window = answers ? receiver.announce(true) : 65535;
    shared.output.sendSyn(
        key,
        sender.initial(),
        answers ? receiver.next() : 0,
        answers ? Segment.SYN | Segment.ACK : Segment.SYN,
        window,
        offered);
    sender.synSent();
    resend.setIn(sender.timeoutNanos());
  }

  /** Sends a segment with data or FIN, and with it what there is to acknowledge. */
  void transmit(byte[] frame, int seq, int flags, int mss) {
    send(frame, seq, flags, mss);
    resend.startIn(sender.timeoutNanos());
  }

  private void send(byte[] frame, int seq, int flags, int mss) {
    acknowledgeNow = false;
    delayedAck.cancel();
    int window = receiver.announce(false);
    shared.output.send(frame, key, seq, receiver.next(), flags, window, mss);
  }

  private void sendAck() {
    byte[] frame = shared.output.frame(key.guest().v6(), 0);
    send(frame, sender.next(), Segment.ACK, sender.mss());
  }

  /** Asks the guest for an answer, with a number that it has acknowledged already. */
  private void sendProbe() {
    byte[] frame = shared.output.frame(key.guest().v6(), 0);
    send(frame, sender.unacknowledged() - 1, Segment.ACK, sender.mss());
  }

  // Segments.

  void arrived(Segment segment) {
    heardAt = shared.loop.now();
    unanswered = 0;
    switch (state) {
      case CONNECTING -> {
        if (segment.has(Segment.RST)) {
          close();
        }
      }
      case SYN_SENT -> answered(segment);
      case CLOSED -> shared.counts.add(Count.DROP_SEGMENT);
      default -> synchronised(segment);
    }
  }

  /** Something came in answer to our SYN (RFC 9293, section 3.10.7.3). */
  private void answered(Segment segment) {
    boolean acknowledges = segment.has(Segment.ACK);
    if (acknowledges && segment.ack() != sender.next()) {
      shared.output.reset(segment);
      return;
    }
    if (segment.has(Segment.RST)) {
      if (acknowledges) {
        shared.counts.add(Count.TCP_REFUSED);
        resetFar();
        close();
      }
      return;
    }
    if (!segment.has(Segment.SYN)) {
      return;
    }
    startFrom(segment);
    if (acknowledges) {
      sender.synAcknowledged();
      established();
      acknowledgeNow = true;
    } else {
      change(TcpState.SYN_RECEIVED);
      sendSyn();
    }
  }

  private void established() {
    change(TcpState.ESTABLISHED);
    sender.retries = 0;
    resend.cancel();
    life.setIn(shared.config.timeouts().keepalive().toNanos());
    shared.dirty.add(this);
  }

  private void synchronised(Segment segment) {
    if (!isAcceptable(segment)) {
      unacceptable(segment);
      return;
    }
    if (segment.has(Segment.RST)) {
      if (segment.seq() == receiver.next()) {
        shared.counts.add(Count.TCP_RESET);
        resetFar();
        close();
      } else {
        sendAck();
      }
      return;
    }
    if (segment.has(Segment.SYN)) {
      sendAck();
      return;
    }
    if (!segment.has(Segment.ACK)) {
      return;
    }
    boolean beyond = Seq.before(sender.next(), segment.ack());
    if (state == TcpState.SYN_RECEIVED) {
      if (beyond || Seq.before(segment.ack(), sender.next())) {
        shared.output.reset(segment);
        return;
      }
      established();
    }
    if (beyond) {
      sendAck();
      return;
    }
    acknowledged(segment);
    if (state != TcpState.CLOSED) {
      content(segment);
    }
  }

  /** Whether a part of the segment is in the window, or it is where one must begin. */
  private boolean isAcceptable(Segment segment) {
    int offset = segment.seq() - receiver.next();
    int window = receiver.window();
    if (offset == 0) {
      return true;
    }
    return offset <= window && offset + segment.span() > (segment.span() == 0 ? -1 : 0);
  }

  private void unacceptable(Segment segment) {
    if (segment.has(Segment.RST)) {
      shared.counts.add(Count.DROP_SEGMENT);
    } else if (state == TcpState.SYN_RECEIVED && segment.has(Segment.SYN)) {
      sendSyn();
    } else {
      if (state == TcpState.TIME_WAIT) {
        life.setIn(shared.config.timeouts().timeWait().toNanos());
      }
      sendAck();
    }
  }

  private void acknowledged(Segment segment) {
    boolean probing = sender.flight() == 0;
    if (sender.acknowledge(this, segment)) {
      shared.dirty.add(this);
      if (sender.flight() > 0) {
        resend.setIn(sender.timeoutNanos());
      } else {
        resend.cancel();
      }
    }
    if (probing && !sender.windowIsClosed()) {
      sender.retries = 0;
    }
    if (!sender.isFinishAcknowledged()) {
      return;
    }
    switch (state) {
      case FIN_WAIT_1 -> change(TcpState.FIN_WAIT_2);
      case CLOSING -> timeWait();
      case LAST_ACK -> {
        if (receiver.isDrained()) {
          closeFar();
          close();
        } else {
          timeWait();
        }
      }
      default -> {}
    }
  }

  private void content(Segment segment) {
    int skip = Math.max(receiver.next() - segment.seq(), 0);
    if (segment.span() == 0 || !state.receives() || receiver.isFinished()) {
      acknowledgeNow |= segment.span() > 0;
      shared.dirty.add(this);
      return;
    }
    int length = segment.length() - skip;
    int inWindow = Math.min(length, receiver.next() + receiver.window() - segment.seq() - skip);
    boolean early = Seq.before(receiver.next(), segment.seq());
    if (inWindow > 0 && !receiver.accept(segment, skip, inWindow)) {
      shared.counts.add(early ? Count.TCP_OUT_OF_ORDER : Count.DROP_MEMORY);
      sendAck();
    } else if (length > 0 && inWindow < length || receiver.hasGap()) {
      acknowledgeNow = true;
    }
    int end = segment.seq() + segment.length();
    if (segment.has(Segment.FIN) && end == receiver.next()) {
      receiver.finish();
      acknowledgeNow = true;
      switch (state) {
        case ESTABLISHED -> change(TcpState.CLOSE_WAIT);
        case FIN_WAIT_1 -> change(TcpState.CLOSING);
        case FIN_WAIT_2 -> timeWait();
        default -> {}
      }
    }
    shared.dirty.add(this);
  }

  private void timeWait() {
    change(TcpState.TIME_WAIT);
    resend.cancel();
    life.setIn(shared.config.timeouts().timeWait().toNanos());
    shared.dirty.add(this);
  }

  /** Whether a SYN opens the connection anew after it was closed (RFC 9293, section 3.10.7.4). */
  boolean mayBeReopenedBy(Segment syn) {
    return state == TcpState.TIME_WAIT
        && receiver.isDrained()
        && Seq.before(receiver.next(), syn.seq());
  }

  // The far side.

  @Override
  public void farReadable() {
    shared.dirty.add(this);
  }

  @Override
  public void farWritable() {
    shared.dirty.add(this);
  }

  /** Moves bytes both ways as far as they go now, and acknowledges what came. */
  void flush() {
    if (state == TcpState.CLOSED || state.isOpening()) {
      return;
    }
    FarSide to = far;
    if (to != null) {
      try {
        boolean blocked = receiver.flush(to);
        to.interest(pump(to), blocked);
      } catch (IOException broken) {
        abort();
        return;
      }
      if (state == TcpState.TIME_WAIT && receiver.isDrained()) {
        closeFar();
      }
    }
    if (acknowledgeNow
        || receiver.unacknowledged() >= 2 * sender.mss()
        || !receiver.isFinished() && receiver.shouldAnnounce(sender.mss())) {
      sendAck();
    } else if (receiver.unacknowledged() > 0) {
      delayedAck.startIn(DELAYED_ACK_NANOS);
    }
  }

  /** Reads from the far side what the guest has room for; true to hear when there is more. */
  private boolean pump(FarSide from) throws IOException {
    int left = TURN_BYTES;
    while (state.sends() && left > 0) {
      if (!shared.output.isOpen()) {
        shared.stalled.add(this);
        return false;
      }
      int usable = sender.usable();
      if (usable == 0) {
        if (sender.flight() == 0) {
          resend.startIn(sender.timeoutNanos());
        }
        return false;
      }
      ByteBuffer transfer = shared.transfer.clear();
      transfer.limit(Math.min(usable, transfer.capacity()));
      int read = from.read(transfer);
      if (read == 0) {
        return true;
      }
      if (read < 0) {
        sender.finish(this);
        change(state == TcpState.CLOSE_WAIT ? TcpState.LAST_ACK : TcpState.FIN_WAIT_1);
        return false;
      }
      sender.send(this, transfer.flip());
      left -= read;
    }
    return state.sends();
  }

  // Time.

  private void resendTimeout() {
    sender.retries++;
    if (state.isOpening()) {
      sendSyn(); // The life timer ends this.
    } else if (sender.flight() > 0) {
      if (sender.retries > MAX_RETRIES) {
        abort();
        return;
      }
      sender.timedOut(this);
      resend.setIn(sender.timeoutNanos());
    } else if (state.sends()) {
      persist();
    }
  }

  /** The guest's window, or memory, had no room: asks whether it has; ever more rarely. */
  private void persist() {
    if (!sender.windowIsClosed()) {
      sender.retries = 0;
    } else if (unanswered >= MAX_RETRIES) {
      abort();
      return;
    } else {
      unanswered++;
      sendProbe();
    }
    shared.dirty.add(this);
    resend.setIn(sender.timeoutNanos());
  }

  private void lifeTimeout() {
    switch (state) {
      case CONNECTING -> whenNotConnected.accept(this);
      case SYN_SENT, SYN_RECEIVED -> {
        resetFar();
        close();
      }
      case TIME_WAIT -> {
        if (receiver.isDrained()) {
          close();
        } else {
          life.setIn(shared.config.timeouts().timeWait().toNanos());
        }
      }
      default -> keepalive();
    }
  }

  private void keepalive() {
    long silent = shared.loop.now() - heardAt;
    long left = shared.config.timeouts().keepalive().toNanos() - silent;
    if (left > 0) {
      life.setIn(left);
    } else if (unanswered >= MAX_KEEPALIVES) {
      abort();
    } else {
      unanswered++;
      sendProbe();
      life.setIn(shared.config.timeouts().keepaliveInterval().toNanos());
    }
  }

  // The end.

  /** Resets both sides. */
  void abort() {
    if (state != TcpState.CONNECTING && state != TcpState.TIME_WAIT) {
      byte[] frame = shared.output.frame(key.guest().v6(), 0);
      send(frame, sender.next(), Segment.RST | Segment.ACK, sender.mss());
    }
    shared.counts.add(Count.TCP_RESET);
    resetFar();
    close();
  }

  private void resetFar() {
    if (far != null) {
      far.reset();
      far = null;
    }
  }

  private void closeFar() {
    if (far != null) {
      far.close();
      far = null;
    }
  }

  /** Forgets the connection. A far side that is still there is reset. */
  void close() {
    if (state == TcpState.CLOSED) {
      return;
    }
    resetFar();
    change(TcpState.CLOSED);
    resend.cancel();
    delayedAck.cancel();
    life.cancel();
    receiver.clear();
    sender.clear();
    shared.dirty.remove(this);
    shared.stalled.remove(this);
    whenClosed.accept(this);
  }

  private void change(TcpState next) {
    if (state.isOpening() && !next.isOpening()) {
      shared.halfOpen--;
    }
    state = next;
  }
}
