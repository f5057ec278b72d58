package parhelion.backends.xenstore;

import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import parhelion.abi.XenstoreDomainInterface;
import parhelion.abi.XenstoreWire;
import parhelion.backends.Port;
import parhelion.backends.RingMemory;

/**
 * A domain's connection: {@code struct xenstore_domain_interface}, two byte queues in one page, and
 * an event channel.
 *
 * <p>Everything in the page is the guest's to spoil. Indexes are read once and checked; wrong ones,
 * or a message that is longer than the protocol allows, end the conversation with a code in the
 * page's {@code error} field, until the guest asks for a reconnection or dom0 introduces the domain
 * anew. A guest that does not take its replies is not read from (quota {@code outstanding}), and
 * events that it does not take are dropped once it is over its memory quota.
 *
 * <p>{@link #signal} may be called by any thread; all else is guarded by the daemon's lock.
 */
public final class XenstoreRing extends Connection {
  /** A message on its way to the guest; {@code event} is null for replies. */
  private record Outgoing(byte[] bytes, @Nullable String event) {}

  private final RingMemory memory;
  private final Port port;
  private final StoreTree store;
  private final Domains domains;
  private final Runnable onSignal;
  private final AtomicBoolean queuedForService = new AtomicBoolean();

  private final byte[] header = new byte[XsMessage.HEADER_BYTES];
  private byte @Nullable [] payload;
  private int received;

  private final Deque<Outgoing> out = new ArrayDeque<>();
  private final Set<String> pendingEvents = new HashSet<>();
  private int sentOfFirst;
  private int unreadReplies;
  private long queuedBytes;

  private int failedWith;
  private boolean closed;
  private boolean moved;

  XenstoreRing(
      StoreDomain domain,
      RingMemory memory,
      Port port,
      StoreTree store,
      Domains domains,
      Consumer<XenstoreRing> onSignal) {
    super(domain);
    this.memory = memory;
    this.port = port;
    this.store = store;
    this.domains = domains;
    this.onSignal = () -> onSignal.accept(this);
  }

  /**
   * Tells the daemon that the guest raised its event. To be called by the hypervisor on the guest's
   * {@code EVTCHNOP_send}; returns at once and takes no lock.
   */
  public void signal() {
    onSignal.run();
  }

  AtomicBoolean queuedForService() {
    return queuedForService;
  }

  Port port() {
    return port;
  }

  /** Releases page and port; called without the daemon's lock. */
  void closeLink() {
    port.close();
    memory.close();
  }

  boolean closed() {
    return closed;
  }

  // Lifecycle

  /** Starts a new conversation: nothing pending, nothing open, indexes zero. */
  void reset() {
    forgetConversation();
    domains.closeEverything(this);
    failedWith = XenstoreWire.ERROR_NONE;
    memory.storeRelease(XenstoreDomainInterface.REQ_CONS.offset(), 0);
    memory.storeRelease(XenstoreDomainInterface.REQ_PROD.offset(), 0);
    memory.storeRelease(XenstoreDomainInterface.RSP_CONS.offset(), 0);
    memory.storeRelease(XenstoreDomainInterface.RSP_PROD.offset(), 0);
    memory.storeRelease(XenstoreDomainInterface.ERROR.offset(), XenstoreWire.ERROR_NONE);
    memory.storeRelease(XenstoreDomainInterface.CONNECTION.offset(), XenstoreWire.CONNECTED);
    moved = true;
  }

  void advertise() {
    memory.storeRelease(XenstoreDomainInterface.SERVER_FEATURES.offset(), domain().features());
  }

  /** Ends the conversation for good; page and port are released by {@link #closeLink}. */
  void disconnect() {
    closed = true;
    forgetConversation();
  }

  private void forgetConversation() {
    payload = null;
    received = 0;
    out.clear();
    pendingEvents.clear();
    sentOfFirst = 0;
    unreadReplies = 0;
    queuedBytes = 0;
  }

  private void fail(int error) {
    forgetConversation();
    domains.closeEverything(this);
    failedWith = error;
    if (domain().offers(XenstoreWire.SERVER_FEATURE_ERROR)) {
      memory.storeRelease(XenstoreDomainInterface.ERROR.offset(), error);
    }
    moved = true;
  }

  // Service

  /**
   * Moves bytes in both directions and has at most {@code budget} requests answered.
   *
   * @return whether the budget was used up: there may be more to do
   */
  boolean pump(Requests requests, int budget) {
    if (closed) {
      return false;
    }
    if (domain().offers(XenstoreWire.SERVER_FEATURE_RECONNECTION)
        && memory.loadAcquire(XenstoreDomainInterface.CONNECTION.offset())
            == XenstoreWire.RECONNECT) {
      reset();
    }
    int answered = 0;
    send();
    while (answered < budget && !over(Quota.OUTSTANDING, unreadReplies + 1L)) {
      XsMessage request = receive();
      if (request == null) {
        return false;
      }
      requests.process(this, request);
      answered++;
      send();
    }
    return answered == budget;
  }

  /** Whether the ring changed since the last call: then the guest wants to know. */
  boolean takeMoved() {
    boolean was = moved;
    moved = false;
    return was;
  }

  /** Reads on; null if no whole request is there yet. */
  private @Nullable XsMessage receive() {
    while (failedWith == XenstoreWire.ERROR_NONE && !closed) {
      byte[] body = payload;
      if (body == null) {
        if (!fill(header)) {
          return null;
        }
        int length = XsMessage.payloadLength(header);
        if (length < 0 || length > XenstoreWire.PAYLOAD_MAX) {
          fail(XenstoreWire.ERROR_PROTO);
          return null;
        }
        payload = new byte[length];
        received = 0;
      } else {
        if (!fill(body)) {
          return null;
        }
        payload = null;
        received = 0;
        return XsMessage.decode(header, body);
      }
    }
    return null;
  }

  /** Takes what the ring has of {@code target}; true once it is complete. */
  private boolean fill(byte[] target) {
    if (received == target.length) {
      return true;
    }
    int cons = memory.loadAcquire(XenstoreDomainInterface.REQ_CONS.offset());
    int available = memory.loadAcquire(XenstoreDomainInterface.REQ_PROD.offset()) - cons;
    if (Integer.compareUnsigned(available, XenstoreWire.RING_SIZE) > 0) {
      fail(XenstoreWire.ERROR_RINGIDX);
      return false;
    }
    int count = Math.min(available, target.length - received);
    if (count > 0) {
      int at = cons & (XenstoreWire.RING_SIZE - 1);
      int first = Math.min(count, XenstoreWire.RING_SIZE - at);
      memory.read(XenstoreDomainInterface.REQ.offset() + at, target, received, first);
      memory.read(XenstoreDomainInterface.REQ.offset(), target, received + first, count - first);
      memory.storeRelease(XenstoreDomainInterface.REQ_CONS.offset(), cons + count);
      received += count;
      moved = true;
    }
    return received == target.length;
  }

  /** Writes what the ring has room for. */
  private void send() {
    while (failedWith == XenstoreWire.ERROR_NONE && !closed && !out.isEmpty()) {
      int cons = memory.loadAcquire(XenstoreDomainInterface.RSP_CONS.offset());
      int prod = memory.loadAcquire(XenstoreDomainInterface.RSP_PROD.offset());
      int used = prod - cons;
      if (Integer.compareUnsigned(used, XenstoreWire.RING_SIZE) > 0) {
        fail(XenstoreWire.ERROR_RINGIDX);
        return;
      }
      Outgoing message = out.element();
      byte[] bytes = message.bytes();
      int count = Math.min(XenstoreWire.RING_SIZE - used, bytes.length - sentOfFirst);
      if (count == 0) {
        return;
      }
      int at = prod & (XenstoreWire.RING_SIZE - 1);
      int first = Math.min(count, XenstoreWire.RING_SIZE - at);
      memory.write(XenstoreDomainInterface.RSP.offset() + at, bytes, sentOfFirst, first);
      memory.write(XenstoreDomainInterface.RSP.offset(), bytes, sentOfFirst + first, count - first);
      memory.storeRelease(XenstoreDomainInterface.RSP_PROD.offset(), prod + count);
      moved = true;
      sentOfFirst += count;
      if (message.event() != null) {
        pendingEvents.remove(message.event());
      }
      if (sentOfFirst == bytes.length) {
        out.remove();
        sentOfFirst = 0;
        queuedBytes -= bytes.length;
        if (message.event() == null) {
          unreadReplies--;
        }
      }
    }
  }

  // What the daemon has to say

  void reply(int type, XsMessage request, byte[] content) {
    if (closed || failedWith != XenstoreWire.ERROR_NONE) {
      return;
    }
    enqueue(new XsMessage(type, request.reqId(), request.txId(), content).encode(), null);
    unreadReplies++;
  }

  @Override
  void event(String path, String token) {
    byte[] content = Args.bytes(path + '\0' + token + '\0');
    if (closed
        || failedWith != XenstoreWire.ERROR_NONE
        || content.length > XenstoreWire.PAYLOAD_MAX) {
      return;
    }
    boolean special = StorePath.isSpecial(path);
    String key = path + '\0' + token;
    if (!special && pendingEvents.contains(key)) {
      return;
    }
    long held = store.usage(domid()).bytes() + heldBytes();
    if (over(Quota.MEMORY, held + content.length + XsMessage.HEADER_BYTES)) {
      return;
    }
    if (!special) {
      pendingEvents.add(key);
    }
    enqueue(new XsMessage(XsOp.WATCH_EVENT.nr(), 0, 0, content).encode(), special ? "" : key);
    signal();
  }

  private void enqueue(byte[] bytes, @Nullable String event) {
    out.add(new Outgoing(bytes, event));
    queuedBytes += bytes.length;
  }

  @Override
  long queuedBytes() {
    return queuedBytes;
  }

  // State

  XenstoreState.Domain save() {
    List<byte[]> unsent = new ArrayList<>();
    for (Outgoing message : out) {
      unsent.add(message.bytes().clone());
    }
    if (sentOfFirst > 0) {
      byte[] first = unsent.getFirst();
      unsent.set(0, Arrays.copyOfRange(first, sentOfFirst, first.length));
    }
    List<XenstoreState.WatchState> saved = new ArrayList<>();
    for (Watch watch : watches()) {
      saved.add(
          new XenstoreState.WatchState(
              watch.path(), watch.token(), watch.depth(), watch.prefixLength() > 0));
    }
    return new XenstoreState.Domain(
        domid(),
        domain().features(),
        domain().limits().save(),
        domain().shutdown(),
        /* introduced= */ true,
        targetDomid(),
        failedWith,
        unread(),
        unsent,
        saved,
        List.copyOf(transactions().keySet()));
  }

  private byte[] unread() {
    byte[] body = payload;
    if (body == null) {
      return Arrays.copyOf(header, received);
    }
    byte[] both = Arrays.copyOf(header, header.length + received);
    System.arraycopy(body, 0, both, header.length, received);
    return both;
  }

  void restore(XenstoreState.Domain saved, Watches watches) {
    setTargetDomid(saved.targetDomid());
    failedWith = saved.failedWith();
    restoreUnread(saved.unread());
    for (byte[] message : saved.unsent()) {
      // A rest of a message counts as a reply: it must not be merged with an event.
      boolean event =
          message.length >= XsMessage.HEADER_BYTES
              && XsMessage.payloadLength(message) == message.length - XsMessage.HEADER_BYTES
              && XsMessage.decode(message, new byte[0]).type() == XsOp.WATCH_EVENT.nr();
      enqueue(message.clone(), event ? restoreEvent(message) : null);
      if (!event) {
        unreadReplies++;
      }
    }
    for (XenstoreState.WatchState watch : saved.watches()) {
      watches.add(this, watch.path(), watch.token(), watch.depth(), watch.relative());
    }
    for (int id : saved.transactions()) {
      restoreTransaction(id, store);
    }
  }

  private String restoreEvent(byte[] message) {
    int end = message.length - 1;
    int length = Math.max(0, end - XsMessage.HEADER_BYTES);
    String key = new String(message, XsMessage.HEADER_BYTES, length, StandardCharsets.ISO_8859_1);
    if (StorePath.isSpecial(key)) {
      return "";
    }
    pendingEvents.add(key);
    return key;
  }

  private void restoreUnread(byte[] unread) {
    int ofHeader = Math.min(unread.length, header.length);
    System.arraycopy(unread, 0, header, 0, ofHeader);
    received = ofHeader;
    int length = ofHeader == header.length ? XsMessage.payloadLength(header) : -1;
    if (length >= 0 && length <= XenstoreWire.PAYLOAD_MAX) {
      byte[] body = new byte[length];
      received = Math.min(unread.length - header.length, length);
      System.arraycopy(unread, header.length, body, 0, received);
      payload = body;
    }
  }

  @Override
  public String toString() {
    return "xenstore connection of domain " + domid();
  }
}
