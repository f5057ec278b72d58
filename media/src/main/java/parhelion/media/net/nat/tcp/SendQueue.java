package parhelion.media.net.nat.tcp;

import java.util.ArrayDeque;
import java.util.Iterator;

/** What has been sent to the guest and is not acknowledged: the frames themselves. */
final class SendQueue {
  /** A part of the stream, in the frame that it was sent in. */
  static final class Sent {
    int seq;
    final byte[] frame;
    int at;
    int length;

    Sent(int seq, byte[] frame, int at, int length) {
      this.seq = seq;
      this.frame = frame;
      this.at = at;
      this.length = length;
    }

    int end() {
      return seq + length;
    }
  }

  private final Budget budget;
  private final ArrayDeque<Sent> sent = new ArrayDeque<>();

  SendQueue(Budget budget) {
    this.budget = budget;
  }

  boolean isEmpty() {
    return sent.isEmpty();
  }

  Sent first() {
    return sent.getFirst();
  }

  Iterator<Sent> iterator() {
    return sent.iterator();
  }

  /** The budget must have been taken. */
  void add(Sent part) {
    sent.add(part);
  }

  /** Drops what is before this number. */
  void acknowledge(int ack) {
    while (!sent.isEmpty()) {
      Sent first = sent.getFirst();
      int acknowledged = Math.min(ack - first.seq, first.length);
      if (acknowledged <= 0) {
        return;
      }
      first.seq += acknowledged;
      first.at += acknowledged;
      first.length -= acknowledged;
      budget.give(acknowledged);
      if (first.length == 0) {
        sent.removeFirst();
      }
    }
  }

  void clear() {
    for (Sent part : sent) {
      budget.give(part.length);
    }
    sent.clear();
  }
}
