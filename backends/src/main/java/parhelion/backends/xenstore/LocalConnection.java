package parhelion.backends.xenstore;

import java.util.HashMap;
import java.util.Map;
import java.util.function.Consumer;

/** A connection of Java code that acts as dom0. Guarded by the daemon's lock. */
final class LocalConnection extends Connection {
  /** An event that a callback is to be told of. */
  record Delivery(LocalConnection connection, String path, String token) {}

  private final Map<String, Consumer<String>> callbacks = new HashMap<>();
  private final Consumer<Delivery> deliver;
  private int lastToken;

  LocalConnection(StoreDomain dom0, Consumer<Delivery> deliver) {
    super(dom0);
    this.deliver = deliver;
  }

  /** A token that stands for a new callback. */
  String register(Consumer<String> callback) {
    String token = Integer.toString(++lastToken);
    callbacks.put(token, callback);
    return token;
  }

  void unregister(String token) {
    callbacks.remove(token);
  }

  /** The callback of a token; one that ignores events if it is gone meanwhile. */
  Consumer<String> callback(String token) {
    return callbacks.getOrDefault(token, path -> {});
  }

  @Override
  void event(String path, String token) {
    deliver.accept(new Delivery(this, path, token));
  }

  @Override
  long queuedBytes() {
    return 0;
  }
}
