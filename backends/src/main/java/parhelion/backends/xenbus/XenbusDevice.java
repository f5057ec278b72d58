package parhelion.backends.xenbus;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import parhelion.abi.XenbusState;
import parhelion.backends.xenstore.Perm;
import parhelion.backends.xenstore.Perms;
import parhelion.backends.xenstore.Xenstore;
import parhelion.backends.xenstore.XenstoreClient;

/**
 * The backend's half of a device: follows the frontend's {@code state} and answers with its own.
 *
 * <pre>
 *   frontend           backend
 *                      Initialising   directories written
 *                      InitWait       the driver has made its offer
 *   Initialised or
 *   Connected          Connected      the driver serves the rings
 *   Closing            Closing        the driver has stopped
 *   Closed             Closed
 *   Initialising       InitWait       the guest starts over (another kernel, a reloaded driver)
 *   gone               Closed
 * </pre>
 *
 * <p>To unplug, {@link #unplug} asks by {@code online = 0} and Closing; once the frontend has
 * closed, or when {@link #remove} is called, the directories go.
 *
 * <p>Methods may be called by any thread; driver calls are made by the thread that runs the store's
 * callbacks, or by the caller of {@link #remove}, with this device's lock held.
 */
public final class XenbusDevice {
  private final XenstoreClient store;
  private final XenbusAddress address;
  private final XenbusDriver driver;
  private final List<XenstoreClient.Registration> watches = new ArrayList<>();
  private final List<Runnable> whenRemoved = new ArrayList<>();
  private XenbusState state = XenbusState.UNKNOWN;
  private boolean serving;
  private boolean removed;

  private XenbusDevice(XenstoreClient store, XenbusAddress address, XenbusDriver driver) {
    this.store = store;
    this.address = address;
    this.driver = driver;
  }

  /**
   * Writes a device's directories, as Xen's toolstack does, and starts its backend.
   *
   * @param backend further nodes of the backend's directory, which the guest can read
   * @param frontend further nodes of the frontend's directory, which the guest owns
   */
  public static XenbusDevice plug(
      XenstoreClient store,
      XenbusAddress address,
      Map<String, String> backend,
      Map<String, String> frontend,
      XenbusDriver driver) {
    store.transaction(
        tx -> {
          write(tx, address, backend, frontend);
          return true;
        });
    XenbusDevice device = new XenbusDevice(store, address, driver);
    device.start();
    return device;
  }

  private static void write(
      Xenstore tx,
      XenbusAddress address,
      Map<String, String> backend,
      Map<String, String> frontend) {
    Perms guests = Perms.of(Perm.none(address.domid()), Perm.read(0));
    Perms ours = Perms.of(Perm.none(0), Perm.read(address.domid()));
    String initialising = Integer.toString(XenbusState.INITIALISING.nr());
    tx.rm(address.toolstack());
    tx.write(address.toolstack() + "/frontend", address.frontend());
    tx.write(address.toolstack() + "/backend", address.backend());
    tx.rm(address.backend());
    tx.mkdir(address.backend(), ours);
    tx.write(address.backend() + "/frontend", address.frontend());
    tx.write(address.backend() + "/frontend-id", Integer.toString(address.domid()));
    tx.write(address.backend() + "/online", "1");
    tx.write(address.backend() + "/state", initialising);
    backend.forEach((name, value) -> tx.write(address.backend() + '/' + name, value));
    tx.rm(address.frontend());
    tx.mkdir(address.frontend(), guests);
    tx.write(address.frontend() + "/backend", address.backend());
    tx.write(address.frontend() + "/backend-id", "0");
    tx.write(address.frontend() + "/state", initialising);
    frontend.forEach((name, value) -> tx.write(address.frontend() + '/' + name, value));
  }

  private synchronized void start() {
    driver.offer(this);
    become(XenbusState.INIT_WAIT);
    watches.add(store.watch(address.frontend() + "/state", path -> follow()));
    watches.add(store.watch(address.backend() + "/online", path -> follow()));
  }

  /** Looks at the frontend's state and does what it calls for. */
  private synchronized void follow() {
    if (removed) {
      return;
    }
    XenbusState frontend = frontendState();
    switch (frontend) {
      case INITIALISING, INIT_WAIT -> {
        if (serving || state == XenbusState.CLOSING) {
          stop(); // it started over without waiting for us
          become(XenbusState.CLOSED);
        }
        if (state == XenbusState.CLOSED && online()) {
          driver.offer(this);
          become(XenbusState.INIT_WAIT);
        }
      }
      case INITIALISED, CONNECTED -> connect();
      case CLOSING -> {
        stop();
        if (state != XenbusState.CLOSED) {
          become(XenbusState.CLOSING);
        }
      }
      case CLOSED, UNKNOWN -> {
        stop();
        become(XenbusState.CLOSED);
        if (!online()) {
          forget();
        }
      }
      case RECONFIGURING, RECONFIGURED -> {
        // Only PCI devices reconfigure.
      }
    }
  }

  private void connect() {
    if (serving || state != XenbusState.INIT_WAIT) {
      return;
    }
    try {
      driver.connect(this);
      serving = true;
      become(XenbusState.CONNECTED);
    } catch (XenbusDriver.RefusedException refused) {
      store.write(address.error(), refused.reason());
      become(XenbusState.CLOSING);
    }
  }

  private void stop() {
    if (serving) {
      serving = false;
      driver.disconnect(this);
    }
  }

  private void become(XenbusState next) {
    if (state != next) {
      state = next;
      store.write(address.backend() + "/state", Integer.toString(next.nr()));
    }
  }

  /**
   * Writes the state that it has once more: a connected frontend then looks anew at what the
   * backend says of itself. Any thread.
   */
  public synchronized void announce() {
    if (!removed) {
      store.write(address.backend() + "/state", Integer.toString(state.nr()));
    }
  }

  /** Asks the guest to let go of the device; it goes when the guest has. */
  public synchronized void unplug() {
    if (removed) {
      return;
    }
    store.write(address.backend() + "/online", "0");
    if (state != XenbusState.CLOSED) {
      become(XenbusState.CLOSING);
    }
    follow();
  }

  /**
   * Stops serving a frontend that has done what no frontend may do: the device is closed with that
   * reason, as if it had been refused. Any thread, none of the driver's locks held.
   */
  public synchronized void fail(String reason) {
    if (serving && !removed) {
      store.write(address.error(), reason);
      stop();
      become(XenbusState.CLOSING);
    }
  }

  /** Takes the device away whatever the guest says; nothing happens if it is gone. */
  public synchronized void remove() {
    if (!removed) {
      stop();
      forget();
    }
  }

  private void forget() {
    removed = true;
    watches.forEach(XenstoreClient.Registration::close);
    store.transaction(
        tx -> {
          tx.rm(address.backend());
          tx.rm(address.frontend());
          tx.rm(address.toolstack());
          tx.rm(address.error());
          return true;
        });
    driver.removed();
    whenRemoved.forEach(Runnable::run);
  }

  /** Calls {@code action}, with this device's lock held, when it is gone for good. Any thread. */
  public synchronized void whenRemoved(Runnable action) {
    if (removed) {
      action.run();
    } else {
      whenRemoved.add(action);
    }
  }

  public XenbusAddress address() {
    return address;
  }

  public XenstoreClient store() {
    return store;
  }

  /** What the device has done so far: see {@link XenbusDriver#counts}. */
  public Map<String, Long> counts() {
    return driver.counts();
  }

  /** The backend's own state. */
  public synchronized XenbusState state() {
    return state;
  }

  /** Whether the device is gone for good. */
  public synchronized boolean removed() {
    return removed;
  }

  /** What the frontend says of itself; UNKNOWN for nonsense and once it is gone. */
  public XenbusState frontendState() {
    String text = store.readOrNull(address.frontend() + "/state");
    if (text == null || text.length() != 1) {
      return XenbusState.UNKNOWN;
    }
    XenbusState found = XenbusState.of(text.charAt(0) - '0');
    return found == null ? XenbusState.UNKNOWN : found;
  }

  private boolean online() {
    return "1".equals(store.readOrNull(address.backend() + "/online"));
  }

  /** Something that the frontend wrote, or null. */
  public @Nullable String fromFrontend(String name) {
    return store.readOrNull(address.frontend() + '/' + name);
  }

  /** Writes something for the frontend to read. */
  public void toFrontend(String name, String value) {
    store.write(address.backend() + '/' + name, value);
  }

  @Override
  public String toString() {
    return address.kind() + ' ' + address.devid() + " of domain " + address.domid();
  }
}
