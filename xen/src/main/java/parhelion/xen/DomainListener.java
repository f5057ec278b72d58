package parhelion.xen;

/** What the toolstack wants to know of domains. Called on the scheduler's thread. */
public interface DomainListener {
  /** The domain has shut down, for {@link Domain#shutdownReason}; its vcpus no longer run. */
  default void shutDown(Domain d) {}

  /**
   * A line that the guest wrote by {@code console_io}, without its newline; non-printables are
   * gone.
   */
  default void debugLine(Domain d, String line) {}
}
