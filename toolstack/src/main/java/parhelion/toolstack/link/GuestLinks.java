package parhelion.toolstack.link;

import org.jspecify.annotations.Nullable;
import parhelion.backends.console.ConsoleRing;
import parhelion.backends.console.ConsoleSink;
import parhelion.backends.xenstore.XenstoreDaemon;
import parhelion.backends.xenstore.XenstoreRing;
import parhelion.xen.Domain;

/**
 * The two connections that every guest is born with: to the store and to its console.
 *
 * <p>Order: {@link #allocate} once the domain exists, since start_info names the ports; {@link
 * #connect} once its memory is built and its nodes are in the store; {@link #close} before the
 * domain is destroyed.
 */
public final class GuestLinks implements AutoCloseable {
  private final Domain domain;
  private final ChannelPort storePort;
  private final ChannelPort consolePort;
  private @Nullable XenstoreDaemon store;
  private @Nullable ConsoleRing console;

  private GuestLinks(Domain domain) {
    this.domain = domain;
    storePort = ChannelPort.allocate(domain);
    consolePort = ChannelPort.allocate(domain);
  }

  /** Opens the two event channels. */
  public static GuestLinks allocate(Domain domain) {
    return new GuestLinks(domain);
  }

  /** The guest's port of the store, for start_info. */
  public int storePort() {
    return storePort.number();
  }

  /** The guest's port of the console, for start_info. */
  public int consolePort() {
    return consolePort.number();
  }

  /**
   * Introduces the domain to the store and opens its console, which is served between slices. The
   * store's own agent is attached once, by whoever made the store.
   *
   * @param sink takes the console's output; closed with the console
   * @return the console, for input
   */
  public ConsoleRing connect(
      XenstoreDaemon daemon, long storeMfn, long consoleMfn, ConsoleSink sink) {
    if (store != null) {
      throw new IllegalStateException(domain + " is connected already");
    }
    XenstoreRing ring = daemon.introduce(domain.id(), MachinePage.map(domain, storeMfn), storePort);
    storePort.onEvent(ring::signal);
    store = daemon;
    ConsoleRing opened = new ConsoleRing(MachinePage.map(domain, consoleMfn), consolePort, sink);
    consolePort.onEvent(opened::signal);
    console = opened;
    SchedulerAgents.attach(domain.hypervisor(), opened);
    return opened;
  }

  /** Takes the last output, releases the domain from the store, closes the channels. */
  @Override
  public void close() {
    XenstoreDaemon daemon = store;
    if (daemon == null) {
      storePort.close();
      consolePort.close();
      return;
    }
    store = null;
    ConsoleRing opened = console;
    if (opened != null) {
      opened.close();
    }
    daemon.release(domain.id());
  }
}
