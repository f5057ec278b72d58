package parhelion.pc;

import parhelion.cpu.Cpu;
import parhelion.cpu.CpuState;
import parhelion.cpu.Exceptions;
import parhelion.cpu.GuestFault;
import parhelion.cpu.Rflags;
import parhelion.cpu.Segments;
import parhelion.pc.intercept.Cause;
import parhelion.pc.intercept.Intercepts;
import parhelion.pc.interrupt.ApicMessage;
import parhelion.pc.interrupt.LocalApic;

/**
 * A processor of the machine: the CPU, its local APIC, and what comes to it from outside:
 * interrupts, NMI, INIT and start-up. On the thread that runs the machine.
 */
public final class PcVcpu implements AutoCloseable {
  private static final long APIC_DEFAULT = 0xfee0_0000L;
  private static final int APIC_BOOTSTRAP = 0x100;
  private static final int APIC_X2 = 0x400;
  private static final int APIC_ENABLE = 0x800;
  private static final int NO_START = -1;

  private final PcMachine machine;
  private final int id;
  private final Cpu cpu;
  private final LocalApic apic;
  private final Intercepts.Counter externals;
  private final Intercepts.Counter nmis;
  private final Intercepts.Counter[] vectors = new Intercepts.Counter[256];

  /** Waits for a start-up message: all but the first processor do after reset. */
  private boolean waitsForStart;

  private boolean halted;

  /** Does not run, whatever comes, until it is unparked or started anew. */
  private boolean parked;

  private boolean nmiPending;
  private boolean initPending;
  private int startVector = NO_START;

  PcVcpu(PcMachine machine, int id) {
    this.machine = machine;
    this.id = id;
    cpu =
        new Cpu(
            machine.ram().machine(), machine.code(), new PcMonitor(machine, this), machine.model());
    apic = new LocalApic(id, new Wiring(), machine.timers());
    externals = machine.intercepts().counter(Cause.INJECTION, "cpu", "8259");
    nmis = machine.intercepts().counter(Cause.INJECTION, "cpu", "NMI");
    reset();
  }

  /** The state after the machine's reset. */
  void reset() {
    cpu.reset();
    cpu.put64(CpuState.APIC_BASE, APIC_DEFAULT | APIC_ENABLE | (id == 0 ? APIC_BOOTSTRAP : 0));
    apic.mode(true, false);
    apic.reset();
    waitsForStart = id != 0;
    halted = false;
    parked = false;
    nmiPending = false;
    initPending = false;
    startVector = NO_START;
  }

  public int id() {
    return id;
  }

  public Cpu cpu() {
    return cpu;
  }

  public LocalApic apic() {
    return apic;
  }

  @Override
  public void close() {
    cpu.close();
  }

  // --- running ---

  /** Whether it has something to do. */
  boolean isRunnable() {
    if (initPending || startVector != NO_START && waitsForStart) {
      return true;
    }
    return !waitsForStart && !parked && (!halted || wakes());
  }

  /** Whether what waits ends a HLT. */
  private boolean wakes() {
    return nmiPending && !cpu.nmiBlocked
        || (cpu.get64(CpuState.RFLAGS) & Rflags.IF) != 0 && hasInterrupt();
  }

  private boolean hasInterrupt() {
    GuestInterface offered = machine.guestInterface();
    offered.noticeEnds(this);
    return offered.waitingVector(this) >= 0 || apic.hasInterrupt() || hasExternal();
  }

  /** The 8259s are wired to the first processor. */
  private boolean hasExternal() {
    return id == 0
        && machine.hasLegacyInterrupts()
        && machine.interrupts().pic().asks()
        && apic.acceptsExternal();
  }

  /** Does what came by messages while it did not run; before each slice. False: not to be run. */
  boolean prepare() {
    if (initPending) {
      initPending = false;
      init();
    }
    if (startVector != NO_START) {
      int vector = startVector;
      startVector = NO_START;
      if (waitsForStart) {
        start(vector);
      }
    }
    if (waitsForStart || parked) {
      return false;
    }
    halted = halted && !wakes();
    boolean waits = showInterrupts();
    if (!halted && (nmiPending || waits)) {
      cpu.requestAttention();
    }
    return !halted;
  }

  private void init() {
    long base = cpu.get64(CpuState.APIC_BASE);
    cpu.reset();
    cpu.put64(CpuState.APIC_BASE, base);
    apic.reset();
    halted = false;
    parked = false;
    nmiPending = false;
    waitsForStart = id != 0;
  }

  private void start(int vector) {
    Segments.set(cpu, CpuState.CS, vector << 8, (long) vector << 12, 0xffff, 0x9b);
    cpu.rip(0);
    cpu.updateMode();
    waitsForStart = false;
  }

  /** Starts it with the registers that it has, as a start-up message would elsewhere. */
  public void startAsIs() {
    waitsForStart = false;
    halted = false;
    parked = false;
    machine.wake(this);
  }

  /** Whether it has never been started, or waits to be started again. */
  public boolean waitsForStart() {
    return waitsForStart;
  }

  /** Waits as if by HLT, until an interrupt or {@link #wakeUp}. */
  public void waitForWake() {
    halt();
  }

  /** Ends HLT and the like. */
  public void wakeUp() {
    halted = false;
    parked = false;
    machine.wake(this);
  }

  /** Does not run any more until {@link #wakeUp} or a start-up message. */
  public void park() {
    parked = true;
    cpu.stop();
  }

  /** HLT. */
  void halt() {
    halted = true;
    cpu.stop();
  }

  /** Between instructions, when attention was asked for. */
  void attend() {
    if (machine.mustStop() || initPending) {
      cpu.stop();
      return;
    }
    if (nmiPending && !cpu.nmiBlocked) {
      nmiPending = false;
      halted = false;
      cpu.nmiBlocked = true;
      long from = machine.intercepts().now();
      Exceptions.interrupt(cpu, GuestFault.NMI);
      nmis.add(machine.intercepts().now() - from);
      again();
      return;
    }
    if ((cpu.get64(CpuState.RFLAGS) & Rflags.IF) == 0) {
      return;
    }
    long from = machine.intercepts().now();
    GuestInterface offered = machine.guestInterface();
    offered.noticeEnds(this);
    int direct = offered.waitingVector(this);
    if (direct >= 0) {
      halted = false;
      Exceptions.interrupt(cpu, direct);
      counter(direct).add(machine.intercepts().now() - from);
      again();
    } else if (apic.hasInterrupt()) {
      int vector = apic.acknowledge();
      halted = false;
      offered.delivered(this);
      Exceptions.interrupt(cpu, vector);
      counter(vector).add(machine.intercepts().now() - from);
      again();
    } else if (hasExternal()) {
      halted = false;
      Exceptions.interrupt(cpu, machine.interrupts().pic().acknowledge());
      externals.add(machine.intercepts().now() - from);
      again();
    } else {
      boolean unused = showInterrupts();
    }
  }

  private Intercepts.Counter counter(int vector) {
    Intercepts.Counter counter = vectors[vector];
    if (counter == null) {
      counter = machine.intercepts().counter(Cause.INJECTION, "cpu", "vector " + vector);
      vectors[vector] = counter;
    }
    return counter;
  }

  /** Something else may wait that the handler's first instruction is already to be held up by. */
  private void again() {
    boolean waits = showInterrupts();
    if (nmiPending || (cpu.get64(CpuState.RFLAGS) & Rflags.IF) != 0 && waits) {
      cpu.requestAttention();
    }
  }

  // --- what comes from outside ---

  /** Says in the state block, for generated code, whether an interrupt waits for IF. */
  private boolean showInterrupts() {
    boolean waits = hasInterrupt();
    cpu.put64(CpuState.INTERRUPT_WAITS, waits ? 1 : 0);
    return waits;
  }

  /** An interrupt may have become deliverable, or be no longer. */
  public void interruptsChanged() {
    if (showInterrupts()) {
      cpu.requestAttention();
      machine.wake(this);
    }
  }

  /** A non-maskable interrupt. */
  public void nmi() {
    nmiPending = true;
    cpu.requestAttention();
    machine.wake(this);
  }

  /** IA32_APIC_BASE is written; false for #GP. */
  boolean apicBase(long value) {
    boolean enable = (value & APIC_ENABLE) != 0;
    boolean extended = (value & APIC_X2) != 0;
    long old = cpu.get64(CpuState.APIC_BASE);
    boolean wasExtended = (old & APIC_X2) != 0;
    if (extended && !enable
        || wasExtended && enable && !extended
        || extended && (old & APIC_ENABLE) == 0) {
      return false;
    }
    cpu.put64(CpuState.APIC_BASE, value & ~APIC_BOOTSTRAP | old & APIC_BOOTSTRAP);
    cpu.flushTlbs();
    apic.mode(enable, extended);
    return true;
  }

  /** Whether the local APIC's registers are in the page of a physical address. */
  boolean isApicPage(long address) {
    return apic.isEnabled()
        && !apic.isX2apic()
        && (address & -4096L) == (cpu.get64(CpuState.APIC_BASE) & -4096L);
  }

  private final class Wiring implements LocalApic.Wires {
    @Override
    public void changed() {
      if (machine.isBuilt()) {
        interruptsChanged();
      }
    }

    @Override
    public void softwareEnabled() {
      machine.guestInterface().apicEnabled(PcVcpu.this);
    }

    @Override
    public void nmi() {
      PcVcpu.this.nmi();
    }

    @Override
    public void init() {
      initPending = true;
      startVector = NO_START;
      cpu.requestAttention();
      machine.wake(PcVcpu.this);
    }

    @Override
    public void startUp(int vector) {
      startVector = vector;
      machine.wake(PcVcpu.this);
    }

    @Override
    public void send(LocalApic from, ApicMessage message) {
      machine.interrupts().deliver(from, message);
    }

    @Override
    public void endOfInterrupt(int vector) {
      machine.guestInterface().levelEnds();
      machine.interrupts().ioApic().endOfInterrupt(vector);
    }

    @Override
    public int taskPriorityClass() {
      return cpu.get32(CpuState.CR8);
    }

    @Override
    public void taskPriorityClass(int priorityClass) {
      cpu.put64(CpuState.CR8, priorityClass);
    }
  }
}
