package parhelion.backends.block;

import java.util.ArrayList;
import java.util.List;
import parhelion.abi.BlkifArgs.BlkifRequest;
import parhelion.abi.BlkifArgs.BlkifResponse;
import parhelion.abi.BlkifArgs.BlkifSring;
import parhelion.abi.Bytes;
import parhelion.backends.Frontend;
import parhelion.backends.GrantedPage;
import parhelion.backends.xenbus.XenbusDriver.RefusedException;

/**
 * The shared ring of a block device, in one granted page or several ({@code io/ring.h}): the
 * backend's indices are here and never read back from the guest. Indices run free and wrap at 2^32.
 */
final class BlockRing implements AutoCloseable {
  private static final int PAGE_BYTES = 4096;
  private static final int RESPONSE_BYTES = 12;

  private final List<GrantedPage> pages;

  /** How much lower than on x86-64 a request's fields are, from {@code id} on. */
  private final int shift;

  private final int slotBytes;
  private final int entries;
  private final byte[] response = new byte[RESPONSE_BYTES];
  private int requestConsumer;
  private int responseProducer;
  private int published;

  private BlockRing(List<GrantedPage> pages, boolean narrow) {
    this.pages = pages;
    shift = narrow ? 4 : 0;
    slotBytes = BlkifRequest.STRUCT.size() - shift;
    entries =
        Integer.highestOneBit((pages.size() * PAGE_BYTES - BlkifSring.STRUCT.size()) / slotBytes);
    // As Xen's backend attaches: a frontend may hand over a ring that has been in use.
    responseProducer = pages.getFirst().loadAcquire(BlkifSring.RSP_PROD.offset());
    requestConsumer = responseProducer;
    published = responseProducer;
  }

  /**
   * Maps a ring.
   *
   * @param refs of its pages, a power of two of them
   * @param narrow whether the guest lays it out as 32-bit x86 does
   */
  static BlockRing map(Frontend guest, List<Long> refs, boolean narrow) throws RefusedException {
    List<GrantedPage> pages = new ArrayList<>();
    boolean done = false;
    try {
      for (long ref : refs) {
        pages.add(guest.map(ref, true));
      }
      done = true;
      return new BlockRing(List.copyOf(pages), narrow);
    } finally {
      if (!done) {
        pages.forEach(GrantedPage::close);
      }
    }
  }

  int entries() {
    return entries;
  }

  int shift() {
    return shift;
  }

  int slotBytes() {
    return slotBytes;
  }

  /**
   * How many requests wait.
   *
   * @return -1 if the guest's producer is where it cannot be: more requests than the ring has room
   *     for beside those that have no answer yet
   */
  int waiting() {
    int producer = pages.getFirst().loadAcquire(BlkifSring.REQ_PROD.offset());
    int waiting = producer - requestConsumer;
    int unanswered = requestConsumer - responseProducer;
    return Integer.compareUnsigned(waiting, entries - unanswered) > 0 ? -1 : waiting;
  }

  /** Copies the next request out of the ring, once, and takes it. */
  void take(byte[] slot) {
    copy(slotOffset(requestConsumer), slot, slotBytes, false);
    requestConsumer++;
  }

  /** Asks for an event with the next request; look again with {@link #waiting} afterwards. */
  void askForEvent() {
    pages.getFirst().storeRelease(BlkifSring.REQ_EVENT.offset(), requestConsumer + 1);
    java.lang.invoke.VarHandle.fullFence();
  }

  /** Writes an answer; the guest sees it after {@link #publish}. */
  void answer(long id, int operation, int status) {
    Bytes bytes = Bytes.of(response);
    BlkifResponse.ID.put(bytes, 0, id);
    BlkifResponse.OPERATION.put(bytes, 0, operation);
    BlkifResponse.STATUS.put(bytes, 0, status);
    copy(slotOffset(responseProducer), response, RESPONSE_BYTES, true);
    responseProducer++;
  }

  /** Shows the answers to the guest; whether it wants an event for them. */
  boolean publish() {
    if (published == responseProducer) {
      return false;
    }
    GrantedPage head = pages.getFirst();
    head.storeRelease(BlkifSring.RSP_PROD.offset(), responseProducer);
    java.lang.invoke.VarHandle.fullFence();
    int wanted = head.loadAcquire(BlkifSring.RSP_EVENT.offset());
    int old = published;
    published = responseProducer;
    return Integer.compareUnsigned(responseProducer - wanted, responseProducer - old) < 0;
  }

  private int slotOffset(int index) {
    return BlkifSring.RING.offset() + (index & (entries - 1)) * slotBytes;
  }

  /** A slot may lie across two pages. */
  private void copy(int offset, byte[] bytes, int length, boolean toRing) {
    for (int done = 0; done < length; ) {
      int within = (offset + done) % PAGE_BYTES;
      int part = Math.min(length - done, PAGE_BYTES - within);
      GrantedPage page = pages.get((offset + done) / PAGE_BYTES);
      if (toRing) {
        page.write(within, bytes, done, part);
      } else {
        page.read(within, bytes, done, part);
      }
      done += part;
    }
  }

  @Override
  public void close() {
    pages.forEach(GrantedPage::close);
  }
}
