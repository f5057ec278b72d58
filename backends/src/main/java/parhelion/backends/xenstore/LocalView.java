package parhelion.backends.xenstore;

import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import parhelion.abi.XenstoreWire;

/** The store through a local connection, within a transaction or without. Any thread may use it. */
sealed class LocalView implements Xenstore permits XenstoreClient {
  private final XenstoreDaemon daemon;
  private final LocalConnection connection;
  private final @Nullable StoreTransaction tx;

  LocalView(XenstoreDaemon daemon, LocalConnection connection, @Nullable StoreTransaction tx) {
    this.daemon = daemon;
    this.connection = connection;
    this.tx = tx;
  }

  final XenstoreDaemon daemon() {
    return daemon;
  }

  final LocalConnection connection() {
    return connection;
  }

  final String canonical(String path, boolean special) {
    return StorePath.canonical(path, connection.base(), special, XenstoreWire.ABS_PATH_MAX);
  }

  private <T> T call(String path, Function<String, T> operation) {
    return daemon.locked(() -> operation.apply(canonical(path, true)));
  }

  private void checkNotSpecial(String path) {
    if (StorePath.isSpecial(path)) {
      throw new XsException(XsErrno.EINVAL, "path \"" + path + "\"");
    }
  }

  @Override
  public final byte[] readBytes(String path) {
    return call(path, canonical -> daemon.ops().read(connection, tx, canonical).value().clone());
  }

  @Override
  public final void writeBytes(String path, byte[] value) {
    checkNotSpecial(path);
    if (value.length > XenstoreWire.PAYLOAD_MAX) {
      throw new XsException(XsErrno.E2BIG, "value of " + path);
    }
    byte[] copy = value.clone();
    call(
        path,
        canonical -> {
          daemon.ops().write(connection, tx, canonical, copy);
          return true;
        });
  }

  @Override
  public final void mkdir(String path) {
    checkNotSpecial(path);
    call(
        path,
        canonical -> {
          daemon.ops().mkdir(connection, tx, canonical);
          return true;
        });
  }

  @Override
  public final void rm(String path) {
    checkNotSpecial(path);
    call(
        path,
        canonical -> {
          try {
            daemon.ops().rm(connection, tx, canonical);
          } catch (XsException e) {
            if (e.errno() != XsErrno.ENOENT) {
              throw e;
            }
          }
          return true;
        });
  }

  @Override
  public final List<String> list(String path) {
    return call(path, canonical -> daemon.ops().read(connection, tx, canonical).listing());
  }

  @Override
  public final Perms perms(String path) {
    return call(path, canonical -> daemon.ops().perms(connection, tx, canonical));
  }

  @Override
  public final void setPerms(String path, Perms perms) {
    call(
        path,
        canonical -> {
          daemon.ops().setPerms(connection, tx, canonical, perms);
          return true;
        });
  }
}
