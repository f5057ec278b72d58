package parhelion.toolstack.hvm;

import org.jspecify.annotations.Nullable;
import parhelion.cpu.Cpu;
import parhelion.pc.InterruptLine;
import parhelion.pc.PcMachine;
import parhelion.pc.PcMemory;
import parhelion.pc.PcVcpu;
import parhelion.pc.Timers;
import parhelion.pc.interrupt.IoApic;
import parhelion.pc.pci.PciBus;
import parhelion.pc.pci.PirqRouter;
import parhelion.xen.Domain;
import parhelion.xen.HvmMachine;
import parhelion.xen.Scheduler;
import parhelion.xen.Vcpu;
import parhelion.xen.VcpuRunner;

/**
 * An emulated PC as Xen sees a fully virtualised domain: its processors, its memory, and who runs
 * them. Read {@link XenInterface} next, which is the other way. On the machine's thread, but for
 * {@link #post}.
 */
final class XenMachine implements HvmMachine, VcpuRunner {
  private final PcMachine machine;
  private final PcMemory memory;
  private final Timers.Timer timer;
  private final @Nullable PciBus bus;

  /** By number; made when the guest first names them. */
  private final @Nullable InterruptLine[] lines = new InterruptLine[IoApic.PINS];

  private final @Nullable InterruptLine[] wires = new InterruptLine[PirqRouter.WIRES];
  private @Nullable Domain domain;

  /** {@code bus} is null for a machine without PCI. */
  XenMachine(PcMachine machine, @Nullable PciBus bus) {
    this.machine = machine;
    this.bus = bus;
    memory = machine.ram();
    timer = machine.timers().timer(this::turn);
  }

  /** Names the domain that the machine is. */
  void become(Domain d) {
    domain = d;
    sooner();
  }

  private PcVcpu vcpu(int id) {
    return machine.vcpus().get(id);
  }

  // --- the machine ---

  @Override
  public Cpu cpu(int vcpu) {
    return vcpu(vcpu).cpu();
  }

  @Override
  public long memoryFrame(long gfn) {
    return memory.isMemory(gfn) ? gfn : -1;
  }

  @Override
  public boolean show(long gfn, long mfn) {
    boolean shown = memory.show(gfn, mfn);
    machine.memoryChanged();
    return shown;
  }

  @Override
  public void hide(long gfn) {
    memory.hide(gfn);
    machine.memoryChanged();
  }

  @Override
  public void withhold(long gfn) {
    memory.withhold(gfn);
    machine.code().dropFrame(gfn);
    machine.memoryChanged();
  }

  @Override
  public boolean giveBack(long gfn) {
    boolean given = memory.giveBack(gfn);
    machine.memoryChanged();
    return given;
  }

  @Override
  public long lastFrame() {
    return memory.lastFrame();
  }

  @Override
  public void interrupt(int vcpu, int vector) {
    vcpu(vcpu).apic().accept(vector, false);
  }

  @Override
  public void eventsPending(int vcpu) {
    vcpu(vcpu).interruptsChanged();
  }

  @Override
  public void line(int gsi, boolean raised) {
    if (gsi >= lines.length) {
      return;
    }
    InterruptLine line = lines[gsi];
    if (line == null) {
      line = machine.line(gsi);
      lines[gsi] = line;
    }
    line.set(raised);
  }

  @Override
  public void pciPin(int device, int pin, boolean raised) {
    if (bus == null) {
      return;
    }
    int wire = PirqRouter.wireOf(device, pin + 1);
    InterruptLine line = wires[wire];
    if (line == null) {
      line = bus.wire(device, pin + 1);
      wires[wire] = line;
    }
    line.set(raised);
  }

  @Override
  public void nmi(int vcpu) {
    vcpu(vcpu).nmi();
  }

  @Override
  public void start(int vcpu) {
    vcpu(vcpu).startAsIs();
  }

  // --- who runs the vcpus ---

  @Override
  public void post(Runnable work) {
    machine.post(work);
  }

  @Override
  public void wake(Vcpu v) {
    vcpu(v.id()).wakeUp();
  }

  @Override
  public void block(Vcpu v) {
    if (v.state.down) {
      vcpu(v.id()).park();
    } else {
      vcpu(v.id()).waitForWake();
    }
  }

  @Override
  public void sooner() {
    Domain d = domain;
    if (d != null) {
      long next = d.hypervisor().scheduler().nextNanos();
      if (next == Long.MAX_VALUE) {
        timer.cancel();
      } else {
        timer.set(next);
      }
    }
  }

  private void turn() {
    Domain d = domain;
    if (d != null) {
      boolean unused = d.hypervisor().scheduler().turn(false);
      sooner();
    }
  }

  /** No vcpu can run: whether something had waited for that. */
  boolean idle() {
    Domain d = domain;
    if (d == null) {
      return false;
    }
    Scheduler scheduler = d.hypervisor().scheduler();
    boolean any = scheduler.turn(true);
    sooner();
    return any;
  }

  @Override
  public @Nullable Vcpu current() {
    PcVcpu running = machine.current();
    Domain d = domain;
    return running == null || d == null ? null : d.vcpus().get(running.id());
  }
}
