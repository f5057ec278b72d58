package parhelion.pc.kvm;

import parhelion.cpu.CpuState;
import parhelion.cpu.memory.MachineMemory;
import parhelion.pc.PcMachine;
import parhelion.pc.PcMemory;
import parhelion.pc.PcVcpu;

/**
 * What a processor shares with KVM's guest (Documentation/virt/kvm/x86/msr.rst): a page of its
 * clock, one of the time that others took from it, and a bit by which it ends interrupts. All of
 * them are at physical addresses of the guest's choice, in its memory or nowhere.
 */
final class KvmVcpu {
  private static final int CLOCK_BYTES = 32;
  private static final int STEAL_BYTES = 64;
  private static final int EOI_BYTES = 4;
  private static final int STEAL_VERSION = 8;
  private static final int STEAL_PREEMPTED = 16;
  private static final int PREEMPTED = 1;
  private static final int FLUSH_TLB = 2;

  /** The time-stamp counter counts nanoseconds: (ticks &lt;&lt; 1) * 2^31 &gt;&gt; 32. */
  private static final int MUL = 0x8000_0000;

  private static final int SHIFT = 1;
  private static final int TSC_STABLE = 1;

  private final PcMachine machine;
  private final PcVcpu vcpu;
  private final MachineMemory memory;

  /** The registers as they were written. */
  private long clock;

  private long steal;
  private long eoi;

  /** What the guest had added to its counter when the clock's page was written. */
  private long offsetWritten;

  private long leftNanos = -1;
  private boolean halted;
  private boolean kicked;

  /** The bit says that the interrupt in service can be ended by clearing it. */
  private boolean endExpected;

  KvmVcpu(PcMachine machine, PcVcpu vcpu) {
    this.machine = machine;
    this.vcpu = vcpu;
    memory = machine.ram().machine();
  }

  private static boolean isMemory(PcMemory ram, long address, int bytes) {
    return ram.contains(address, bytes);
  }

  // --- the clock ---

  long clock() {
    return clock;
  }

  /** MSR_KVM_SYSTEM_TIME: an address, and bit 0 that switches it on. */
  void clock(long value) {
    clock = value;
    writeClock();
  }

  private void writeClock() {
    long at = clock & ~1L;
    offsetWritten = vcpu.cpu().get64(CpuState.TSC_OFFSET);
    if ((clock & 1) == 0 || !isMemory(machine.ram(), at, CLOCK_BYTES)) {
      return;
    }
    long now = machine.clock().nanos();
    int version = memory.getInt(at) & ~1;
    memory.putInt(at, version + 1);
    memory.putLong(at + 8, now + offsetWritten);
    memory.putLong(at + 16, now);
    memory.putInt(at + 24, MUL);
    memory.putByte(at + 28, (byte) SHIFT);
    memory.putByte(at + 29, (byte) TSC_STABLE);
    memory.putInt(at, version + 2);
  }

  // --- time that others took ---

  long steal() {
    return steal;
  }

  /** MSR_KVM_STEAL_TIME; false for #GP. */
  boolean steal(long value) {
    if (!isShared(value, STEAL_BYTES)) {
      return false;
    }
    steal = value;
    return true;
  }

  /** A register of an aligned address and bit 0: what is neither has to be 0. */
  private boolean isShared(long value, int bytes) {
    return (value & 1) == 0 && (value & bytes - 1) == 0
        || (value & bytes - 1) == 1 && isMemory(machine.ram(), value & ~1L, bytes);
  }

  void entering() {
    if (vcpu.cpu().get64(CpuState.TSC_OFFSET) != offsetWritten) {
      writeClock();
    }
    if ((steal & 1) != 0) {
      long at = steal & ~1L;
      int preempted = memory.getByte(at + STEAL_PREEMPTED);
      memory.putByte(at + STEAL_PREEMPTED, (byte) 0);
      if ((preempted & FLUSH_TLB) != 0) {
        vcpu.cpu().flushTlbs();
      }
      if (leftNanos >= 0 && !halted) {
        int version = memory.getInt(at + STEAL_VERSION) & ~1;
        memory.putInt(at + STEAL_VERSION, version + 1);
        memory.putLong(at, memory.getLong(at) + machine.clock().nanos() - leftNanos);
        memory.putInt(at + STEAL_VERSION, version + 2);
      }
    }
    halted = false;
  }

  void left() {
    leftNanos = machine.clock().nanos();
    if ((steal & 1) != 0) {
      memory.putByte((steal & ~1L) + STEAL_PREEMPTED, (byte) PREEMPTED);
    }
  }

  // --- waiting ---

  void halted() {
    halted = true;
    if (kicked) {
      kicked = false;
      vcpu.wakeUp();
    }
  }

  /** KVM_HC_KICK_CPU: ends HLT, or the next one. */
  void kick() {
    if (halted) {
      vcpu.wakeUp();
    } else {
      kicked = true;
    }
  }

  // --- ends of interrupts ---

  long eoi() {
    return eoi;
  }

  /** MSR_KVM_PV_EOI_EN; false for #GP. */
  boolean eoi(long value) {
    if (!isShared(value, EOI_BYTES)) {
      return false;
    }
    eoi = value;
    endExpected = false;
    return true;
  }

  /** An interrupt has been taken into service: if nothing else waits, its end need not be told. */
  void delivered() {
    if ((eoi & 1) == 0 || vcpu.apic().hasRequests() || vcpu.apic().servesLevel()) {
      return;
    }
    long at = eoi & ~1L;
    memory.putInt(at, memory.getInt(at) | 1);
    endExpected = true;
  }

  /**
   * Ends an interrupt whose bit the guest has cleared; what has come meanwhile needs to be told.
   */
  void noticeEnds() {
    if (!endExpected) {
      return;
    }
    long at = eoi & ~1L;
    int word = memory.getInt(at);
    if ((word & 1) == 0) {
      endExpected = false;
      vcpu.apic().endOfInterrupt();
    } else if (vcpu.apic().hasRequests()) {
      memory.putInt(at, word & ~1);
      endExpected = false;
    }
  }
}
