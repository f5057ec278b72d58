package parhelion.backends;

/**
 * A page that a guest shares with a backend, as mapped by the backend.
 *
 * <p>Offsets and lengths are in bytes from the start of the page; a backend only uses ranges that
 * lie inside its ring structure. Everything read may change under the reader and may be hostile.
 *
 * <p>The mapping outlives the guest: until {@link #close} every call succeeds, even once the domain
 * that owned the page is dead (Xen's foreign mappings hold a reference on the frame).
 */
public interface RingMemory extends AutoCloseable {
  /** A little-endian 32-bit load; later accesses of this thread are not moved before it. */
  int loadAcquire(int offset);

  /** A little-endian 32-bit store; earlier accesses of this thread are not moved after it. */
  void storeRelease(int offset, int value);

  /** Copies {@code length} bytes of the page into {@code target}. */
  void read(int offset, byte[] target, int targetOffset, int length);

  /** Copies {@code length} bytes of {@code source} into the page. */
  void write(int offset, byte[] source, int sourceOffset, int length);

  /** Unmaps the page. */
  @Override
  default void close() {}
}
