package parhelion.pc;

import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;
import parhelion.cpu.Access;
import parhelion.cpu.ControlRegisters;
import parhelion.cpu.Cpu;
import parhelion.cpu.CpuState;
import parhelion.cpu.Exceptions;
import parhelion.cpu.Mark;
import parhelion.cpu.Monitor;
import parhelion.cpu.PageWalker;
import parhelion.cpu.SystemCalls;
import parhelion.cpu.decode.Mnemonic;
import parhelion.cpu.rewrite.Gates;
import parhelion.cpu.rewrite.SystemGates;
import parhelion.pc.intercept.Cause;
import parhelion.pc.intercept.Intercepts;
import parhelion.pc.intercept.ShadowPaging;

/**
 * Full virtualisation: what a processor cannot do by itself goes to the machine around it, as on a
 * board. Page tables are the guest's own; a physical address that is no memory is looked up in the
 * machine's memory map.
 */
final class PcMonitor implements Monitor {
  private static final String[] CONTROLS = {"CR0", "", "CR2", "CR3", "CR4", "", "", "", "CR8"};

  /** The address in CR3. */
  private static final long ROOT = 0x000f_ffff_ffff_f000L;

  private final PcMachine machine;
  private final PcVcpu vcpu;
  private final PcMsrs msrs;
  private final PcMemory memory;
  private final Intercepts intercepts;
  private final Intercepts.Counter[] controls = new Intercepts.Counter[CONTROLS.length];
  private final Intercepts.Counter[] exceptions = new Intercepts.Counter[32];
  private final Intercepts.Counter invalidations;
  private final Intercepts.Counter cpuids;
  private final Intercepts.Counter halts;
  private final Intercepts.Counter systemCalls;
  private final Intercepts.@Nullable Counter[] sensitive =
      new Intercepts.Counter[Mnemonic.values().length];
  private final Gates gates = new CountedGates();
  private final Intercepts.Counter[] apicReads = new Intercepts.Counter[64];
  private final Intercepts.Counter[] apicWrites = new Intercepts.Counter[64];

  PcMonitor(PcMachine machine, PcVcpu vcpu) {
    this.machine = machine;
    this.vcpu = vcpu;
    memory = machine.ram();
    intercepts = machine.intercepts();
    msrs = new PcMsrs(machine, vcpu);
    for (int i = 0; i < CONTROLS.length; i++) {
      controls[i] = intercepts.counter(Cause.CONTROL_WRITE, "cpu", CONTROLS[i]);
    }
    for (int i = 0; i < exceptions.length; i++) {
      exceptions[i] = intercepts.counter(Cause.EXCEPTION, "cpu", "vector " + i);
    }
    invalidations = intercepts.counter(Cause.INVALIDATION, "cpu", "");
    cpuids = intercepts.counter(Cause.CPUID, "cpu", "");
    halts = intercepts.counter(Cause.HALT, "cpu", "");
    systemCalls = intercepts.counter(Cause.SYSTEM_CALL, "cpu", "");
    for (int i = 0; i < 64; i++) {
      String register = "+0x" + Integer.toHexString(i * 16);
      apicReads[i] = intercepts.counter(Cause.MEMORY_READ, "lapic", register);
      apicWrites[i] = intercepts.counter(Cause.MEMORY_WRITE, "lapic", register);
    }
  }

  // --- memory ---

  @Override
  public long translate(Cpu cpu, long va, int access) {
    long result = PageWalker.translate(cpu, va, access);
    ShadowPaging shadows = machine.shadowPaging();
    if (shadows != null && fourLevels(cpu)) {
      result = accounted(shadows, cpu, va, access, result);
    }
    if (result < 0) {
      return result;
    }
    long pa = result & -4096L;
    if (memory.isPlain(pa)) {
      return result;
    }
    long shown = memory.shownAt(pa);
    if (shown >= 0) {
      return shown | result & (Access.MAY_READ | Access.MAY_WRITE | Access.MAY_EXECUTE);
    }
    if (memory.isRom(pa) && (access & 3) != Access.WRITE) {
      long rights = result & (Access.MAY_READ | Access.MAY_EXECUTE);
      return memory.romMachineAddress(pa) | rights;
    }
    long frame = memory.isRom(pa) || vcpu.isApicPage(pa) ? -1 : machine.memoryMap().frameAt(pa);
    if (frame >= 0) {
      return frame | result & (Access.MAY_READ | Access.MAY_WRITE | Access.MAY_EXECUTE);
    }
    return result | Access.HOOKED;
  }

  private static boolean fourLevels(Cpu cpu) {
    return cpu.longMode() && (cpu.get64(CpuState.CR0) & ControlRegisters.CR0_PG) != 0;
  }

  /** A translation of which shadow tables take account: stores to tables come here each time. */
  private long accounted(ShadowPaging shadows, Cpu cpu, long va, int access, long result) {
    if (result < 0) {
      shadows.faulted();
      return result;
    }
    if (shadows.touched(cpu.get64(CpuState.CR3), va)) {
      machine.vcpus().forEach(other -> other.cpu().flushTlbs()); // they may hold it as writable
    }
    long pa = result & ROOT;
    if (!shadows.traces(pa)) {
      return result;
    }
    if ((access & 3) == Access.WRITE) {
      shadows.storing(pa | va & 4095);
    }
    return result & ~Access.MAY_WRITE;
  }

  @Override
  public long walkRoot(Cpu cpu) {
    if (machine.shadowPaging() != null
        || !cpu.longMode()
        || (cpu.get64(CpuState.EFER) & ControlRegisters.EFER_NXE) == 0) {
      return -1;
    }
    return cpu.get64(CpuState.CR3) & ROOT;
  }

  @Override
  public long load(Cpu cpu, long va, long pa, int size) {
    if (vcpu.isApicPage(pa)) {
      int offset = (int) pa & 0xfff;
      long from = intercepts.now();
      machine.guestInterface().noticeEnds(vcpu);
      // Registers are 32 bits wide at multiples of 16; what else is there reads as 0.
      long value = (vcpu.apic().read(offset & ~3) & 0xffff_ffffL) >>> 8 * (offset & 3);
      apicReads[offset >> 4 & 63].add(intercepts.now() - from);
      return value;
    }
    return machine.memoryMap().read(pa, size);
  }

  @Override
  public void store(Cpu cpu, long va, long pa, int size, long value) {
    if (vcpu.isApicPage(pa)) {
      int offset = (int) pa & 0xfff;
      long from = intercepts.now();
      machine.guestInterface().noticeEnds(vcpu);
      if ((offset & 15) == 0 && size >= 4) {
        vcpu.apic().write(offset, (int) value);
      }
      apicWrites[offset >> 4 & 63].add(intercepts.now() - from);
    } else {
      machine.memoryMap().write(pa, size, value);
    }
  }

  // --- ports ---

  @Override
  public int in(Cpu cpu, int port, int size) {
    return machine.portMap().read(port, size);
  }

  @Override
  public void out(Cpu cpu, int port, int size, int value) {
    machine.portMap().write(port, size, value);
  }

  // --- registers ---

  @Override
  public void cpuid(Cpu cpu) {
    Mark.Listener listener = machine.markListener();
    Mark mark = listener == null ? null : Mark.of(cpu);
    long from = intercepts.now();
    int[] r =
        PcCpuid.query(
            cpu,
            (int) cpu.get64(CpuState.RAX),
            (int) cpu.get64(CpuState.RCX),
            vcpu,
            machine.vcpus().size(),
            machine.guestInterface());
    cpu.put32(CpuState.RAX, r[0]);
    cpu.put32(CpuState.RBX, r[1]);
    cpu.put32(CpuState.RCX, r[2]);
    cpu.put32(CpuState.RDX, r[3]);
    if (listener != null && mark != null) {
      listener.marked(mark); // and is none of what the guest would need a hypervisor for
    } else {
      cpuids.add(intercepts.now() - from);
    }
  }

  @Override
  public long rdmsr(Cpu cpu, int msr) {
    return msrs.read(cpu, msr);
  }

  @Override
  public void wrmsr(Cpu cpu, int msr, long value) {
    msrs.write(cpu, msr, value);
  }

  @Override
  public void apicBase(Cpu cpu, long value) {
    if (!vcpu.apicBase(value)) {
      throw cpu.fault(parhelion.cpu.GuestFault.GP, 0);
    }
    cpu.flushTlbs(); // what was reached there before may be behind the registers now
  }

  @Override
  public boolean showsInterrupts() {
    return !intercepts.countsUnassisted();
  }

  @Override
  public void sensitive(Cpu cpu, Mnemonic by) {
    // Generated code executes some of the others untold, unless all are to be counted.
    boolean isReturn = by == Mnemonic.IRET || by == Mnemonic.SYSRET || by == Mnemonic.SYSEXIT;
    if (isReturn || intercepts.countsUnassisted()) {
      sensitive(by).add(0);
    }
  }

  private Intercepts.Counter sensitive(Mnemonic by) {
    Intercepts.Counter counter = sensitive[by.ordinal()];
    if (counter == null) {
      Cause cause =
          switch (by) {
            case IRET, SYSRET, SYSEXIT -> Cause.RETURN;
            case CLI, STI, POPF -> Cause.INTERRUPT_FLAG;
            default -> Cause.PRIVILEGED;
          };
      counter = intercepts.counter(cause, "cpu", by.name());
      sensitive[by.ordinal()] = counter;
    }
    return counter;
  }

  @Override
  public void controlWritten(Cpu cpu, int register) {
    controls[register].add(0);
    if (register == 8) {
      vcpu.interruptsChanged();
    }
  }

  @Override
  public void pageInvalidated(Cpu cpu, long va) {
    invalidations.add(0);
  }

  @Override
  public void exception(Cpu cpu, int vector, int errorCode, long cr2) {
    long from = intercepts.now();
    Exceptions.deliver(cpu, vector, errorCode, cr2);
    exceptions[vector & 31].add(intercepts.now() - from);
  }

  @Override
  public void syscall(Cpu cpu) {
    systemCalls.add(0);
    SystemCalls.syscall(cpu);
  }

  @Override
  public void sysenter(Cpu cpu) {
    SystemCalls.sysenter(cpu);
    intercepts.counter(Cause.SYSTEM_CALL, "cpu", "SYSENTER").add(0);
  }

  @Override
  public void softwareInterrupt(Cpu cpu, int vector, int insnLength) {
    if (cpu.cpl() == 3) {
      intercepts.counter(Cause.SYSTEM_CALL, "cpu", "INT " + vector).add(0);
    }
    Exceptions.softwareInterrupt(cpu, vector, insnLength);
  }

  @Override
  public Gates gates() {
    return gates;
  }

  /** What generated code does by itself is counted all the same. */
  private final class CountedGates extends SystemGates {
    @Override
    protected boolean mayOpen() {
      return !intercepts.isListenedTo();
    }

    @Override
    protected void taken(Gate gate, long count) {
      switch (gate) {
        case SYSCALL -> systemCalls.addSilently(count);
        case SYSRET -> sensitive(Mnemonic.SYSRET).addSilently(count);
        case IRET -> sensitive(Mnemonic.IRET).addSilently(count);
        case IN -> {}
      }
    }
  }

  // --- time and life ---

  @Override
  public long tsc(Cpu cpu) {
    return machine.clock().nanos();
  }

  @Override
  public OptionalLong hostTscOffset() {
    return machine.clock().hostTscOffset();
  }

  @Override
  public long random(Cpu cpu) {
    return machine.random();
  }

  @Override
  public void shutdown(Cpu cpu) {
    machine.shutdown(vcpu);
  }

  @Override
  public void halt(Cpu cpu) {
    halts.add(0);
    vcpu.halt();
    machine.guestInterface().halted(vcpu);
  }

  @Override
  public boolean undefined(Cpu cpu) {
    GuestInterface offered = machine.guestInterface();
    if (!offered.isOffered()) {
      return false;
    }
    // VMCALL and VMMCALL, whichever the processor is: 0f 01 c1, 0f 01 d9.
    long rip = cpu.rip();
    if (cpu.load8(rip) != 0x0f || cpu.load8(rip + 1) != 0x01) {
      return false;
    }
    int last = cpu.load8(rip + 2);
    return (last == 0xc1 || last == 0xd9) && offered.call(vcpu, 3);
  }

  @Override
  public void pause(Cpu cpu) {
    machine.mayYield(vcpu);
  }

  @Override
  public void attend(Cpu cpu) {
    vcpu.attend();
  }
}
