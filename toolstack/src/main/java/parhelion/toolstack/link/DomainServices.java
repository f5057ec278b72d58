package parhelion.toolstack.link;

import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import parhelion.backends.console.ConsoleRing;
import parhelion.backends.console.ConsoleSink;
import parhelion.backends.xenbus.XenbusDevice;
import parhelion.backends.xenstore.DomainDirectory;
import parhelion.backends.xenstore.ShutdownRequest;
import parhelion.backends.xenstore.XenstoreDaemon;
import parhelion.toolstack.UserError;
import parhelion.toolstack.device.DeviceConfig;
import parhelion.xen.Domain;
import parhelion.xen.Hypervisor;

/**
 * What dom0 does for a domain elsewhere: xenstore with the domain's directory, its console, and the
 * backends of its devices. The same for domains of every kind. Any thread, where a method does not
 * say otherwise.
 */
public final class DomainServices implements AutoCloseable {
  /** The names under which devices count what they move. */
  private static final List<String> MOVED =
      List.of("bytes read", "bytes written", "bytes sent", "bytes received");

  /** How long a guest has to let go of a device that is taken from it. */
  private static final int FORCE_SECONDS = 5;

  /**
   * What is written of the domain.
   *
   * @param name for people
   * @param kernel the image's name
   */
  public record Description(
      String name, int vcpus, long memoryKib, String kernel, String commandLine) {}

  /** A device of the guest's, and what it was made of. */
  private record Plugged(DeviceConfig config, XenbusDevice device) {}

  private final Hypervisor hypervisor;
  private final Domain domain;
  private final XenstoreDaemon store;
  private final GuestLinks links;
  private final ConsoleRing console;
  private final DomainDirectory directory;
  private final List<Plugged> devices = new CopyOnWriteArrayList<>();

  /**
   * Serves a domain whose memory is built and that does not run yet.
   *
   * @param storeMfn frame of the xenstore ring
   * @param consoleMfn frame of the console ring
   * @param output takes the console's output
   */
  public DomainServices(
      Domain domain, Description description, long storeMfn, long consoleMfn, ConsoleSink output) {
    this.domain = domain;
    hypervisor = domain.hypervisor();
    store = new XenstoreDaemon(domid -> hypervisor.domain(domid) != null);
    SchedulerAgents.attach(hypervisor, store);
    DomainDirectory.describeDom0(store.dom0());
    links = GuestLinks.allocate(domain);
    directory =
        DomainDirectory.create(
            store.dom0(),
            domain.id(),
            new DomainDirectory.Config(
                description.name,
                hypervisor.clock().isVirtual()
                    ? UUID.nameUUIDFromBytes(description.name.getBytes(StandardCharsets.UTF_8))
                    : UUID.randomUUID(),
                description.vcpus,
                description.vcpus,
                description.memoryKib,
                description.memoryKib,
                description.kernel,
                null,
                description.commandLine));
    directory.connect(
        new DomainDirectory.Rings(storeMfn, links.storePort(), consoleMfn, links.consolePort()));
    console = links.connect(store, storeMfn, consoleMfn, output);
  }

  /** The guest's port of the store. */
  public int storePort() {
    return links.storePort();
  }

  /** The guest's port of the console. */
  public int consolePort() {
    return links.consolePort();
  }

  /** The console, for input. */
  public ConsoleRing console() {
    return console;
  }

  /** Tells the guest the terminal's size, in console/size of its xenstore directory. */
  public void consoleSize(int columns, int rows) {
    directory.consoleSize(columns, rows);
  }

  /** Asks the guest's kernel to power off, as a power button would. */
  public void requestShutdown() {
    ShutdownRequest.send(store.dom0(), domain.id(), ShutdownRequest.Kind.POWEROFF);
  }

  /**
   * Asks the guest's balloon driver to make do with so much memory, by memory/target of its
   * xenstore directory.
   */
  public void memoryTarget(long kib) {
    directory.memoryTarget(kib);
  }

  /**
   * Asks the guest's kernel to take a vcpu online or offline, by cpu/N/availability of its xenstore
   * directory.
   */
  public void vcpuOnline(int vcpu, boolean online) {
    directory.vcpuOnline(vcpu, online);
  }

  /**
   * Plugs a device in, which the guest may notice whenever it likes.
   *
   * @return the device, to be looked at; it goes with the guest
   * @throws UserError if there is one of that name
   */
  public XenbusDevice attach(DeviceConfig config) {
    devices.removeIf(plugged -> plugged.device.removed());
    if (!config.name().isEmpty() && find(config.name()) != null) {
      throw new UserError("there is a device " + config.name() + ": give another name");
    }
    XenbusDevice device = config.plug(store.dom0(), new GuestFrontend(domain));
    devices.add(new Plugged(config, device));
    return device;
  }

  private @Nullable Plugged find(String name) {
    for (Plugged plugged : devices) {
      if (plugged.config.name().equals(name) && !plugged.device.removed()) {
        return plugged;
      }
    }
    return null;
  }

  private Plugged named(String name) {
    Plugged found = find(name);
    if (found == null) {
      throw new UserError("there is no device " + name + ": " + String.join(", ", deviceNames()));
    }
    return found;
  }

  /**
   * What a device that is plugged in was made of.
   *
   * @throws UserError if there is none of that name
   */
  public DeviceConfig device(String name) {
    return named(name).config;
  }

  /** The names of the devices that are plugged in. */
  public List<String> deviceNames() {
    return devices.stream()
        .filter(plugged -> !plugged.device.removed())
        .map(plugged -> plugged.config.name())
        .toList();
  }

  /**
   * Takes a device from the guest, and closes what is behind it once it is gone.
   *
   * @param force after five seconds even if the guest does not let go of it; it is asked first, as
   *     a driver that is in the middle of requests may wait for their answers for ever
   * @return the device, which {@link XenbusDevice#removed} when it is gone
   * @throws UserError if there is none of that name
   */
  public XenbusDevice detach(String name, boolean force) {
    Plugged plugged = named(name);
    XenbusDevice device = plugged.device;
    device.whenRemoved(() -> Thread.startVirtualThread(plugged.config::close));
    hypervisor.post(device::unplug);
    if (force) {
      Thread.ofVirtual()
          .name("detach " + name)
          .start(
              () -> {
                if (!awaitRemoval(device)) {
                  hypervisor.post(device::remove);
                }
              });
    }
    return device;
  }

  private static boolean awaitRemoval(XenbusDevice device) {
    CountDownLatch gone = new CountDownLatch(1);
    device.whenRemoved(gone::countDown);
    try {
      return gone.await(FORCE_SECONDS, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  /**
   * Changes a disk's size, which the guest hears of at once. Any thread but that of the scheduler.
   *
   * @throws UserError if there is none of that name, or it cannot be
   */
  public void resize(String name, long sizeBytes) {
    named(name).config.resize(sizeBytes);
  }

  /** What each device did: counts by name. */
  public Map<String, Map<String, Long>> counts() {
    Map<String, Map<String, Long>> counts = new LinkedHashMap<>();
    for (Plugged plugged : devices) {
      String name = plugged.config.name();
      counts.put(name.isEmpty() ? plugged.device.toString() : name, plugged.device.counts());
    }
    return counts;
  }

  /** Bytes that devices have moved to and from the guest. */
  public long movedBytes() {
    long moved = 0;
    for (Plugged plugged : devices) {
      Map<String, Long> counts = plugged.device.counts();
      for (String name : MOVED) {
        moved += counts.getOrDefault(name, 0L);
      }
    }
    return moved;
  }

  /** Takes the last output; after the domain has run, before it is destroyed. */
  @Override
  public void close() {
    devices.forEach(plugged -> plugged.device.remove());
    links.close();
    directory.remove();
  }
}
