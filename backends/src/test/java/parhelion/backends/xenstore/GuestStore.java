package parhelion.backends.xenstore;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;
import parhelion.abi.XenstoreDomainInterface;
import parhelion.abi.XenstoreWire;
import parhelion.backends.CountingPort;
import parhelion.backends.HeapRing;

/** A guest's side of the store's ring, for tests: sends requests, collects replies and events. */
final class GuestStore {
  final HeapRing page = new HeapRing();
  final CountingPort port = new CountingPort();
  final Deque<String> events = new ArrayDeque<>();
  private XenstoreDaemon daemon;
  private XenstoreRing ring;
  private final ByteArrayOutputStream incoming = new ByteArrayOutputStream();
  private int nextReqId = 1;

  GuestStore(XenstoreDaemon daemon, int domid) {
    this.daemon = daemon;
    ring = daemon.introduce(domid, page, port);
    daemon.runAll();
  }

  /** Goes on with the same page at another daemon. */
  void moveTo(XenstoreDaemon next, XenstoreRing connection) {
    daemon = next;
    ring = connection;
  }

  /** Puts bytes into the request ring, as far as they fit; returns how many did. */
  int push(byte[] bytes) {
    int cons = page.loadAcquire(XenstoreDomainInterface.REQ_CONS.offset());
    int prod = page.loadAcquire(XenstoreDomainInterface.REQ_PROD.offset());
    int count = Math.min(bytes.length, XenstoreWire.RING_SIZE - (prod - cons));
    for (int i = 0; i < count; i++) {
      page.write(
          XenstoreDomainInterface.REQ.offset() + ((prod + i) & (XenstoreWire.RING_SIZE - 1)),
          bytes,
          i,
          1);
    }
    page.storeRelease(XenstoreDomainInterface.REQ_PROD.offset(), prod + count);
    return count;
  }

  void signal() {
    ring.signal();
  }

  /** Takes all bytes out of the response ring; returns how many there were. */
  int pull() {
    return pull(XenstoreWire.RING_SIZE);
  }

  /** Takes so many bytes at most. */
  int pull(int most) {
    int cons = page.loadAcquire(XenstoreDomainInterface.RSP_CONS.offset());
    int prod = page.loadAcquire(XenstoreDomainInterface.RSP_PROD.offset());
    byte[] one = new byte[1];
    int count = Math.min(most, prod - cons);
    for (int end = cons + count; cons != end; ) {
      page.read(
          XenstoreDomainInterface.RSP.offset() + (cons & (XenstoreWire.RING_SIZE - 1)), one, 0, 1);
      incoming.write(one[0]);
      cons++;
    }
    page.storeRelease(XenstoreDomainInterface.RSP_CONS.offset(), cons);
    return count;
  }

  /** The next whole message that came in, or null. */
  @Nullable XsMessage next() {
    byte[] all = incoming.toByteArray();
    if (all.length < XsMessage.HEADER_BYTES) {
      return null;
    }
    int end = XsMessage.HEADER_BYTES + XsMessage.payloadLength(all);
    if (all.length < end) {
      return null;
    }
    incoming.reset();
    incoming.write(all, end, all.length - end);
    return XsMessage.decode(all, Arrays.copyOfRange(all, XsMessage.HEADER_BYTES, end));
  }

  /** Runs the daemon and takes what it says until it has nothing more to say. */
  List<XsMessage> exchange() {
    List<XsMessage> messages = new ArrayList<>();
    for (int idle = 0; idle < 2; idle++) {
      signal();
      daemon.runAll();
      if (pull() > 0) {
        idle = 0;
      }
      for (XsMessage message = next(); message != null; message = next()) {
        if (message.type() == XsOp.WATCH_EVENT.nr()) {
          events.add(text(message).replace('\0', ' ').strip());
        } else {
          messages.add(message);
        }
      }
    }
    return messages;
  }

  /** Sends a request of any length piece by piece and returns its reply. */
  XsMessage call(int type, int txId, byte[] payload) {
    int reqId = nextReqId++;
    byte[] bytes = new XsMessage(type, reqId, txId, payload).encode();
    List<XsMessage> replies = new ArrayList<>();
    for (int sent = 0; sent < bytes.length; ) {
      sent += push(Arrays.copyOfRange(bytes, sent, bytes.length));
      replies.addAll(exchange());
    }
    if (replies.size() != 1 || replies.get(0).reqId() != reqId) {
      throw new AssertionError("replies " + replies);
    }
    return replies.get(0);
  }

  /** A request with a textual payload, {@code |} standing for NUL; the reply in the same way. */
  String ask(XsOp op, int txId, String payload) {
    XsMessage reply =
        call(op.nr(), txId, payload.replace('|', '\0').getBytes(StandardCharsets.ISO_8859_1));
    String text = text(reply).replace('\0', '|');
    if (reply.type() != op.nr() && reply.type() != XsOp.ERROR.nr()) {
      throw new AssertionError("reply of type " + reply.type());
    }
    return text;
  }

  String ask(XsOp op, String payload) {
    return ask(op, 0, payload);
  }

  static String text(XsMessage message) {
    return new String(message.payload(), StandardCharsets.ISO_8859_1);
  }

  /** All events since the last call. */
  List<String> takeEvents() {
    exchange();
    List<String> taken = List.copyOf(events);
    events.clear();
    return taken;
  }
}
