package parhelion.pc;

import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * The guest's RAM by physical address, as a device's bus-mastering sees it. A range that is not all
 * RAM, wherever a guest's descriptor points, is refused: reads say null or false and writes do
 * nothing. Writes drop what was decoded from the bytes. Used on the thread that runs the machine,
 * but for {@link #view}'s buffers, which a device's own threads may fill or drain.
 */
public interface GuestMemory {
  boolean contains(long address, long lengthBytes);

  /** A buffer over guest memory itself; null if not all of it is RAM. */
  @Nullable ByteBuffer view(long address, int lengthBytes);

  /** Says that a {@link #view} of this range has been written to. */
  void written(long address, long lengthBytes);

  boolean read(long address, byte[] into, int offset, int lengthBytes);

  boolean write(long address, byte[] from, int offset, int lengthBytes);

  /**
   * Says that the guest does not need whole pages' content any more: the host may have their memory
   * back, and they may read as zeroes or as what was there.
   */
  default void discard(long address, long lengthBytes) {}
}
