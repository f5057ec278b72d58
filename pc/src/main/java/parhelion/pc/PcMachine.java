package parhelion.pc;

import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import parhelion.cpu.Cpu;
import parhelion.cpu.CpuModel;
import parhelion.cpu.Mark;
import parhelion.cpu.interp.CodeCache;
import parhelion.pc.acpi.PowerManagement;
import parhelion.pc.intercept.Intercepts;
import parhelion.pc.intercept.ShadowPaging;
import parhelion.pc.interrupt.ApicMessage;
import parhelion.pc.interrupt.Interrupts;
import parhelion.pc.interrupt.LocalApic;
import parhelion.pc.time.Hpet;
import parhelion.pc.time.MachineClock;
import parhelion.pc.time.Pit;
import parhelion.pc.time.Rtc;
import parhelion.pc.time.TimerQueue;

/**
 * An emulated PC: processors, memory, interrupt controllers and timers on a board into which
 * devices are plugged. {@link #run} runs all of it on one thread, the processors in turn; other
 * threads hand it work by {@link #post}. With nothing to do the thread sleeps until the next timer;
 * under a virtual clock, time jumps instead.
 */
public final class PcMachine implements Board, AutoCloseable {
  /** Why a machine stopped. */
  public enum End {
    /** Software has switched it off. */
    OFF,
    /** Software has reset it. */
    RESET,
    /** A triple fault, which resets a PC. */
    TRIPLE_FAULT
  }

  /** Slices in nanoseconds: of one processor alone, and with others waiting. */
  private static final long LONG_SLICE_NANOS = 10_000_000;

  private static final long SHORT_SLICE_NANOS = 1_000_000;
  private static final long MIN_INSTRUCTIONS = 500;

  /** What a display has. */
  private static final int DEVICE_MEMORY_BYTES = 8 << 20;

  private static final long MAX_INSTRUCTIONS = 200_000;
  private static final long MAX_PARK_NANOS = 1_000_000_000L;
  private static final SecureRandom ENTROPY = new SecureRandom();

  private final PcConfig config;
  private final MachineClock clock;
  private final Intercepts intercepts = new Intercepts();
  private @Nullable ShadowPaging shadowPaging;
  private final PcMemory memory;
  private final CodeCache code;
  private final PortMap ports = new PortMap(intercepts);
  private final MemoryMap memoryMap = new MemoryMap(intercepts);
  private final TimerQueue timers;
  private final List<PcVcpu> vcpus = new ArrayList<>();
  private final List<LocalApic> apics = new ArrayList<>();
  private final Interrupts interrupts;
  private final Pit pit;
  private final Rtc rtc;
  private final Hpet hpet;
  private final PowerManagement power;
  private @Nullable SplittableRandom seeded;
  private Mark.@Nullable Listener markListener;
  private final ConcurrentLinkedQueue<Runnable> posted = new ConcurrentLinkedQueue<>();
  private volatile @Nullable Thread thread;
  private volatile @Nullable PcVcpu current;
  private volatile boolean stopRequested;
  private @Nullable End end;
  private final boolean built;
  private GuestInterface guestInterface = GuestInterface.NONE;
  private int turn;
  private long sliceEndNanos;
  private long runNanos;

  /** Instructions a microsecond, as measured. */
  private double rate = 50;

  /**
   * A machine after its reset; nothing runs yet.
   *
   * @throws parhelion.cpu.EngineUnavailableException where this host cannot run the engine
   */
  public PcMachine(PcConfig config, MachineClock clock) {
    this.config = config;
    this.clock = clock;
    seeded = clock.isVirtual() ? new SplittableRandom(config.memoryBytes()) : null;
    memory =
        new PcMemory(
            config.memoryBytes(),
            config.firmware(),
            config.ownFrames(),
            config.board() == PcConfig.BoardKind.PC ? DEVICE_MEMORY_BYTES : 0);
    boolean made = false;
    try {
      code = new CodeCache(memory.machine(), config.engine());
      timers = new TimerQueue(clock, this::timerIsSooner);
      interrupts = new Interrupts(apics, this::externalChanged);
      for (int i = 0; i < config.vcpus(); i++) {
        PcVcpu vcpu = new PcVcpu(this, i);
        vcpus.add(vcpu);
        apics.add(vcpu.apic());
      }
      boolean onBoard = config.board() == PcConfig.BoardKind.PC;
      if (onBoard) {
        interrupts.plug(this);
      }
      hpet = new Hpet(timers, interrupts::line);
      pit = new Pit(timers, interrupts.line(0));
      rtc = new Rtc(timers, interrupts.line(8));
      power =
          new PowerManagement(
              timers,
              interrupts.line(PowerManagement.LINE),
              () -> finish(End.OFF),
              () -> finish(End.RESET));
      if (onBoard) {
        hpet.plug(this);
        pit.plug(this);
        rtc.plug(this);
        power.plug(this);
        mapPorts(
            SystemControl.PORT, 1, "system control", new SystemControl(() -> finish(End.RESET)));
      }
      made = true;
    } finally {
      if (!made) {
        vcpus.forEach(PcVcpu::close);
        memory.close();
      }
    }
    built = true;
  }

  /** Offers an interface beside the hardware; before the machine runs. */
  public void offer(GuestInterface offered) {
    guestInterface = offered;
  }

  GuestInterface guestInterface() {
    return guestInterface;
  }

  /** Whether the 8259s, and what belongs to them, are there. */
  boolean hasLegacyInterrupts() {
    return config.board() == PcConfig.BoardKind.PC;
  }

  /** What is at a physical page has changed: processors may have looked at it before. */
  public void memoryChanged() {
    vcpus.forEach(vcpu -> vcpu.cpu().flushTlbs());
  }

  // --- the board ---

  @Override
  public Mapping mapPorts(int first, int count, String device, Registers registers) {
    RegisterRange range = ports.map(first, count, device, registers);
    return () -> ports.unmap(range);
  }

  @Override
  public Mapping mapMemory(long start, long length, String device, Registers registers) {
    RegisterRange range = memoryMap.map(start, length, device, registers);
    reachedAnew(range);
    return () -> {
      reachedAnew(range);
      memoryMap.unmap(range);
    };
  }

  /** Processors may know places in the range that device memory is at, or was. */
  private void reachedAnew(RegisterRange range) {
    if (memoryMap.overlapsDeviceMemory(range)) {
      memoryChanged();
    }
  }

  @Override
  public DeviceMemory deviceMemory(int bytes) {
    return memory.deviceMemory(bytes);
  }

  @Override
  public InterruptLine line(int gsi) {
    return interrupts.line(gsi);
  }

  @Override
  public void message(long address, int data) {
    if (ApicMessage.isMessage(address)) {
      interrupts.deliver(ApicMessage.of(address, data));
    }
  }

  @Override
  public GuestMemory memory() {
    return memory;
  }

  @Override
  public Timers timers() {
    return timers;
  }

  @Override
  public void post(Runnable action) {
    posted.add(action);
    PcVcpu running = current;
    if (running != null) {
      running.cpu().requestAttention();
    }
    Thread t = thread;
    if (t != null) {
      LockSupport.unpark(t);
    }
  }

  // --- its parts ---

  public PcMemory ram() {
    return memory;
  }

  public CodeCache code() {
    return code;
  }

  public MachineClock clock() {
    return clock;
  }

  public Intercepts intercepts() {
    return intercepts;
  }

  /** Takes account of shadow page tables; null where that is not asked for. */
  @Nullable ShadowPaging shadowPaging() {
    if (shadowPaging == null && intercepts.countsUnassisted()) {
      shadowPaging = new ShadowPaging(ram().machine(), intercepts);
    }
    return shadowPaging;
  }

  public List<PcVcpu> vcpus() {
    return Collections.unmodifiableList(vcpus);
  }

  public Interrupts interrupts() {
    return interrupts;
  }

  public Rtc rtc() {
    return rtc;
  }

  public PowerManagement power() {
    return power;
  }

  CpuModel model() {
    return config.model();
  }

  PortMap portMap() {
    return ports;
  }

  MemoryMap memoryMap() {
    return memoryMap;
  }

  boolean isBuilt() {
    return built;
  }

  /** Gives software the random numbers of a seed instead of the host's: a run can be repeated. */
  public void repeatRandom(long seed) {
    seeded = new SplittableRandom(seed);
  }

  /** Tells {@code listener} of every measurement mark of the guest's, or nobody. */
  public void setMarkListener(Mark.@Nullable Listener listener) {
    markListener = listener;
  }

  Mark.@Nullable Listener markListener() {
    return markListener;
  }

  /** Random bits for guests: repeatable under a virtual clock. */
  long random() {
    SplittableRandom random = seeded;
    return random == null ? ENTROPY.nextLong() : random.nextLong();
  }

  // --- running ---

  /** Runs until software ends the machine or {@link #stop}; null for the latter. */
  public @Nullable End run() {
    thread = Thread.currentThread();
    try {
      while (end == null && !stopRequested && !Thread.currentThread().isInterrupted()) {
        if (!step()) {
          idle();
        }
      }
    } finally {
      thread = null;
    }
    return end;
  }

  /** Makes {@link #run} return soon. Any thread. */
  public void stop() {
    stopRequested = true;
    post(() -> {});
  }

  /** Ends the machine, from one of its devices. */
  public void finish(End why) {
    if (end == null) {
      end = why;
    }
    PcVcpu running = current;
    if (running != null) {
      running.cpu().stop();
    }
  }

  /** A triple fault. */
  void shutdown(PcVcpu vcpu) {
    vcpu.cpu().stop();
    finish(End.TRIPLE_FAULT);
  }

  private boolean step() {
    for (Runnable work = posted.poll(); work != null; work = posted.poll()) {
      work.run();
    }
    timers.fire(clock.nanos());
    int count = vcpus.size();
    for (int i = 0; i < count; i++) {
      PcVcpu vcpu = vcpus.get((turn + i) % count);
      if (vcpu.isRunnable() && vcpu.prepare()) {
        turn = (turn + i + 1) % count;
        slice(vcpu, othersWait(vcpu));
        return true;
      }
    }
    return false;
  }

  private boolean othersWait(PcVcpu vcpu) {
    for (PcVcpu other : vcpus) {
      if (other != vcpu && other.isRunnable()) {
        return true;
      }
    }
    return false;
  }

  private void slice(PcVcpu vcpu, boolean shared) {
    Cpu cpu = vcpu.cpu();
    long from = cpu.retired;
    clock.started(cpu);
    long start = clock.nanos();
    long nanos = shared ? SHORT_SLICE_NANOS : LONG_SLICE_NANOS;
    nanos = Math.clamp(timers.nextNanos() - start, 0, nanos);
    sliceEndNanos = start + nanos;
    current = vcpu;
    guestInterface.entering(vcpu);
    try {
      // In real time, not so many that a guess of their rate makes timers late.
      long instructions =
          clock.isVirtual() ? nanos : Math.min(MAX_INSTRUCTIONS, (long) (nanos * rate / 1000));
      run(cpu, posted.isEmpty() ? Math.max(MIN_INSTRUCTIONS, instructions) : MIN_INSTRUCTIONS);
    } finally {
      guestInterface.left(vcpu);
      current = null;
      long took = clock.nanos() - start;
      runNanos += took;
      measure(cpu.retired - from, took);
      clock.stopped();
    }
  }

  private void run(Cpu cpu, long instructions) {
    if (clock.isVirtual()) {
      cpu.run(instructions);
    } else {
      cpu.runAbout(instructions);
    }
  }

  private void measure(long instructions, long nanos) {
    if (!clock.isVirtual() && nanos > 20_000) {
      double measured = Math.clamp(instructions * 1000.0 / nanos, 1, 10_000);
      rate += (measured - rate) / 4;
    }
  }

  private void idle() {
    if (guestInterface.idle()) {
      return;
    }
    long next = timers.nextNanos();
    if (clock.isVirtual() && next != Long.MAX_VALUE) {
      clock.advanceTo(next);
      return;
    }
    long nanos = Math.min(MAX_PARK_NANOS, next - clock.nanos());
    if (nanos > 0 && posted.isEmpty() && !stopRequested) {
      LockSupport.parkNanos(this, nanos);
    }
  }

  /** Whether the running slice has to end. */
  boolean mustStop() {
    return end != null || stopRequested || !posted.isEmpty() || timers.nextNanos() <= clock.nanos();
  }

  /** A timer was set that is due before the slice ends. */
  private void timerIsSooner() {
    PcVcpu running = current;
    if (running != null && timers.nextNanos() < sliceEndNanos) {
      running.cpu().stop();
    }
  }

  /** The 8259s' output has changed. */
  private void externalChanged() {
    if (built) {
      vcpus.get(0).interruptsChanged();
    }
  }

  /** A processor only waits: if another can run, or a timer is due, that comes first. */
  void mayYield(PcVcpu vcpu) {
    if (!clock.isVirtual() && clock.nanos() >= sliceEndNanos
        || vcpus.size() > 1 && othersWait(vcpu)) {
      vcpu.cpu().stop();
    }
  }

  /** Lets another processor run in the place of the one that runs, if it can. */
  public void yieldTo(PcVcpu vcpu) {
    if (vcpu.isRunnable()) {
      wake(vcpu);
    }
  }

  /** A processor has something to do: where another runs, that soon makes room. */
  void wake(PcVcpu vcpu) {
    PcVcpu running = current;
    if (running != null && running != vcpu) {
      turn = vcpu.id();
      running.cpu().stop();
    }
  }

  /** The processor that runs now, or null between slices. Any thread. */
  public @Nullable PcVcpu current() {
    return current;
  }

  /** Nanoseconds of the machine's time in which processors ran. */
  public long runNanos() {
    return runNanos;
  }

  /** Gives everything back; the machine must not be running. */
  @Override
  public void close() {
    vcpus.forEach(PcVcpu::close);
    memory.close();
  }
}
