package parhelion.backends.xenstore;

/**
 * A store request that cannot be granted. Guests see {@link #errno} as an ERROR reply; callers of
 * {@link XenstoreClient} get the exception. Stackless: a guest can cause any number of them.
 */
public final class XsException extends RuntimeException {
  private static final long serialVersionUID = 1;

  private final XsErrno errno;

  XsException(XsErrno errno, String what) {
    super(
        "xenstore: " + what + ": " + errno.meaning() + " (" + errno + ")",
        null,
        /* enableSuppression= */ false,
        /* writableStackTrace= */ false);
    this.errno = errno;
  }

  /** The error as it goes over the wire. */
  public XsErrno errno() {
    return errno;
  }
}
