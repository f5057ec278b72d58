package parhelion.backends.net;

/** The guest has put into a ring what no frontend may: its device is to be closed. */
final class BrokenRingException extends Exception {
  private static final long serialVersionUID = 1;

  private final String reason;

  BrokenRingException(String reason) {
    super(reason, null, /* enableSuppression= */ false, /* writableStackTrace= */ false);
    this.reason = reason;
  }

  /** What is wrong, without the device's name. */
  String reason() {
    return reason;
  }
}
