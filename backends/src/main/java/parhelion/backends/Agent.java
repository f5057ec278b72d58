package parhelion.backends;

/**
 * Work that is done when it is asked for, by one thread at a time.
 *
 * <p>A {@link BackendThread} runs agents in production. Tests and deterministic runs call {@link
 * #runPending} themselves, so that the same input gives the same run.
 */
public interface Agent {
  /**
   * Does a bounded amount of the work that is pending.
   *
   * @return whether there was any: there may be more, so call again until it is false
   */
  boolean runPending();

  /** Does work until there is none. Only for callers that know that no guest runs meanwhile. */
  default void runAll() {
    boolean more = true;
    while (more) {
      more = runPending();
    }
  }

  /**
   * Names what is to be called when there is work. The agent calls it from any thread and possibly
   * under the caller's locks: it must only make note.
   */
  void wakeWith(Runnable wake);
}
