package parhelion.xen;

/**
 * The guest went beyond what can be run: its domain is shut down with this reason, the others go
 * on.
 */
public final class DomainCrash extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public DomainCrash(String reason) {
    super(reason, null, false, false);
  }
}
