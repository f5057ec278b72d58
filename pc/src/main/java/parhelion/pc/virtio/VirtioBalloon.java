package parhelion.pc.virtio;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.BitSet;
import parhelion.pc.Board;

/**
 * A balloon (section 5.5): the guest gives pages up when it is asked to, and the host has their
 * memory meanwhile. A page that the guest takes back reads as anything.
 */
public final class VirtioBalloon implements VirtioDevice {
  private static final int INFLATE = 0;
  private static final int DEFLATE = 1;
  private static final int QUEUE_SIZE = 128;
  private static final long DEFLATE_ON_OOM = 1L << 2;
  private static final int PAGE_BYTES = 4096;
  private static final int PFN_BYTES = 4;

  /** Page numbers in one chain; Linux's array has 256. */
  private static final int MAX_PFNS = 4096;

  private final VirtioPci transport;
  private final BitSet inside = new BitSet();

  /** Pages of the chain at hand. */
  private final BitSet given = new BitSet();

  private int target;
  private int actual;

  /** Of {@link #inside}, for any thread. */
  private volatile int pages;

  private VirtioBalloon(VirtioPci transport) {
    this.transport = transport;
  }

  /** A balloon with its transport. */
  public record Device(VirtioPci transport, VirtioBalloon balloon) {}

  /** An empty balloon. */
  public static Device device(Board board, String name) {
    VirtioBalloon[] made = new VirtioBalloon[1];
    VirtioPci transport =
        new VirtioPci(
            board,
            name,
            itsTransport -> {
              made[0] = new VirtioBalloon(itsTransport);
              return made[0];
            });
    return new Device(transport, made[0]);
  }

  /** Asks the guest to give up so many pages in all. On the machine's thread. */
  public void setTarget(int pages) {
    target = pages;
    transport.configChanged();
  }

  /** How many pages the guest has given up. Any thread. */
  public int pages() {
    return pages;
  }

  @Override
  public VirtioKind kind() {
    return VirtioKind.BALLOON;
  }

  @Override
  public long features() {
    return DEFLATE_ON_OOM;
  }

  @Override
  public int[] queueSizes() {
    return new int[] {QUEUE_SIZE, QUEUE_SIZE};
  }

  @Override
  public byte[] config() {
    return ByteBuffer.allocate(8)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putInt(target)
        .putInt(actual)
        .array();
  }

  @Override
  public void configWritten(int offset, int value) {
    if (offset >= 4 && offset < 8) {
      int shift = 8 * (offset - 4);
      actual = actual & ~(0xff << shift) | value << shift;
    }
  }

  @Override
  public void start(long features) {}

  @Override
  public void stop() {
    inside.clear();
    pages = 0;
    actual = 0;
  }

  @Override
  public void notified(int index) throws BrokenQueueException {
    if (index != INFLATE && index != DEFLATE) {
      return;
    }
    Virtqueue queue = transport.queue(index);
    for (Chain chain = queue.take(); chain != null; chain = queue.take()) {
      long bytes = chain.readableBytes();
      if (bytes % PFN_BYTES != 0 || bytes > MAX_PFNS * PFN_BYTES) {
        throw new BrokenQueueException(bytes + " bytes of page numbers");
      }
      byte[] list = new byte[(int) bytes];
      int unused = chain.read(0, list, 0, list.length);
      ByteBuffer pfns = ByteBuffer.wrap(list).order(ByteOrder.LITTLE_ENDIAN);
      while (pfns.hasRemaining()) {
        move(Integer.toUnsignedLong(pfns.getInt()), index == INFLATE);
      }
      giveUp();
      pages = inside.cardinality();
      queue.give(chain, 0);
    }
    transport.interrupt(index);
  }

  private void move(long pfn, boolean in) throws BrokenQueueException {
    if (!transport.memory().contains(pfn * PAGE_BYTES, PAGE_BYTES)) {
      giveUp();
      throw new BrokenQueueException("page %#x, which is not RAM".formatted(pfn));
    }
    inside.set((int) pfn, in);
    given.set((int) pfn, in);
  }

  /** The host gets what was given since the last time, in as few pieces as there are. */
  private void giveUp() {
    for (int from = given.nextSetBit(0); from >= 0; ) {
      int to = given.nextClearBit(from);
      transport.memory().discard((long) from * PAGE_BYTES, (long) (to - from) * PAGE_BYTES);
      from = given.nextSetBit(to);
    }
    given.clear();
  }
}
