package parhelion.pc;

import java.util.HashMap;
import java.util.Map;
import parhelion.cpu.Cpu;
import parhelion.cpu.CpuState;
import parhelion.cpu.GuestFault;
import parhelion.pc.intercept.Cause;
import parhelion.pc.intercept.Intercepts;
import parhelion.pc.interrupt.LocalApic;

/**
 * Model-specific registers that are the machine's: memory types (kept, but all memory is cached
 * alike), the local APIC, and those that software reads to see whether something is there. All
 * others fault, as on hardware (SDM volume 4).
 */
final class PcMsrs {
  private static final int PLATFORM_ID = 0x17;
  private static final int FEATURE_CONTROL = 0x3a;
  private static final int MICROCODE_UPDATE = 0x79;
  private static final int MICROCODE_VERSION = 0x8b;
  private static final int MTRR_CAP = 0xfe;
  private static final int MCG_CAP = 0x179;
  private static final int MCG_STATUS = 0x17a;
  private static final int THERMAL_INTERRUPT = 0x19b;
  private static final int THERMAL_STATUS = 0x19c;
  private static final int DEBUG_CONTROL = 0x1d9;
  private static final int MTRR_BASE0 = 0x200;
  private static final int MTRR_DEFAULT = 0x2ff;
  private static final int TSC_DEADLINE = 0x6e0;
  private static final int X2APIC = 0x800;
  private static final int X2APIC_END = 0x83f;
  private static final int VARIABLE_RANGES = 8;

  /** Fixed ranges, write-combining, eight variable ranges. */
  private static final long MTRR_CAP_VALUE = 0x500 | VARIABLE_RANGES;

  private static final int[] FIXED = {
    0x250, 0x258, 0x259, 0x268, 0x269, 0x26a, 0x26b, 0x26c, 0x26d, 0x26e, 0x26f
  };

  private final PcMachine machine;
  private final PcVcpu vcpu;
  private final Map<Integer, Long> kept = new HashMap<>();
  private final Map<Integer, Intercepts.Counter> reads = new HashMap<>();
  private final Map<Integer, Intercepts.Counter> writes = new HashMap<>();

  PcMsrs(PcMachine machine, PcVcpu vcpu) {
    this.machine = machine;
    this.vcpu = vcpu;
    for (int msr : FIXED) {
      kept.put(msr, 0x0606_0606_0606_0606L);
    }
    for (int i = 0; i < 2 * VARIABLE_RANGES; i++) {
      kept.put(MTRR_BASE0 + i, 0L);
    }
    kept.put(MTRR_DEFAULT, 0xc06L); // on, fixed ranges too, write-back
    kept.put(DEBUG_CONTROL, 0L);
    kept.put(THERMAL_INTERRUPT, 0L);
    kept.put(THERMAL_STATUS, 0L);
    kept.put(MCG_STATUS, 0L);
    kept.put(MICROCODE_VERSION, 0L);
  }

  long read(Cpu cpu, int msr) {
    long from = machine.intercepts().now();
    long value = value(cpu, msr);
    count(reads, Cause.MSR_READ, msr, from);
    return value;
  }

  void write(Cpu cpu, int msr, long value) {
    long from = machine.intercepts().now();
    set(cpu, msr, value);
    count(writes, Cause.MSR_WRITE, msr, from);
  }

  /** Only registers that exist are counted, so there are not many. */
  private void count(Map<Integer, Intercepts.Counter> counters, Cause cause, int msr, long from) {
    Intercepts.Counter counter = counters.get(msr);
    if (counter == null) {
      boolean apic = msr >= X2APIC && msr <= X2APIC_END || msr == TSC_DEADLINE;
      counter =
          machine
              .intercepts()
              .counter(cause, apic ? "lapic" : "cpu", "0x" + Integer.toHexString(msr));
      counters.put(msr, counter);
    }
    counter.add(machine.intercepts().now() - from);
  }

  private long value(Cpu cpu, int msr) {
    GuestInterface offered = machine.guestInterface();
    if (offered.hasMsr(msr)) {
      return offered.rdmsr(vcpu, msr);
    }
    Long stored = kept.get(msr);
    if (stored != null) {
      return stored;
    }
    return switch (msr) {
      case PLATFORM_ID, MCG_CAP -> 0;
      case FEATURE_CONTROL -> 1; // locked, without VMX
      case MTRR_CAP -> MTRR_CAP_VALUE;
      case TSC_DEADLINE -> {
        long deadline = vcpu.apic().deadline();
        yield deadline == 0 ? 0 : deadline + cpu.get64(CpuState.TSC_OFFSET);
      }
      default -> {
        int offset = msr - X2APIC << 4;
        if (!isX2apic(msr) || !LocalApic.isReadable(offset)) {
          throw cpu.fault(GuestFault.GP, 0);
        }
        yield vcpu.apic().readMsr(offset);
      }
    };
  }

  private boolean isX2apic(int msr) {
    machine.guestInterface().noticeEnds(vcpu);
    return vcpu.apic().isX2apic() && msr >= X2APIC && msr <= X2APIC_END;
  }

  private void set(Cpu cpu, int msr, long value) {
    GuestInterface offered = machine.guestInterface();
    if (offered.hasMsr(msr)) {
      if (!offered.wrmsr(vcpu, msr, value)) {
        throw cpu.fault(GuestFault.GP, 0);
      }
      return;
    }
    boolean known = kept.containsKey(msr);
    if (known && msr >= MTRR_BASE0 && msr <= MTRR_DEFAULT && !isValidMtrr(msr, value)) {
      throw cpu.fault(GuestFault.GP, 0);
    }
    switch (msr) {
      case MICROCODE_UPDATE -> {}
      case TSC_DEADLINE ->
          vcpu.apic()
              .deadline(value == 0 ? 0 : Math.max(1, value - cpu.get64(CpuState.TSC_OFFSET)));
      case MICROCODE_VERSION -> {} // stays 0: there is none
      default -> {
        if (known) {
          kept.put(msr, value);
        } else if (!isX2apic(msr) || !vcpu.apic().writeMsr(msr - X2APIC << 4, value)) {
          throw cpu.fault(GuestFault.GP, 0);
        }
      }
    }
  }

  private static boolean isValidMtrr(int msr, long value) {
    if (msr == MTRR_DEFAULT) {
      return (value & ~0xcffL) == 0 && isType((int) value & 0xff);
    }
    if (msr >= MTRR_BASE0 + 2 * VARIABLE_RANGES) {
      for (int i = 0; i < 8; i++) {
        if (!isType((int) (value >>> 8 * i) & 0xff)) {
          return false;
        }
      }
      return true;
    }
    boolean base = (msr & 1) == 0;
    long reserved = base ? 0xf00 : 0x7ff;
    return (value & reserved) == 0
        && value >>> parhelion.cpu.Cpuid.PHYSICAL_BITS == 0
        && (!base || isType((int) value & 0xff));
  }

  private static boolean isType(int type) {
    return type == 0 || type == 1 || type >= 4 && type <= 6;
  }
}
