package parhelion.backends.xenstore;

import java.time.Duration;
import java.util.Locale;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A request to a guest to shut down, written to {@code control/shutdown}, or a magic key for it,
 * written to {@code control/sysrq}; and the wait for the guest's acknowledgement.
 *
 * <p>The guest acknowledges by overwriting or removing the node, as soon as it has understood. That
 * it really stops shows in its state, not here. A guest without such a driver never answers: the
 * caller sets the time-out and decides what then.
 */
public final class ShutdownRequest implements AutoCloseable {
  /** What to ask for. */
  public enum Kind {
    POWEROFF,
    REBOOT,
    HALT,
    SUSPEND;

    private String word() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  private final XenstoreClient store;
  private final String node;
  private final String word;
  private final CountDownLatch acknowledged = new CountDownLatch(1);
  private XenstoreClient.@Nullable Registration watch;

  private ShutdownRequest(XenstoreClient store, String node, String word) {
    this.store = store;
    this.node = node;
    this.word = word;
  }

  /**
   * Asks a guest to shut down. A request that it has not acknowledged yet is replaced.
   *
   * @throws XsException ENOENT if there is no such domain in the store
   */
  public static ShutdownRequest send(XenstoreClient store, int domid, Kind kind) {
    return send(store, domid, "shutdown", kind.word());
  }

  /**
   * Gives a guest a magic SysRq key.
   *
   * @throws XsException ENOENT if there is no such domain in the store
   */
  public static ShutdownRequest sysrq(XenstoreClient store, int domid, char key) {
    return send(store, domid, "sysrq", String.valueOf(key));
  }

  private static ShutdownRequest send(XenstoreClient store, int domid, String name, String word) {
    String node = StorePath.ofDomain(domid) + "/control/" + name;
    ShutdownRequest request = new ShutdownRequest(store, node, word);
    store.transaction(
        tx -> {
          tx.readBytes(node);
          tx.write(node, word);
          return true;
        });
    request.watch = store.watch(node, path -> request.look());
    return request;
  }

  /** Whether a guest has said that it understands a kind of request ({@code control/feature-*}). */
  public static boolean supported(XenstoreClient store, int domid, Kind kind) {
    String feature = kind == Kind.HALT ? Kind.POWEROFF.word() : kind.word();
    String value = store.readOrNull(StorePath.ofDomain(domid) + "/control/feature-" + feature);
    return value != null && value.equals("1");
  }

  private void look() {
    if (!word.equals(store.readOrNull(node))) {
      acknowledged.countDown();
    }
  }

  /** Whether the guest has acknowledged, or is gone. */
  public boolean acknowledged() {
    look();
    return acknowledged.getCount() == 0;
  }

  /** Waits for the acknowledgement; false if the time was over first. */
  public boolean await(Duration timeout) throws InterruptedException {
    return acknowledged() || acknowledged.await(timeout.toNanos(), TimeUnit.NANOSECONDS);
  }

  /**
   * Takes the request back.
   *
   * @return false if the guest has acknowledged already
   */
  public boolean cancel() {
    boolean cancelled =
        store.transaction(
            tx -> {
              boolean pending = word.equals(tx.readOrNull(node));
              if (pending) {
                tx.write(node, "");
              }
              return pending;
            });
    close();
    return cancelled;
  }

  /** Stops waiting; the request stays. */
  @Override
  public void close() {
    XenstoreClient.Registration registered = watch;
    if (registered != null) {
      registered.close();
    }
  }
}
