package parhelion.backends;

import parhelion.backends.xenbus.XenbusDriver.RefusedException;

/**
 * A guest as the backend of one of its devices sees it: the frames that it grants, the ports that
 * it opens. Whatever numbers come from the guest may be handed in as they are.
 *
 * <p>All methods are for the scheduler's thread (the one that runs {@link Agent}s and xenbus
 * drivers), except {@link #post}.
 */
public interface Frontend {
  /** The guest's domain number. */
  int domid();

  /**
   * Maps a frame that the guest has granted to the backend's domain.
   *
   * @throws RefusedException if it is not granted so
   */
  GrantedPage map(long ref, boolean writable) throws RefusedException;

  /**
   * Copies from a frame that the guest has granted to the backend's domain, without mapping it: for
   * what is used once.
   *
   * @param offset in bytes from the frame's start; at most one frame is copied from
   * @return false if it is not granted so, with nothing copied
   */
  boolean copyFrom(long ref, int offset, byte[] target, int at, int length);

  /**
   * Copies into a frame that the guest has granted to the backend's domain, without mapping it.
   *
   * @param offset in bytes from the frame's start; at most one frame is copied to
   * @return false if it is not granted so, with nothing copied
   */
  boolean copyTo(long ref, int offset, byte[] source, int at, int length);

  /**
   * Binds to a port that the guest has opened for the backend's domain.
   *
   * @param onEvent called on the scheduler's thread, inside the guest's send: it must only make
   *     note
   * @throws RefusedException if it is no such port
   */
  Port bind(long port, Runnable onEvent) throws RefusedException;

  /** Has {@code work} done by the scheduler's thread, between slices. Any thread. */
  void post(Runnable work);

  /**
   * Has {@code work} done once the guest has nothing more to do, and anyway after so long: what a
   * guest asks of a device by an event is served so, together with what it asks for next. In {@code
   * onEvent} of {@link #bind}, and in other work of the scheduler's thread.
   */
  default void defer(Runnable work, long patienceNanos) {
    post(work);
  }
}
