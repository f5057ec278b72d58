package parhelion.toolstack.guest;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import parhelion.backends.console.ConsoleSink;
import parhelion.cpu.Cpu;
import parhelion.cpu.CpuState;
import parhelion.cpu.EngineUnavailableException;
import parhelion.cpu.Mark;
import parhelion.pc.PcConfig;
import parhelion.pc.PcMachine;
import parhelion.pc.PcVcpu;
import parhelion.pc.intercept.TrapModel;
import parhelion.pc.kvm.KvmInterface;
import parhelion.pc.time.HostClock;
import parhelion.pc.time.MachineClock;
import parhelion.toolstack.EngineNotes;
import parhelion.toolstack.PerfMap;
import parhelion.toolstack.Screen;
import parhelion.toolstack.UserError;
import parhelion.toolstack.device.DeviceConfig;
import parhelion.toolstack.device.PcInterface;
import parhelion.toolstack.hvm.PvhBoot;
import parhelion.toolstack.hvm.SharedConsole;
import parhelion.toolstack.hvm.XenUnderPc;
import parhelion.toolstack.image.KernelSymbols;
import parhelion.toolstack.link.DomainServices;

/**
 * One guest under full virtualisation: an emulated PC with a kernel in its memory and the console
 * on its first serial port.
 */
public final class PcGuest implements Guest {
  private static final long MIB = 1 << 20;

  private final PcSetup setup;
  private final PcMachine machine;

  /** Null on a board without any. */
  private final @Nullable PcHardware hardware;

  private final @Nullable XenUnderPc xen;
  private @Nullable GuestTrace trace;
  private @Nullable TrapModel trapModel;
  private @Nullable GuestProfile profile;
  private @Nullable PcTrace interceptions;
  private @Nullable PerfMap perfMap;
  private volatile Outcome.@Nullable Kind stopped;
  private boolean closed;

  /** Builds a guest in real time; nothing runs yet. */
  public PcGuest(GuestConfig config, GuestOutput output) {
    this(PcSetup.of(config), output);
  }

  /** Builds a guest in real time; nothing runs yet. */
  public PcGuest(PcSetup setup, GuestOutput output) {
    this(setup, new HostClock(), output.sink());
  }

  /** Builds a guest whose console nobody reads but afterwards; nothing runs yet. */
  public PcGuest(PcSetup setup, MachineClock clock, ConsoleTail console) {
    this(setup, clock, (ConsoleSink) console);
  }

  /** Builds the guest; nothing runs yet. */
  public PcGuest(PcSetup setup, MachineClock clock, ConsoleSink sink) {
    this.setup = setup;
    machine = machineFor(setup, clock);
    boolean made = false;
    try {
      SharedConsole shared = new SharedConsole(sink);
      hardware = setup.isBare() ? null : new PcHardware(machine, setup, shared.part());
      xen = setup.offered() == PcInterface.XEN ? underXen(shared.part()) : null;
      if (setup.offered() == PcInterface.KVM) {
        var unused = KvmInterface.offer(machine);
      }
      PcStart start = new PcStart(machine, setup, hardware);
      switch (setup.start()) {
        case PcSetup.Kernel kernel -> start.boot(kernel.config());
        case PcSetup.Pvh pvh -> startPvh(pvh.config());
        case PcSetup.Multiboot multiboot -> start.boot(multiboot);
        case PcSetup.Firmware _ -> start.describeToFirmware();
      }
      made = true;
    } finally {
      if (!made) {
        machine.close();
      }
    }
  }

  private void startPvh(GuestConfig config) {
    for (DeviceConfig device : config.devices()) {
      if (!device.isSplit(PcInterface.XEN)) {
        throw new UserError(
            device.name() + ": there is no hardware with --mode pvh: leave its bus or model out");
      }
    }
    PvhBoot.load(
        machine,
        Objects.requireNonNull(xen).domain(),
        config.kernel(),
        config.initrd(),
        config.commandLine());
  }

  private XenUnderPc underXen(ConsoleSink output) {
    GuestConfig config = setup.kernel();
    XenUnderPc under =
        new XenUnderPc(
            machine,
            new DomainServices.Description(
                config == null ? "pc" : config.name(),
                setup.vcpus(),
                setup.memoryMib() * 1024L,
                config == null ? "firmware" : config.kernel().name(),
                config == null ? "" : config.commandLine()),
            hardware == null ? null : hardware.devices(),
            output);
    under.attach(setup.devices());
    return under;
  }

  private static PcMachine machineFor(PcSetup config, MachineClock clock) {
    long hostMib = HostMemory.totalMib();
    if (config.memoryMib() > hostMib) {
      throw new UserError(
          "a guest of "
              + config.memoryMib()
              + " MiB does not fit into this host's "
              + hostMib
              + " MiB: give less --memory");
    }
    if (config.memoryMib() < 2) {
      throw new UserError("a PC of less than 2 MiB: give more --memory");
    }
    try {
      return new PcMachine(
          new PcConfig(
              config.memoryMib() * MIB,
              config.vcpus(),
              config.cpu().model(),
              config.cpu().engine(),
              config.start() instanceof PcSetup.Firmware firmware ? firmware.image() : new byte[0],
              config.isBare() ? PcConfig.BoardKind.BARE : PcConfig.BoardKind.PC,
              config.offered() == PcInterface.XEN
                  ? XenUnderPc.ownFrames(config.memoryMib() * MIB)
                  : 0),
          clock);
    } catch (EngineUnavailableException e) {
      throw EngineNotes.unavailable(e);
    } catch (OutOfMemoryError e) {
      throw new UserError(
          "the host has no room for a guest of " + config.memoryMib() + " MiB: give less --memory",
          e);
    }
  }

  /** The machine, to be looked at or driven by tests. */
  public PcMachine machine() {
    return machine;
  }

  @Override
  public Outcome run() {
    PcMachine.End end = machine.run();
    if (hardware != null) {
      hardware.pass();
    }
    XenUnderPc under = xen;
    if (under != null) {
      under.services().console().runAll();
      if (under.domain().shutdownReason() != null) {
        return GuestReport.outcome(under.domain(), this::symbols);
      }
    }
    if (end == null) {
      Outcome.Kind why = stopped;
      return new Outcome(why == null ? Outcome.Kind.LEFT : why, "");
    }
    return switch (end) {
      case OFF -> new Outcome(Outcome.Kind.POWEROFF, "");
      case RESET -> new Outcome(Outcome.Kind.REBOOT, "");
      case TRIPLE_FAULT -> new Outcome(Outcome.Kind.CRASH, report());
    };
  }

  private @Nullable KernelSymbols symbols() {
    GuestConfig config = setup.kernel();
    return config == null ? null : config.symbols().get();
  }

  private String report() {
    StringBuilder text = new StringBuilder("parhelion: the guest crashed: triple fault");
    KernelSymbols symbols = symbols();
    for (PcVcpu vcpu : machine.vcpus()) {
      Cpu cpu = vcpu.cpu();
      String at = symbols == null ? "" : " " + symbols.describe(cpu.rip());
      text.append(
          String.format(
              Locale.ROOT,
              "%nvcpu %d: rip %016x%s rsp %016x rflags %08x%n  cr0 %08x cr2 %016x cr3 %012x cr4"
                  + " %08x",
              vcpu.id(),
              cpu.rip(),
              at,
              cpu.get64(CpuState.RSP),
              cpu.rflags(),
              cpu.get64(CpuState.CR0),
              cpu.get64(CpuState.CR2),
              cpu.get64(CpuState.CR3),
              cpu.get64(CpuState.CR4)));
    }
    return text.toString();
  }

  @Override
  public void stop(Outcome.Kind why) {
    stopped = why;
    machine.stop();
  }

  @Override
  public void input(byte[] bytes, int offset, int length) throws InterruptedException {
    if (hardware != null) {
      hardware.input(bytes, offset, length);
    } else if (xen != null) {
      xen.services().console().feed(bytes, offset, length);
    }
  }

  @Override
  public Screen screen() {
    return hardware == null ? Guest.super.screen() : hardware.screen();
  }

  @Override
  public void type(String text) {
    if (hardware == null) {
      Guest.super.type(text);
    } else {
      hardware.type(text);
    }
  }

  /** A serial line knows no size. */
  @Override
  public void consoleSize(int columns, int rows) {
    if (xen != null) {
      xen.services().consoleSize(columns, rows);
    }
  }

  @Override
  public void requestShutdown() {
    if (hardware != null) {
      machine.post(() -> machine.power().pressPowerButton());
    }
    if (xen != null) {
      xen.services().requestShutdown();
    }
  }

  @Override
  public void memoryTarget(int mib) {
    if (xen != null) {
      xen.services().memoryTarget(mib * 1024L);
    } else if (hardware == null || !hardware.giveUp(setup.memoryMib() - mib)) {
      throw new UserError("a PC gives memory up by a balloon: start it with --virtio-balloon 0");
    }
  }

  @Override
  public int heldMib() {
    if (xen != null) {
      return (int) (xen.domain().totPages >> 8);
    }
    return setup.memoryMib() - (hardware == null ? 0 : hardware.devices().givenUpMib());
  }

  @Override
  public String engine() {
    return machine.code().engine().label;
  }

  @Override
  public @Nullable String engineNote() {
    return EngineNotes.ofFallback(machine.code());
  }

  @Override
  public void mapForPerf() {
    KernelSymbols symbols = symbols();
    perfMap =
        PerfMap.begin(
            machine.code(),
            va -> symbols == null || va >= 0 ? "0x" + Long.toHexString(va) : symbols.describe(va));
  }

  @Override
  public @Nullable String finishPerfMap() {
    PerfMap taken = perfMap;
    perfMap = null;
    return taken == null ? null : taken.finish();
  }

  @Override
  public void traceTo(Path file) {
    if (xen == null) {
      interceptions = PcTrace.begin(machine, file);
    } else {
      trace = GuestTrace.begin(xen.hypervisor(), file);
    }
  }

  @Override
  public @Nullable IOException finishTrace() {
    GuestTrace taken = trace;
    trace = null;
    PcTrace others = interceptions;
    interceptions = null;
    return taken != null ? taken.finish() : others == null ? null : others.finish();
  }

  @Override
  public void profile() {
    profile =
        new GuestProfile(
            () -> {
              PcVcpu running = machine.current();
              return running == null ? null : running.cpu();
            });
  }

  @Override
  public String profileTable(int rows) {
    GuestProfile taken = profile;
    if (taken == null) {
      return "";
    }
    taken.close();
    return taken.asTable(symbols(), rows);
  }

  @Override
  public void withoutTimes() {
    machine.intercepts().measureTime(false);
    if (xen != null) {
      xen.hypervisor().stopwatch().stop(true);
    }
  }

  @Override
  public PcStats stats() {
    return PcStats.of(machine, xen, trapModel);
  }

  @Override
  public GuestCounts counts() {
    return GuestCounts.of(machine, xen);
  }

  @Override
  public void onMark(Mark.Listener listener) {
    machine.setMarkListener(listener);
  }

  @Override
  public void repeatRandom(long seed) {
    machine.repeatRandom(seed);
  }

  /** The names of hardware to compare with, for messages. */
  public static String trapModels() {
    return String.join(", ", Arrays.stream(TrapModel.values()).map(model -> model.label).toList());
  }

  /** Whether hardware to compare with has that name. */
  public static boolean isTrapModel(String label) {
    return TrapModel.of(label) != null;
  }

  /** Has {@link #stats} show what exits hardware of that name would have taken. Before it runs. */
  public void compareWith(String label) {
    trapModel = TrapModel.of(label);
    countUnassisted();
  }

  /**
   * Counts also what only a hypervisor without assistance by the processor has to see to, which
   * makes the guest slower. Before it runs.
   */
  public void countUnassisted() {
    machine.intercepts().countUnassisted();
  }

  /** Those of the board, and Xen's. */
  private Stream<DeviceConfig> devices() {
    return hardware == null ? Stream.of() : hardware.devices().plugged().stream();
  }

  @Override
  public List<String> deviceNames() {
    Stream<String> split = xen == null ? Stream.of() : xen.services().deviceNames().stream();
    return Stream.concat(devices().map(DeviceConfig::name), split).sorted().toList();
  }

  private @Nullable DeviceConfig onBoard(String name) {
    return devices().filter(device -> device.name().equals(name)).findFirst().orElse(null);
  }

  @Override
  public DeviceConfig device(String name) {
    DeviceConfig found = onBoard(name);
    if (found != null) {
      return found;
    }
    if (xen != null) {
      return xen.services().device(name);
    }
    throw new UserError("there is no device " + name + ": " + String.join(", ", deviceNames()));
  }

  @Override
  public void plugIn(DeviceConfig device) {
    if (onBoard(device.name()) != null) {
      throw new UserError("there is a device " + device.name() + ": give another name");
    }
    if (xen != null && device.isSplit(setup.offered())) {
      var unused = xen.services().attach(device);
    } else if (hardware != null && !device.isSplit(setup.offered())) {
      hardware.plugIn(device);
    } else {
      throw new UserError(
          device.name() + ": there is no hardware with --mode pvh: leave its bus or model out");
    }
  }

  @Override
  public void takeOut(String name, boolean force) {
    if (hardware != null && (xen == null || onBoard(name) != null)) {
      hardware.takeOut(name, force);
    } else if (xen != null) {
      var unused = xen.services().detach(name, force);
    }
  }

  @Override
  public void resize(String name, long sizeBytes) {
    DeviceConfig disk = onBoard(name);
    if (hardware != null && disk != null) {
      hardware.resize(disk, sizeBytes);
    } else if (xen != null) {
      xen.services().resize(name, sizeBytes);
    } else {
      throw new UserError("there is no disk " + name + ": " + String.join(", ", deviceNames()));
    }
  }

  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    if (profile != null) {
      profile.close();
    }
    String unused = finishPerfMap();
    IOException ignored = finishTrace();
    if (xen != null) {
      xen.close();
    }
    if (hardware != null) {
      hardware.close();
    }
    machine.close();
  }
}
