package parhelion.toolstack.guest;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import parhelion.abi.StartInfo;
import parhelion.backends.console.ConsoleSink;
import parhelion.backends.xenbus.XenbusDevice;
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
import parhelion.toolstack.link.DomainServices;
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

  private final GuestConfig config;
  private final Hypervisor hypervisor;
  private final Domain domain;
  private final DomainServices services;
  private @Nullable GuestTrace trace;
  private @Nullable GuestProfile profile;
  private @Nullable PerfMap perfMap;
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
    config.kernel().require64Bit();
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
      services =
          new DomainServices(
              domain,
              new DomainServices.Description(
                  config.name(),
                  config.vcpus(),
                  pages * 4,
                  config.kernel().name(),
                  config.commandLine()),
              built.storeMfn(),
              built.consoleMfn(),
              output);
      GuestPage startInfo = new GuestPage(hypervisor.memory(), built.startInfoPa());
      StartInfo.STORE_EVTCHN.put(startInfo, 0, services.storePort());
      StartInfo.CONSOLE_EVTCHN.put(startInfo, 0, services.consolePort());
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
    services.console().runAll();
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
    trace = GuestTrace.begin(hypervisor, file);
  }

  /** Ends the trace, if there is one; what kept it from being whole, or null. */
  @Override
  public @Nullable IOException finishTrace() {
    GuestTrace taken = trace;
    trace = null;
    return taken == null ? null : taken.finish();
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
    services.console().feed(bytes, offset, length);
  }

  /** Tells the guest the terminal's size, in console/size of its xenstore directory. Any thread. */
  @Override
  public void consoleSize(int columns, int rows) {
    services.consoleSize(columns, rows);
  }

  /** Asks the guest's kernel to power off, as a power button would. Any thread. */
  @Override
  public void requestShutdown() {
    services.requestShutdown();
  }

  /**
   * Asks the guest's kernel to take a vcpu online or offline, by cpu/N/availability of its xenstore
   * directory. Any thread.
   *
   * @param vcpu 0 to the configured number, exclusive
   */
  public void vcpuOnline(int vcpu, boolean online) {
    services.vcpuOnline(vcpu, online);
  }

  @Override
  public void memoryTarget(int mib) {
    services.memoryTarget(mib * 1024L);
  }

  @Override
  public int heldMib() {
    return (int) (domain.totPages >> 8);
  }

  /** See {@link DomainServices#attach}. */
  public XenbusDevice attach(DeviceConfig config) {
    return services.attach(config);
  }

  @Override
  public void plugIn(DeviceConfig config) {
    XenbusDevice unused = attach(config);
  }

  @Override
  public void takeOut(String name, boolean force) {
    XenbusDevice unused = detach(name, force);
  }

  @Override
  public DeviceConfig device(String name) {
    return services.device(name);
  }

  @Override
  public List<String> deviceNames() {
    return services.deviceNames();
  }

  /** See {@link DomainServices#detach}. */
  public XenbusDevice detach(String name, boolean force) {
    return services.detach(name, force);
  }

  @Override
  public void resize(String name, long sizeBytes) {
    services.resize(name, sizeBytes);
  }

  /** Leaves host times out of {@link #stats}, which then cost nothing. Before {@link #run}. */
  @Override
  public void withoutTimes() {
    hypervisor.stopwatch().stop(true);
  }

  /** What the guest has asked of the hypervisor so far; after {@link #run}. */
  @Override
  public GuestStats stats() {
    return GuestStats.of(hypervisor, domain, services.counts());
  }

  @Override
  public GuestCounts counts() {
    return GuestCounts.of(hypervisor, domain, services.movedBytes());
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
    services.close();
    hypervisor.close();
  }
}
