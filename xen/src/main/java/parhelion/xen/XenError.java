package parhelion.xen;

import parhelion.abi.Errno;

/**
 * A hypercall's failure: the dispatcher turns it into {@code -errno} in the guest's {@code rax}.
 * Without a stack trace, as guests cause it at will; nothing may have been changed, or what was
 * changed is what Xen leaves changed.
 */
public final class XenError extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final Errno errno;

  public XenError(Errno errno) {
    super(null, null, false, false);
    this.errno = errno;
  }

  public Errno errno() {
    return errno;
  }

  /** The value for {@code rax}. */
  public long result() {
    return errno.result();
  }

  @Override
  public String getMessage() {
    return Errno.describe(errno.nr());
  }
}
