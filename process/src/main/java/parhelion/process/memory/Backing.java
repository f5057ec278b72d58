package parhelion.process.memory;

/**
 * Where the pages of a mapping come from when they are touched, if not from nowhere (zeroes).
 * Counted: each {@link Area} holds one reference.
 */
public interface Backing {
  /**
   * The frame of the page {@code index}, with a reference for the caller, or -1 beyond the end of
   * the file.
   */
  int page(FramePool pool, long index);

  /** True when writers see each other's stores: the frame is written to as it is, not copied. */
  boolean isShared();

  void retain();

  void release(FramePool pool);

  /** What /proc/self/maps shows for it. */
  String name();
}
