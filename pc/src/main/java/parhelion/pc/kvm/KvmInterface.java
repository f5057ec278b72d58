package parhelion.pc.kvm;

import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import parhelion.cpu.Cpu;
import parhelion.cpu.CpuState;
import parhelion.cpu.memory.MachineMemory;
import parhelion.pc.GuestInterface;
import parhelion.pc.PcMachine;
import parhelion.pc.PcVcpu;
import parhelion.pc.intercept.Cause;
import parhelion.pc.intercept.Intercepts;
import parhelion.pc.interrupt.ApicMessage;

/**
 * KVM's interface (Documentation/virt/kvm/x86): kvmclock by old and new registers, ends of
 * interrupts without an exit, stolen time with remote TLB flushes that wait for a processor that
 * does not run, and calls that send interrupts, wake and yield. Page faults of the host are never
 * told of, as there are none.
 */
public final class KvmInterface implements GuestInterface {
  private static final int WALL_CLOCK_OLD = 0x11;
  private static final int SYSTEM_TIME_OLD = 0x12;
  private static final int WALL_CLOCK = 0x4b56_4d00;
  private static final int SYSTEM_TIME = 0x4b56_4d01;
  private static final int STEAL_TIME = 0x4b56_4d03;
  private static final int PV_EOI = 0x4b56_4d04;

  private static final int FEATURE_CLOCKSOURCE = 1;
  private static final int FEATURE_NOP_IO_DELAY = 1 << 1;
  private static final int FEATURE_CLOCKSOURCE2 = 1 << 3;
  private static final int FEATURE_STEAL_TIME = 1 << 5;
  private static final int FEATURE_PV_EOI = 1 << 6;
  private static final int FEATURE_PV_UNHALT = 1 << 7;
  private static final int FEATURE_PV_TLB_FLUSH = 1 << 9;
  private static final int FEATURE_PV_SEND_IPI = 1 << 11;
  private static final int FEATURE_PV_SCHED_YIELD = 1 << 13;
  private static final int FEATURE_CLOCK_STABLE = 1 << 24;

  private static final int FEATURES =
      FEATURE_CLOCKSOURCE
          | FEATURE_NOP_IO_DELAY
          | FEATURE_CLOCKSOURCE2
          | FEATURE_STEAL_TIME
          | FEATURE_PV_EOI
          | FEATURE_CLOCK_STABLE;

  /** What only several processors have a use for. */
  private static final int FEATURES_OF_MANY =
      FEATURE_PV_UNHALT | FEATURE_PV_TLB_FLUSH | FEATURE_PV_SEND_IPI | FEATURE_PV_SCHED_YIELD;

  private static final long EPERM = -1;
  private static final long EINVAL = -22;
  private static final long ENOSYS = -1000;
  private static final int WALL_CLOCK_BYTES = 12;
  private static final long SECOND = 1_000_000_000L;
  private static final int IPI_BITS = 128;

  private final PcMachine machine;
  private final List<KvmVcpu> vcpus = new ArrayList<>();
  private final Map<KvmHypercall, Intercepts.Counter> calls = new EnumMap<>(KvmHypercall.class);
  private final Intercepts.Counter unknownCalls;
  private long wallClock;

  /** Offers the interface to a machine that does not run yet. */
  public static KvmInterface offer(PcMachine machine) {
    KvmInterface offered = new KvmInterface(machine);
    machine.offer(offered);
    return offered;
  }

  private KvmInterface(PcMachine machine) {
    this.machine = machine;
    machine.vcpus().forEach(vcpu -> vcpus.add(new KvmVcpu(machine, vcpu)));
    for (KvmHypercall call : KvmHypercall.values()) {
      calls.put(call, machine.intercepts().counter(Cause.HYPERCALL, "kvm", call.title()));
    }
    unknownCalls = machine.intercepts().counter(Cause.HYPERCALL, "kvm", "others");
  }

  private KvmVcpu state(PcVcpu vcpu) {
    return vcpus.get(vcpu.id());
  }

  @Override
  public void cpuid(PcVcpu vcpu, int leaf, int subleaf, int[] registers) {
    if (leaf == FIRST_LEAF) {
      registers[0] = FIRST_LEAF + 1;
      registers[1] = 0x4b4d_564b; // "KVMKVMKVM"
      registers[2] = 0x564b_4d56;
      registers[3] = 0x4d;
    } else if (leaf == FIRST_LEAF + 1) {
      registers[0] = FEATURES | (vcpus.size() > 1 ? FEATURES_OF_MANY : 0);
    }
  }

  // --- registers ---

  @Override
  public boolean hasMsr(int msr) {
    return switch (msr) {
      case WALL_CLOCK_OLD, SYSTEM_TIME_OLD, WALL_CLOCK, SYSTEM_TIME, STEAL_TIME, PV_EOI -> true;
      default -> false;
    };
  }

  @Override
  public long rdmsr(PcVcpu vcpu, int msr) {
    return switch (msr) {
      case SYSTEM_TIME_OLD, SYSTEM_TIME -> state(vcpu).clock();
      case STEAL_TIME -> state(vcpu).steal();
      case PV_EOI -> state(vcpu).eoi();
      default -> wallClock;
    };
  }

  @Override
  public boolean wrmsr(PcVcpu vcpu, int msr, long value) {
    return switch (msr) {
      case SYSTEM_TIME_OLD, SYSTEM_TIME -> {
        state(vcpu).clock(value);
        yield true;
      }
      case STEAL_TIME -> state(vcpu).steal(value);
      case PV_EOI -> state(vcpu).eoi(value);
      default -> {
        wallClock = value;
        writeWallClock(value);
        yield true;
      }
    };
  }

  /** Unix time at the machine's time 0; nothing where the address is not memory. */
  private void writeWallClock(long at) {
    if (!machine.ram().contains(at, WALL_CLOCK_BYTES)) {
      return;
    }
    MachineMemory memory = machine.ram().machine();
    Instant now = machine.clock().wallClock();
    long nanos = now.getEpochSecond() * SECOND + now.getNano() - machine.clock().nanos();
    int version = memory.getInt(at) & ~1;
    memory.putInt(at, version + 1);
    memory.putInt(at + 4, (int) Math.floorDiv(nanos, SECOND));
    memory.putInt(at + 8, (int) Math.floorMod(nanos, SECOND));
    memory.putInt(at, version + 2);
  }

  // --- calls ---

  @Override
  public boolean call(PcVcpu vcpu, int length) {
    long from = machine.intercepts().now();
    Cpu cpu = vcpu.cpu();
    boolean wide = cpu.codeBits == 64;
    long mask = wide ? -1L : 0xffff_ffffL;
    KvmHypercall call = KvmHypercall.of(cpu.get64(CpuState.RAX) & mask);
    long result;
    if (cpu.cpl() != 0) {
      result = EPERM;
    } else if (call == null) {
      result = ENOSYS;
    } else {
      long[] args = {
        cpu.get64(CpuState.RBX) & mask,
        cpu.get64(CpuState.RCX) & mask,
        cpu.get64(CpuState.RDX) & mask,
        cpu.get64(CpuState.RSI) & mask
      };
      result = answer(vcpu, call, args, wide);
    }
    if (wide) {
      cpu.put64(CpuState.RAX, result);
    } else {
      cpu.put32(CpuState.RAX, (int) result);
    }
    cpu.rip(cpu.rip() + length);
    Intercepts.Counter counter = call == null ? unknownCalls : calls.get(call);
    if (counter != null) {
      counter.add(machine.intercepts().now() - from);
    }
    return true;
  }

  private long answer(PcVcpu vcpu, KvmHypercall call, long[] args, boolean wide) {
    switch (call) {
      case VAPIC_POLL_IRQ -> {}
      case KICK_CPU -> {
        PcVcpu target = vcpu(args[1]);
        if (target != null) {
          state(target).kick();
        }
      }
      case SEND_IPI -> {
        return sendIpi(args, wide);
      }
      case SCHED_YIELD -> {
        PcVcpu target = vcpu(args[0]);
        if (target != null && target != vcpu) {
          machine.yieldTo(target);
        }
      }
    }
    return 0;
  }

  private @Nullable PcVcpu vcpu(long apicId) {
    return apicId >= 0 && apicId < vcpus.size() ? machine.vcpus().get((int) apicId) : null;
  }

  /** A set of processors in two words from a lowest one on; how many there are of them. */
  private long sendIpi(long[] args, boolean wide) {
    int command = (int) args[3];
    int mode = command >>> 8 & 7;
    if (args[3] >>> 12 != 0 || mode != ApicMessage.FIXED && mode != ApicMessage.NMI) {
      return EINVAL;
    }
    int word = wide ? 64 : 32;
    long sent = 0;
    for (int i = 0; i < IPI_BITS * word / 64; i++) {
      PcVcpu target = (args[i / word] >>> i % word & 1) == 0 ? null : vcpu(args[2] + i);
      if (target != null) {
        target
            .apic()
            .receive(new ApicMessage(target.id(), false, mode, command & 0xff, false, false));
        sent++;
      }
    }
    return sent;
  }

  // --- a processor's life ---

  @Override
  public void noticeEnds(PcVcpu vcpu) {
    state(vcpu).noticeEnds();
  }

  @Override
  public void delivered(PcVcpu vcpu) {
    state(vcpu).delivered();
  }

  @Override
  public void entering(PcVcpu vcpu) {
    state(vcpu).entering();
  }

  @Override
  public void left(PcVcpu vcpu) {
    state(vcpu).left();
  }

  @Override
  public void halted(PcVcpu vcpu) {
    state(vcpu).halted();
  }
}
