package parhelion.backends.xenstore;

import java.util.function.Consumer;
import java.util.function.Function;

/**
 * The store as dom0 sees it: the toolstack's and the backends' way in. Any thread may use it, also
 * from a watch callback.
 *
 * <p>Single operations take effect at once; guests are told by the daemon's agent.
 */
public final class XenstoreClient extends LocalView {
  private static final int OPTIMISTIC_ATTEMPTS = 8;

  XenstoreClient(XenstoreDaemon daemon, LocalConnection connection) {
    super(daemon, connection, null);
  }

  /** A watch; closing it ends it, and no event is delivered by a callback that starts later. */
  public interface Registration extends AutoCloseable {
    @Override
    void close();
  }

  /**
   * Calls {@code callback} with the path that changed at or below {@code path}, and once right
   * away. Changes of the same path may be reported together. Callbacks run on the thread that runs
   * the daemon's agent, one at a time and without its lock.
   *
   * @param path a path, or {@code @introduceDomain} or {@code @releaseDomain}
   */
  public Registration watch(String path, Consumer<String> callback) {
    return watch(path, -1, callback);
  }

  /**
   * As {@link #watch(String, Consumer)}, for at most {@code depth} levels below the path. For the
   * special paths 1 means to be told {@code @releaseDomain/<domid>}.
   */
  public Registration watch(String path, int depth, Consumer<String> callback) {
    return daemon()
        .locked(
            () -> {
              String canonical = canonical(path, true);
              String token = connection().register(callback);
              Watch watch =
                  daemon()
                      .watches()
                      .add(connection(), canonical, token, depth, StorePath.isRelative(path));
              watch.tell(watch.path());
              return () -> unwatch(canonical, token);
            });
  }

  private void unwatch(String path, String token) {
    daemon()
        .locked(
            () -> {
              connection().unregister(token);
              try {
                daemon().watches().remove(connection(), path, token);
              } catch (XsException e) {
                if (e.errno() != XsErrno.ENOENT) {
                  throw e;
                }
              }
              return true;
            });
  }

  /**
   * Runs {@code body} as one transaction: all of its changes become visible at once, or, if it
   * throws, none. It is repeated when others changed meanwhile what it looked at, so it must have
   * no effects besides the store. The last attempt keeps everybody else out.
   */
  public <T> T transaction(Function<Xenstore, T> body) {
    for (int attempt = 1; attempt < OPTIMISTIC_ATTEMPTS; attempt++) {
      try {
        return attempt(body);
      } catch (XsException e) {
        if (e.errno() != XsErrno.EAGAIN) {
          throw e;
        }
      }
    }
    return daemon().locked(() -> attempt(body));
  }

  private <T> T attempt(Function<Xenstore, T> body) {
    StoreTransaction tx = daemon().locked(() -> daemon().ops().begin(connection()));
    boolean commit = false;
    try {
      T result = body.apply(new LocalView(daemon(), connection(), tx));
      commit = true;
      return result;
    } finally {
      boolean verdict = commit;
      daemon()
          .locked(
              () -> {
                daemon().ops().end(connection(), tx, verdict);
                return true;
              });
    }
  }
}
