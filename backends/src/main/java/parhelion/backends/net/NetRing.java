package parhelion.backends.net;

import java.lang.invoke.VarHandle;
import parhelion.abi.Bytes;
import parhelion.abi.NetifSring;
import parhelion.backends.GrantedPage;

/**
 * The backend's view of one ring of a network device: a page of entries that requests arrive in and
 * responses go back in, in the same order. Each request is copied out once, by {@link #read}.
 * Scheduler's thread only.
 */
final class NetRing implements AutoCloseable {
  /** Entries of both rings: a power of two that fits into a page. */
  static final int ENTRIES = 256;

  private final GrantedPage page;
  private final int entryBytes;
  private final byte[] scratch;
  private final Bytes entry;

  /** Requests taken, and responses written and published, since ever. */
  private int consumed;

  private int responded;
  private int published;

  /**
   * A ring that goes on where the responses in it end.
   *
   * @param entryBytes of a request; responses have no more
   * @throws BrokenRingException if more requests stand in it than it has room for
   */
  NetRing(GrantedPage page, int entryBytes) throws BrokenRingException {
    this.page = page;
    this.entryBytes = entryBytes;
    scratch = new byte[entryBytes];
    entry = Bytes.of(scratch);
    published = page.loadAcquire(NetifSring.RSP_PROD.offset());
    responded = published;
    consumed = published;
    int unused = available();
  }

  /** Requests that were not taken yet. */
  int available() throws BrokenRingException {
    int produced = page.loadAcquire(NetifSring.REQ_PROD.offset());
    int available = produced - consumed;
    if (available < 0 || available > ENTRIES - (consumed - responded)) {
      throw new BrokenRingException(
          "%d requests in a ring of %d".formatted(produced - responded & 0xffff_ffffL, ENTRIES));
    }
    return available;
  }

  /**
   * Requests that were not taken yet, at least so many or with an event to follow when they are.
   */
  int availableOrEvent(int wanted) throws BrokenRingException {
    int available = available();
    if (available >= wanted) {
      return available;
    }
    page.storeRelease(NetifSring.REQ_EVENT.offset(), consumed + wanted);
    VarHandle.fullFence();
    return available();
  }

  /** The request {@code ahead} of those taken, by value until the next call. */
  Bytes read(int ahead) {
    page.read(at(consumed + ahead), scratch, 0, entryBytes);
    return entry;
  }

  /** Takes so many requests; each needs a response. */
  void consume(int requests) {
    consumed += requests;
  }

  /** Writes the next response, which the guest sees with {@link #publish}. */
  void respond(byte[] response) {
    page.write(at(responded++), response, 0, response.length);
  }

  /** Shows the guest all responses; whether it wants an event for them. */
  boolean publish() {
    if (published == responded) {
      return false;
    }
    int before = published;
    published = responded;
    page.storeRelease(NetifSring.RSP_PROD.offset(), published);
    VarHandle.fullFence();
    int event = page.loadAcquire(NetifSring.RSP_EVENT.offset());
    return Integer.compareUnsigned(published - event, published - before) < 0;
  }

  private int at(int index) {
    return NetifSring.RING.offset() + (index & ENTRIES - 1) * entryBytes;
  }

  @Override
  public void close() {
    page.close();
  }
}
