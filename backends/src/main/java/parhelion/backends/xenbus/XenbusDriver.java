package parhelion.backends.xenbus;

import java.util.Map;

/**
 * What a kind of device does at the turns of its {@link XenbusDevice}'s life. Called by the thread
 * that runs the store's watch callbacks, one call at a time per device.
 */
public interface XenbusDriver {
  /**
   * The frontend's half may be written now: features, sizes, addresses, in the backend's directory.
   */
  void offer(XenbusDevice device);

  /**
   * The frontend has published its rings and event channels: read them from its directory, check
   * them (they are the guest's words), and start serving.
   *
   * @throws RefusedException if they are no good: the device is closed with that message
   */
  void connect(XenbusDevice device) throws RefusedException;

  /** Stop serving and let go of the rings. Only called after a successful {@link #connect}. */
  void disconnect(XenbusDevice device);

  /**
   * The device is gone for good, and {@link #disconnect} has been called if it had to be: let go of
   * what is behind it.
   */
  default void removed() {}

  /**
   * What the device has done, for people and for programs: counts by name, in the order to be
   * shown. Any thread.
   */
  default Map<String, Long> counts() {
    return Map.of();
  }

  /** A frontend whose directory does not make sense. */
  final class RefusedException extends Exception {
    private static final long serialVersionUID = 1;

    private final String reason;

    public RefusedException(String reason) {
      super(reason, null, /* enableSuppression= */ false, /* writableStackTrace= */ false);
      this.reason = reason;
    }

    /** One line that names the device and what is wrong with it. */
    public String reason() {
      return reason;
    }
  }
}
