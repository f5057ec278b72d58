package parhelion.pc.virtio;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import parhelion.pc.GuestMemory;

/**
 * A split virtqueue (section 2.7) as the device sees it: a table of descriptors, a ring of what is
 * available and a ring of what was used, in the guest's memory. Indirect descriptors, and event
 * indices where the driver takes them.
 *
 * <p>The guest does not run while a device looks at its queue, so there is no race to be lost
 * between asking for a notification and looking again.
 */
final class Virtqueue {
  /** Where a queue has no vector. */
  static final int NO_VECTOR = 0xffff;

  private static final int DESCRIPTOR_BYTES = 16;
  private static final int FLAG_NEXT = 1;
  private static final int FLAG_WRITE = 2;
  private static final int FLAG_INDIRECT = 4;
  private static final int AVAIL_NO_INTERRUPT = 1;
  private static final int RING = 4;

  /** The most descriptors of an indirect table; Linux makes tables of up to 256 or so. */
  private static final int MAX_INDIRECT = 1024;

  final int maxSize;
  int size;
  int vector = NO_VECTOR;
  long descriptors;
  long available;
  long used;
  private final GuestMemory memory;
  private boolean enabled;
  private boolean eventIndex;
  private @Nullable ByteBuffer table;
  private @Nullable ByteBuffer availableRing;
  private @Nullable ByteBuffer usedRing;

  /** The next available entry to be taken, and the next used one to be given: modulo 65536. */
  private int taken;

  private int given;

  /** What {@link #given} was when the driver was last asked whether it wants an interrupt. */
  private int told;

  Virtqueue(GuestMemory memory, int maxSize) {
    this.memory = memory;
    this.maxSize = maxSize;
    size = maxSize;
  }

  boolean isEnabled() {
    return enabled;
  }

  void reset() {
    enabled = false;
    size = maxSize;
    vector = NO_VECTOR;
    descriptors = 0;
    available = 0;
    used = 0;
    table = null;
    availableRing = null;
    usedRing = null;
    taken = 0;
    given = 0;
    told = 0;
  }

  /**
   * Looks at where the driver has put the queue's three parts.
   *
   * @throws BrokenQueueException if they are not aligned, or not RAM
   */
  void enable(boolean withEventIndex) throws BrokenQueueException {
    if (Integer.bitCount(size) != 1 || size > maxSize) {
      throw new BrokenQueueException("a queue of " + size);
    }
    if ((descriptors & 15) != 0 || (available & 1) != 0 || (used & 3) != 0) {
      throw new BrokenQueueException("a queue that is not aligned");
    }
    table = view(descriptors, size * DESCRIPTOR_BYTES);
    availableRing = view(available, RING + 2 * size + (withEventIndex ? 2 : 0));
    usedRing = view(used, RING + 8 * size + (withEventIndex ? 2 : 0));
    eventIndex = withEventIndex;
    enabled = true;
  }

  private ByteBuffer view(long address, int lengthBytes) throws BrokenQueueException {
    ByteBuffer view = memory.view(address, lengthBytes);
    if (view == null) {
      throw new BrokenQueueException("a queue at %#x, which is not RAM".formatted(address));
    }
    return view.duplicate().order(ByteOrder.LITTLE_ENDIAN);
  }

  /** How many chains the driver has made available. */
  int waiting() throws BrokenQueueException {
    ByteBuffer ring = Objects.requireNonNull(availableRing);
    int waiting = ring.getShort(2) - taken & 0xffff;
    if (waiting > size) {
      throw new BrokenQueueException("a queue of " + size + " with " + waiting + " available");
    }
    return waiting;
  }

  /** The next chain, or null; asks to be notified of more when there is none. */
  @Nullable Chain take() throws BrokenQueueException {
    if (waiting() == 0) {
      askForNotification();
      return null;
    }
    ByteBuffer ring = Objects.requireNonNull(availableRing);
    int head = ring.getShort(RING + 2 * (taken & size - 1)) & 0xffff;
    Chain chain = new Chain(head);
    gather(chain, Objects.requireNonNull(table), size, head, true);
    taken = taken + 1 & 0xffff;
    return chain;
  }

  /** Puts back the last chains that were taken, of which nothing was given. */
  void putBack(int chains) {
    taken = taken - chains & 0xffff;
  }

  private void askForNotification() {
    if (eventIndex) {
      putUsed16(RING + 8 * size, taken);
    }
  }

  private void putUsed16(int offset, int value) {
    Objects.requireNonNull(usedRing).putShort(offset, (short) value);
    memory.written(used + offset, 2);
  }

  /** Follows descriptors from one on; each of a table at most once, by their number. */
  private void gather(Chain chain, ByteBuffer from, int count, int first, boolean outer)
      throws BrokenQueueException {
    int index = first;
    for (int steps = 0; ; steps++) {
      if (index >= count) {
        throw new BrokenQueueException("descriptor " + index + " of " + count);
      }
      if (steps == count) {
        throw new BrokenQueueException("a loop of descriptors");
      }
      int at = index * DESCRIPTOR_BYTES;
      long address = from.getLong(at);
      int length = from.getInt(at + 8);
      int flags = from.getShort(at + 12);
      int next = from.getShort(at + 14) & 0xffff;
      if ((flags & FLAG_INDIRECT) != 0) {
        if (!outer || (flags & FLAG_NEXT) != 0) {
          throw new BrokenQueueException("an indirect descriptor that is not alone");
        }
        indirect(chain, address, length);
      } else {
        chain.add(memory, address, length, (flags & FLAG_WRITE) != 0);
      }
      if ((flags & FLAG_NEXT) == 0) {
        return;
      }
      index = next;
    }
  }

  private void indirect(Chain chain, long address, int lengthBytes) throws BrokenQueueException {
    int count = lengthBytes / DESCRIPTOR_BYTES;
    if (lengthBytes <= 0 || lengthBytes % DESCRIPTOR_BYTES != 0 || count > MAX_INDIRECT) {
      throw new BrokenQueueException(
          "an indirect table of " + Integer.toUnsignedString(lengthBytes) + " bytes");
    }
    gather(chain, view(address, lengthBytes), count, 0, false);
  }

  /** Gives a chain back, of which the device has written the first so many bytes. */
  void give(Chain chain, long writtenBytes) {
    chain.written(memory, writtenBytes);
    ByteBuffer ring = usedRing;
    if (ring == null) {
      return;
    }
    int at = RING + 8 * (given & size - 1);
    ring.putInt(at, chain.head);
    ring.putInt(at + 4, (int) writtenBytes);
    memory.written(used + at, 8);
    given = given + 1 & 0xffff;
    putUsed16(2, given);
  }

  /** Whether the driver wants an interrupt for what was given since this was last asked. */
  boolean wantsInterrupt() {
    if (given == told) {
      return false;
    }
    int before = told;
    told = given;
    ByteBuffer ring = Objects.requireNonNull(availableRing);
    if (!eventIndex) {
      return (ring.getShort(0) & AVAIL_NO_INTERRUPT) == 0;
    }
    int event = ring.getShort(RING + 2 * size) & 0xffff;
    return (given - event - 1 & 0xffff) < (given - before & 0xffff);
  }
}
