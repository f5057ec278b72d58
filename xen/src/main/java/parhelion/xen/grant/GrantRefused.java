package parhelion.xen.grant;

import parhelion.abi.Gntst;
import parhelion.xen.Domain;

/**
 * A guest told a backend of a grant that the backend may not use so. The guest's fault: the backend
 * says so in xenstore and goes on with others.
 */
public final class GrantRefused extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final int status;

  GrantRefused(Domain domain, long ref, int status) {
    super(
        domain + " does not grant reference " + ref + ": " + describe(status), null, false, false);
    this.status = status;
  }

  /** A {@link Gntst}, never OKAY. */
  public int status() {
    return status;
  }

  private static String describe(int status) {
    return switch (status) {
      case Gntst.BAD_GNTREF -> "there is no such reference";
      case Gntst.BAD_PAGE -> "the frame is not its own";
      default -> "its entry or the frame's use does not allow it";
    };
  }
}
