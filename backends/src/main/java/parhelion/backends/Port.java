package parhelion.backends;

/**
 * The backend's end of an interdomain event channel.
 *
 * <p>The other direction (the guest's {@code EVTCHNOP_send}) is a call of the backend's {@code
 * signal} method by the hypervisor.
 */
public interface Port extends AutoCloseable {
  /**
   * Raises the event at the guest. Does nothing once the guest has closed its end or is dead.
   * Called without any of the backends' locks held.
   */
  void notifyGuest();

  /** Unbinds this end. */
  @Override
  default void close() {}
}
