package parhelion.backends.xenstore;

import java.util.List;

/**
 * Everything that {@link XenstoreDaemon} knows, as plain data: for save, restore and fork. The ring
 * pages are guest memory and are saved with it; watches of Java callers are not part of the state.
 *
 * <p>A transaction that was open comes back with its id but without its history, and its commit
 * answers EAGAIN, upon which every client repeats it.
 *
 * @param generation the last generation given out
 * @param nodes parents before children, {@code @} nodes included
 * @param defaultQuotas by {@link Quota} ordinal
 */
public record XenstoreState(
    long generation, List<Node> nodes, int[] defaultQuotas, List<Domain> domains) {

  /** A node; {@code birth} orders siblings. */
  public record Node(String path, byte[] value, Perms perms, long generation, long birth) {}

  /**
   * A domain with its connection.
   *
   * @param introduced whether it has a connection, to which the fields after it belong
   * @param failedWith an XENSTORE_ERROR_ value; nonzero: the connection is dead until it is reset
   * @param unread bytes of a request of which the rest has not come yet
   * @param unsent messages on their way; of the first, a part may be in the ring already
   * @param transactions ids of open transactions
   */
  public record Domain(
      int domid,
      int features,
      int[] quotas,
      boolean shutdown,
      boolean introduced,
      int targetDomid,
      int failedWith,
      byte[] unread,
      List<byte[]> unsent,
      List<WatchState> watches,
      List<Integer> transactions) {}

  /** A watch; {@code path} is absolute, {@code relative} says in which form the client wants it. */
  public record WatchState(String path, String token, int depth, boolean relative) {}
}
