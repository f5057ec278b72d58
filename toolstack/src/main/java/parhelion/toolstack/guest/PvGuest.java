package parhelion.toolstack.guest;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import parhelion.abi.StartInfo;
import parhelion.backends.console.ConsoleRing;
import parhelion.backends.console.ConsoleSink;
import parhelion.backends.xenbus.XenbusDevice;
import parhelion.backends.xenstore.DomainDirectory;
import parhelion.backends.xenstore.ShutdownRequest;
import parhelion.backends.xenstore.XenstoreDaemon;
import parhelion.cpu.EngineUnavailableException;
import parhelion.cpu.Mark;
import parhelion.cpu.memory.MachineMemory;
import parhelion.toolstack.EngineNotes;
import parhelion.toolstack.PerfMap;
import parhelion.toolstack.UserError;
import parhelion.toolstack.builder.DomainBuilder;
import parhelion.toolstack.builder.GuestPage;
import parhelion.toolstack.device.DeviceConfig;
import parhelion.toolstack.image.KernelSymbols;
import parhelion.toolstack.link.GuestFrontend;
import parhelion.toolstack.link.GuestLinks;
import parhelion.toolstack.link.SchedulerAgents;
import parhelion.xen.Domain;
import parhelion.xen.DomainConfig;
import parhelion.xen.Hypervisor;
import parhelion.xen.RealClock;
import parhelion.xen.Vcpu;
import parhelion.xen.XenClock;

/**
 * One paravirtual guest with a hypervisor of its own: memory, domain, xenstore and console. {@link
 * #run} runs it on the calling thread until it ends; {@link #input}, {@link #requestShutdown} and
 * {@link #stop} may be called from any other thread meanwhile.
 */
public final class PvGuest implements Guest {
  /** Machine memory beyond the guest's own: Xen's tables, shared pages, grant frames. */
  private static final long OVERHEAD_FRAMES = 2048;

  /** The names under which devices count what they move. */
  private static final List<String> MOVED =
      List.of("bytes read", "bytes written", "bytes sent", "bytes received");

  /** How long a guest has to let go of a device that is taken from it. */
  private static final int FORCE_SECONDS = 5;

  private final GuestConfig config;
  private final Hypervisor hypervisor;
  private final Domain domain;
  private final XenstoreDaemon store;
  private final GuestLinks links;
  private final ConsoleRing console;
  private final DomainDirectory directory;
  private @Nullable GuestTrace trace;
  private @Nullable GuestProfile profile;
  private @Nullable PerfMap perfMap;
  private final List<Plugged> devices = new CopyOnWriteArrayList<>();
  private volatile Outcome.@Nullable Kind stopped;
  private boolean closed;

  /** Builds a guest in real time; nothing runs yet. */
  public PvGuest(GuestConfig config, GuestOutput output) {
    this(config, new RealClock(), output.sink());
  }

  /** Builds a guest whose console nobody reads but afterwards; nothing runs yet. */
  public PvGuest(GuestConfig config, XenClock clock, ConsoleTail console) {
    this(config, clock, (ConsoleSink) console);
  }

  /** Builds the guest; nothing runs yet. */
  public PvGuest(GuestConfig config, XenClock clock, ConsoleSink output) {
    this.config = config;
    long pages = (long) config.memoryMib() << 8;
    hypervisor = hypervisorFor(config, pages, clock);
    domain =
        hypervisor.createDomain(
            new DomainConfig(config.vcpus(), pages, false, config.cpu().model()));
    boolean made = false;
    try {
      DomainBuilder.Built built =
          DomainBuilder.build(
              hypervisor, domain, config.kernel(), config.initrd(), config.commandLine(), pages);
      domain.grants().grantReserved(built.consoleMfn(), built.storeMfn());
      store = new XenstoreDaemon(domid -> hypervisor.domain(domid) != null);
      SchedulerAgents.attach(hypervisor, store);
      DomainDirectory.describeDom0(store.dom0());
      links = GuestLinks.allocate(domain);
      directory =
          DomainDirectory.create(
              store.dom0(),
              domain.id(),
              new DomainDirectory.Config(
                  config.name(),
                  clock.isVirtual()
                      ? UUID.nameUUIDFromBytes(config.name().getBytes(StandardCharsets.UTF_8))
                      : UUID.randomUUID(),
                  config.vcpus(),
                  config.vcpus(),
                  pages * 4,
                  pages * 4,
                  config.kernel().name(),
                  null,
                  config.commandLine()));
      directory.connect(
          new DomainDirectory.Rings(
              built.storeMfn(), links.storePort(), built.consoleMfn(), links.consolePort()));
      console = links.connect(store, built.storeMfn(), built.consoleMfn(), output);
      GuestPage startInfo = new GuestPage(hypervisor.memory(), built.startInfoPa());
      StartInfo.STORE_EVTCHN.put(startInfo, 0, links.storePort());
      StartInfo.CONSOLE_EVTCHN.put(startInfo, 0, links.consolePort());
      config.devices().forEach(this::attach);
      made = true;
    } finally {
      if (!made) {
        hypervisor.close();
      }
    }
  }

  private static Hypervisor hypervisorFor(GuestConfig config, long pages, XenClock clock) {
    long hostMib = HostMemory.totalMib();
    if (config.memoryMib() > hostMib) {
      throw new UserError(
          "a guest of "
              + config.memoryMib()
              + " MiB does not fit into this host's "
              + hostMib
              + " MiB: give less --memory");
    }
    // The M2P table and the frame table grow with memory.
    long frames = pages + pages / 256 + OVERHEAD_FRAMES;
    MachineMemory memory = null;
    try {
      memory = new MachineMemory(frames);
      return new Hypervisor(memory, clock, config.cpu().engine());
    } catch (EngineUnavailableException e) {
      close(memory);
      throw EngineNotes.unavailable(e);
    } catch (OutOfMemoryError e) {
      close(memory);
      throw new UserError(
          "the host has no room for a guest of " + config.memoryMib() + " MiB: give less --memory",
          e);
    }
  }

  private static void close(@Nullable MachineMemory memory) {
    if (memory != null) {
      memory.close();
    }
  }

  /** Runs the guest until it ends or is stopped. */
  @Override
  public Outcome run() {
    hypervisor.run(() -> stopped != null || domain.shutdownReason() != null);
    Outcome.Kind why = stopped;
    console.runAll();
    if (domain.shutdownReason() != null) {
      return GuestReport.outcome(domain, config.symbols());
    }
    return new Outcome(why == null ? Outcome.Kind.LEFT : why, "");
  }

  /**
   * Writes a line for every hypercall, trap and emulated instruction to a file from now on; before
   * {@link #run}.
   */
  @Override
  public void traceTo(Path file) {
    GuestTrace newTrace;
    try {
      newTrace = new GuestTrace(file);
    } catch (IOException e) {
      throw new UserError(
          "--trace: cannot write to " + file + ": give a file that can be written", e);
    }
    hypervisor.hypercalls().setListener(newTrace);
    hypervisor.trapStats().setListener(newTrace);
    trace = newTrace;
  }

  /** Ends the trace, if there is one; what kept it from being whole, or null. */
  @Override
  public @Nullable IOException finishTrace() {
    GuestTrace taken = trace;
    if (taken == null) {
      return null;
    }
    trace = null;
    hypervisor.hypercalls().setListener(null);
    hypervisor.trapStats().setListener(null);
    try {
      taken.close();
      return null;
    } catch (IOException e) {
      return e;
    }
  }

  @Override
  public String engine() {
    return hypervisor.code().engine().label;
  }

  /** Says why the interpreter runs the guest although nobody asked for it; null if all is well. */
  @Override
  public @Nullable String engineNote() {
    return EngineNotes.ofFallback(hypervisor.code());
  }

  /** Writes a map for Linux's perf from now on; before {@link #run}. */
  @Override
  public void mapForPerf() {
    KernelSymbols symbols = config.symbols().get();
    perfMap =
        PerfMap.begin(
            hypervisor.code(),
            va -> symbols == null || va >= 0 ? "0x" + Long.toHexString(va) : symbols.describe(va));
  }

  /** Ends the map for perf, if there is one; a line on what kept it from being whole, or null. */
  @Override
  public @Nullable String finishPerfMap() {
    PerfMap taken = perfMap;
    perfMap = null;
    return taken == null ? null : taken.finish();
  }

  /** Samples where the guest spends its time from now on. */
  @Override
  public void profile() {
    profile =
        new GuestProfile(
            () -> {
              Vcpu running = hypervisor.scheduler().current();
              return running == null ? null : running.cpu();
            });
  }

  /** What {@link #profile} found, as a table of so many functions; after {@link #run}. */
  @Override
  public String profileTable(int rows) {
    GuestProfile taken = profile;
    if (taken == null) {
      return "";
    }
    taken.close();
    return taken.asTable(config.symbols().get(), rows);
  }

  /** Makes {@link #run} return soon. Any thread. */
  @Override
  public void stop(Outcome.Kind why) {
    hypervisor.post(() -> stopped = why);
  }

  /** Gives the guest console input; waits while it takes none. Any thread. */
  @Override
  public void input(byte[] bytes, int offset, int length) throws InterruptedException {
    console.feed(bytes, offset, length);
  }

  /** Tells the guest the terminal's size, in console/size of its xenstore directory. Any thread. */
  @Override
  public void consoleSize(int columns, int rows) {
    directory.consoleSize(columns, rows);
  }

  /** Asks the guest's kernel to power off, as a power button would. Any thread. */
  @Override
  public void requestShutdown() {
    ShutdownRequest.send(store.dom0(), domain.id(), ShutdownRequest.Kind.POWEROFF);
  }

  /**
   * Asks the guest's kernel to take a vcpu online or offline, by cpu/N/availability of its xenstore
   * directory. Any thread.
   *
   * @param vcpu 0 to the configured number, exclusive
   */
  public void vcpuOnline(int vcpu, boolean online) {
    directory.vcpuOnline(vcpu, online);
  }

  /** A device of the guest's, and what it was made of. */
  private record Plugged(DeviceConfig config, XenbusDevice device) {}

  /**
   * Plugs a device in, which the guest may notice whenever it likes. Any thread.
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

  @Override
  public void plugIn(DeviceConfig config) {
    XenbusDevice unused = attach(config);
  }

  @Override
  public void takeOut(String name, boolean force) {
    XenbusDevice unused = detach(name, force);
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
   * What a device that is plugged in was made of. Any thread.
   *
   * @throws UserError if there is none of that name
   */
  @Override
  public DeviceConfig device(String name) {
    return named(name).config;
  }

  /** The names of the devices that are plugged in. Any thread. */
  @Override
  public List<String> deviceNames() {
    return devices.stream()
        .filter(plugged -> !plugged.device.removed())
        .map(plugged -> plugged.config.name())
        .toList();
  }

  /**
   * Takes a device from the guest, and closes what is behind it once it is gone. Any thread.
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
   * Changes a disk's size, which the guest hears of at once. Any thread but that of {@link #run}.
   *
   * @throws UserError if there is none of that name, or it cannot be
   */
  @Override
  public void resize(String name, long sizeBytes) {
    named(name).config.resize(sizeBytes);
  }

  /** Leaves host times out of {@link #stats}, which then cost nothing. Before {@link #run}. */
  @Override
  public void withoutTimes() {
    hypervisor.stopwatch().stop(true);
  }

  /** What the guest has asked of the hypervisor so far; after {@link #run}. */
  @Override
  public GuestStats stats() {
    Map<String, Map<String, Long>> counts = new LinkedHashMap<>();
    for (Plugged plugged : devices) {
      String name = plugged.config.name();
      counts.put(name.isEmpty() ? plugged.device.toString() : name, plugged.device.counts());
    }
    return GuestStats.of(hypervisor, domain, counts);
  }

  @Override
  public GuestCounts counts() {
    long moved = 0;
    for (Plugged plugged : devices) {
      Map<String, Long> counts = plugged.device.counts();
      for (String name : MOVED) {
        moved += counts.getOrDefault(name, 0L);
      }
    }
    return GuestCounts.of(hypervisor, domain, moved);
  }

  @Override
  public void onMark(Mark.Listener listener) {
    hypervisor.setMarkListener(listener);
  }

  @Override
  public void repeatRandom(long seed) {
    hypervisor.repeatRandom(seed);
  }

  public Hypervisor hypervisor() {
    return hypervisor;
  }

  public Domain domain() {
    return domain;
  }

  /** Gives everything back to the host; nothing happens the second time. */
  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    if (profile != null) {
      profile.close();
    }
    finishTrace();
    String unused = finishPerfMap();
    devices.forEach(plugged -> plugged.device.remove());
    links.close();
    directory.remove();
    hypervisor.close();
  }
}
