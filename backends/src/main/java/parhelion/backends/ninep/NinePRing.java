package parhelion.backends.ninep;

import java.nio.ByteBuffer;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.jspecify.annotations.Nullable;
import parhelion.abi.Xen9pfsDataIntf;
import parhelion.backends.Frontend;
import parhelion.backends.GrantedPage;
import parhelion.backends.Port;
import parhelion.backends.xenbus.XenbusDriver.RefusedException;
import parhelion.media.share.NinePServer;

/**
 * One ring: a page of indices, and data pages of which one half carries answers and the other
 * requests, messages back to back.
 *
 * <p>Our own indices are kept here and only written to the page; the guest's are read once and
 * checked. A request is copied out before anything in it is looked at. A guest that does not take
 * its answers gets no more requests served, as the server's room is used up.
 */
final class NinePRing implements AutoCloseable {
  private static final int PAGE_SHIFT = 12;
  private static final int PAGE_BYTES = 1 << PAGE_SHIFT;
  private static final int HEADER_BYTES = 7;

  /** How many requests are taken in one turn. */
  private static final int TURN_REQUESTS = 32;

  private final GrantedPage indices;
  private final GrantedPage[] pages;
  private final ByteBuffer[] data;
  private final int halfBytes;
  private final NinePServer server;
  private final NinePCounts counts;
  private final Runnable askForTurn;
  private final Queue<NinePServer.Answer> answers = new ConcurrentLinkedQueue<>();
  private final byte[] header = new byte[HEADER_BYTES];
  private @Nullable Port port;
  private int requestsTaken;
  private int answersGiven;

  private NinePRing(
      GrantedPage indices,
      GrantedPage[] pages,
      NinePServer server,
      NinePCounts counts,
      Runnable askForTurn) {
    this.indices = indices;
    this.pages = pages;
    this.server = server;
    this.counts = counts;
    this.askForTurn = askForTurn;
    halfBytes = pages.length * PAGE_BYTES / 2;
    data = new ByteBuffer[pages.length];
    for (int i = 0; i < pages.length; i++) {
      data[i] = pages[i].buffer(0, PAGE_BYTES);
    }
  }

  /**
   * Maps a ring that a guest has set up.
   *
   * @param askForTurn called by any thread when there may be something to do
   * @throws RefusedException if it is not as it should be, with nothing left mapped
   */
  static NinePRing open(
      Frontend guest,
      long ref,
      long eventChannel,
      NinePServer server,
      NinePCounts counts,
      Runnable askForTurn)
      throws RefusedException {
    GrantedPage indices = guest.map(ref, true);
    GrantedPage[] pages = new GrantedPage[0];
    boolean whole = false;
    try {
      int order = indices.loadAcquire(Xen9pfsDataIntf.RING_ORDER.offset());
      if (order < 0 || order > NinePDriver.MAX_RING_ORDER) {
        throw new RefusedException("a ring of order " + Integer.toUnsignedString(order));
      }
      pages = new GrantedPage[1 << order];
      for (int i = 0; i < pages.length; i++) {
        int dataRef = indices.loadAcquire(Xen9pfsDataIntf.REF.offset() + 4 * i);
        pages[i] = guest.map(Integer.toUnsignedLong(dataRef), true);
      }
      NinePRing ring = new NinePRing(indices, pages, server, counts, askForTurn);
      ring.port = guest.bind(eventChannel, askForTurn);
      whole = true;
      return ring;
    } finally {
      if (!whole) {
        closeAll(indices, pages);
      }
    }
  }

  private static void closeAll(GrantedPage indices, @Nullable GrantedPage[] pages) {
    indices.close();
    for (GrantedPage page : pages) {
      if (page != null) {
        page.close();
      }
    }
  }

  private int queued(int produced, int consumed) throws RefusedException {
    int queued = produced - consumed;
    if (queued < 0 || queued > halfBytes) {
      throw new RefusedException(
          "a ring of " + halfBytes + " bytes cannot hold " + Integer.toUnsignedString(queued));
    }
    return queued;
  }

  /**
   * Takes requests, as many as the server has room for.
   *
   * @return whether there may be more to do at once
   * @throws RefusedException if the guest breaks the ring's rules
   */
  boolean takeRequests() throws RefusedException {
    for (int taken = 0; taken < TURN_REQUESTS; taken++) {
      int produced = indices.loadAcquire(Xen9pfsDataIntf.OUT_PROD.offset());
      int queued = queued(produced, requestsTaken);
      if (queued < HEADER_BYTES || !server.hasRoom()) {
        return false; // an event, or an answer that is given, makes us look again
      }
      copyOut(requestsTaken, ByteBuffer.wrap(header));
      int size = ByteBuffer.wrap(header).order(java.nio.ByteOrder.LITTLE_ENDIAN).getInt(0);
      if (size < HEADER_BYTES || size > Math.min(halfBytes, server.messageBytes())) {
        throw new RefusedException("a message of " + Integer.toUnsignedString(size) + " bytes");
      }
      if (queued < size) {
        return false;
      }
      ByteBuffer message = server.buffer(size);
      message.limit(size);
      copyOut(requestsTaken, message);
      message.flip();
      message.putInt(0, size); // the page's may have changed since
      requestsTaken += size;
      indices.storeRelease(Xen9pfsDataIntf.OUT_CONS.offset(), requestsTaken);
      counts.request(size);
      server.submit(message, this::answered);
    }
    return true;
  }

  /** Any thread. */
  private void answered(NinePServer.Answer answer) {
    answers.add(answer);
    askForTurn.run();
  }

  /**
   * Gives answers, as many as the ring has room for, and tells the guest.
   *
   * @throws RefusedException if the guest breaks the ring's rules
   */
  void giveAnswers() throws RefusedException {
    if (putAnswers() && port != null) {
      counts.event();
      port.notifyGuest();
    }
  }

  private boolean putAnswers() throws RefusedException {
    boolean any = false;
    NinePServer.Answer answer;
    while ((answer = answers.peek()) != null) {
      ByteBuffer message = answer.message();
      int size = message.remaining();
      if (size > halfBytes) {
        throw new RefusedException("an answer of " + size + " bytes is larger than its ring");
      }
      int consumed = indices.loadAcquire(Xen9pfsDataIntf.IN_CONS.offset());
      if (halfBytes - queued(answersGiven, consumed) < size) {
        return any; // the guest says when it has taken some
      }
      copyIn(answersGiven, message);
      answersGiven += size;
      indices.storeRelease(Xen9pfsDataIntf.IN_PROD.offset(), answersGiven);
      counts.answer(size);
      answers.remove();
      answer.done();
      any = true;
    }
    return any;
  }

  /** Fills what remains of a buffer from the requests' half. */
  private void copyOut(int index, ByteBuffer into) {
    int at = index & halfBytes - 1;
    while (into.hasRemaining()) {
      int absolute = halfBytes + at;
      int inPage = absolute & PAGE_BYTES - 1;
      int run = run(at, inPage, into.remaining());
      into.put(into.position(), data[absolute >> PAGE_SHIFT], inPage, run);
      into.position(into.position() + run);
      at = at + run & halfBytes - 1;
    }
  }

  /** Puts what remains of a buffer into the answers' half. */
  private void copyIn(int index, ByteBuffer from) {
    int at = index & halfBytes - 1;
    while (from.hasRemaining()) {
      int inPage = at & PAGE_BYTES - 1;
      int run = run(at, inPage, from.remaining());
      data[at >> PAGE_SHIFT].put(inPage, from, from.position(), run);
      pages[at >> PAGE_SHIFT].written(inPage, run);
      from.position(from.position() + run);
      at = at + run & halfBytes - 1;
    }
  }

  /** How many bytes lie together: in the page, and before the half's end. */
  private int run(int at, int inPage, int wanted) {
    return Math.min(wanted, Math.min(PAGE_BYTES - inPage, halfBytes - at));
  }

  @Override
  public void close() {
    if (port != null) {
      port.close();
    }
    closeAll(indices, pages);
  }
}
