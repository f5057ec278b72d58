package parhelion.pc.kvm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Instant;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import parhelion.cpu.Cpu;
import parhelion.cpu.CpuModel;
import parhelion.cpu.CpuState;
import parhelion.cpu.Engine;
import parhelion.cpu.memory.MachineMemory;
import parhelion.pc.GuestInterface;
import parhelion.pc.PcConfig;
import parhelion.pc.PcMachine;
import parhelion.pc.PcVcpu;
import parhelion.pc.interrupt.LocalApic;
import parhelion.pc.time.CountedClock;

/** KVM's registers and calls, without a guest that uses them. */
@Timeout(value = 1, unit = TimeUnit.MINUTES)
final class KvmInterfaceTest {
  private static final int SYSTEM_TIME = 0x4b56_4d01;
  private static final int WALL_CLOCK = 0x4b56_4d00;
  private static final int STEAL_TIME = 0x4b56_4d03;
  private static final int PV_EOI = 0x4b56_4d04;
  private static final long PAGE = 0x5000;
  private static final int VECTOR = 0x41;

  private final CountedClock clock = new CountedClock(Instant.ofEpochSecond(1_700_000_000));
  private final PcMachine machine =
      new PcMachine(
          new PcConfig(4 << 20, 3, CpuModel.DEFAULT, Engine.INTERPRETER, new byte[0]), clock);
  private final KvmInterface kvm = KvmInterface.offer(machine);
  private final MachineMemory memory = machine.ram().machine();
  private final PcVcpu first = machine.vcpus().get(0);
  private final PcVcpu second = machine.vcpus().get(1);

  @AfterEach
  void close() {
    machine.close();
  }

  private long call(PcVcpu vcpu, long nr, long... args) {
    Cpu cpu = vcpu.cpu();
    int[] registers = {CpuState.RBX, CpuState.RCX, CpuState.RDX, CpuState.RSI};
    cpu.put64(CpuState.RAX, nr);
    for (int i = 0; i < registers.length; i++) {
      cpu.put64(registers[i], i < args.length ? args[i] : 0);
    }
    long rip = cpu.rip();
    assertTrue(kvm.call(vcpu, 3));
    assertEquals(rip + 3, cpu.rip());
    return (int) cpu.get64(CpuState.RAX);
  }

  @Test
  void theLeavesSayWhatThereIs() {
    int[] r = new int[4];
    kvm.cpuid(first, GuestInterface.FIRST_LEAF, 0, r);
    assertEquals(GuestInterface.FIRST_LEAF + 1, r[0]);
    assertEquals(0x4b4d564b, r[1]);
    kvm.cpuid(first, GuestInterface.FIRST_LEAF + 1, 0, r);
    assertEquals(1 << 24 | 1 << 13 | 1 << 11 | 1 << 9 | 0xeb, r[0]);
    assertEquals(0, r[0] & 1 << 4, "no page faults of the host");
  }

  @Test
  void theClocksPageSaysTheMachinesTimeForTheGuestsCounter() {
    clock.advanceTo(5_000_000);
    first.cpu().put64(CpuState.TSC_OFFSET, 1000);
    assertTrue(kvm.wrmsr(first, SYSTEM_TIME, PAGE | 1));
    assertEquals(PAGE | 1, kvm.rdmsr(first, SYSTEM_TIME));
    assertEquals(2, memory.getInt(PAGE));
    assertEquals(5_001_000, memory.getLong(PAGE + 8));
    assertEquals(5_000_000, memory.getLong(PAGE + 16));
    assertEquals(0x80000000, memory.getInt(PAGE + 24));
    assertEquals(0x101, memory.getShort(PAGE + 28));
    // A counter that the guest changes is followed.
    first.cpu().put64(CpuState.TSC_OFFSET, 7);
    kvm.entering(first);
    assertEquals(5_000_007, memory.getLong(PAGE + 8));
    assertEquals(4, memory.getInt(PAGE));
  }

  @Test
  void theWallClockIsThatOfTheBeginning() {
    clock.advanceTo(2_500_000_000L);
    assertTrue(kvm.wrmsr(first, WALL_CLOCK, PAGE));
    assertEquals(2, memory.getInt(PAGE));
    assertEquals(1_700_000_000, memory.getInt(PAGE + 4));
    assertEquals(0, memory.getInt(PAGE + 8));
  }

  @Test
  void pagesThatAreNoMemoryAreRefusedOrStayUnwritten() {
    for (long at : new long[] {0xa_0000, 4 << 20, 0xfee0_0000L, 1L << 45, -64, Long.MIN_VALUE}) {
      assertTrue(kvm.wrmsr(first, SYSTEM_TIME, at | 1));
      assertTrue(kvm.wrmsr(first, WALL_CLOCK, at));
      assertFalse(kvm.wrmsr(first, STEAL_TIME, at | 1));
      assertFalse(kvm.wrmsr(first, PV_EOI, at | 1));
    }
    assertFalse(kvm.wrmsr(first, STEAL_TIME, PAGE | 3));
    assertFalse(kvm.wrmsr(first, STEAL_TIME, PAGE | 0x20));
    assertFalse(kvm.wrmsr(first, PV_EOI, PAGE | 2));
    assertTrue(kvm.wrmsr(first, PV_EOI, 0));
    // One that reaches over the end of memory.
    assertTrue(kvm.wrmsr(first, SYSTEM_TIME, (4 << 20) - 16 | 1));
    kvm.entering(first);
    kvm.left(first);
  }

  @Test
  void aProcessorThatDoesNotRunFlushesItsTlbWhenItDoes() {
    assertTrue(kvm.wrmsr(first, STEAL_TIME, PAGE | 1));
    kvm.entering(first);
    assertEquals(0, memory.getByte(PAGE + 16));
    kvm.left(first);
    assertEquals(1, memory.getByte(PAGE + 16));
    memory.putByte(PAGE + 16, (byte) 3);
    long before = first.cpu().tlb(0).flushedAt();
    clock.advanceTo(clock.nanos() + 40_000);
    kvm.entering(first);
    assertEquals(0, memory.getByte(PAGE + 16));
    assertTrue(first.cpu().tlb(0).flushedAt() > before);
    assertEquals(40_000, memory.getLong(PAGE), "stolen while it could have run");
    kvm.halted(first);
    kvm.left(first);
    clock.advanceTo(clock.nanos() + 40_000);
    kvm.entering(first);
    assertEquals(40_000, memory.getLong(PAGE), "a halted one is robbed of nothing");
  }

  @Test
  void anInterruptEndsByItsBitUnlessAnotherWaits() {
    LocalApic apic = first.apic();
    apic.write(0xf0, 0x1ff);
    assertTrue(kvm.wrmsr(first, PV_EOI, PAGE | 1));
    apic.accept(VECTOR, false);
    assertEquals(VECTOR, apic.acknowledge());
    kvm.delivered(first);
    assertEquals(1, memory.getInt(PAGE));
    assertTrue((apic.read(0x120) & 2) != 0, "in service");
    memory.putInt(PAGE, 0);
    kvm.noticeEnds(first);
    assertEquals(0, apic.read(0x120) & 2);
    // While one is in service, another comes: its end has to be told of.
    apic.accept(VECTOR, false);
    assertEquals(VECTOR, apic.acknowledge());
    kvm.delivered(first);
    apic.accept(VECTOR - 0x10, false);
    kvm.noticeEnds(first);
    assertEquals(0, memory.getInt(PAGE));
    assertTrue((apic.read(0x120) & 2) != 0, "still in service");
    // With another waiting from the start, nothing is promised.
    apic.endOfInterrupt();
    apic.accept(VECTOR, false);
    assertEquals(VECTOR, apic.acknowledge());
    kvm.delivered(first);
    assertEquals(0, memory.getInt(PAGE));
  }

  @Test
  void interruptsAreSentToASetOfProcessors() {
    machine.vcpus().forEach(vcpu -> vcpu.apic().write(0xf0, 0x1ff));
    assertEquals(2, call(first, 10, 0b110, 0, 0, VECTOR));
    assertFalse(first.apic().hasRequests());
    assertTrue(second.apic().hasRequests());
    assertTrue(machine.vcpus().get(2).apic().hasRequests());
    assertEquals(1, call(first, 10, -1, -1, 2, VECTOR), "there is none beyond the last");
    assertEquals(0, call(first, 10, -1, -1, -1, VECTOR));
    assertEquals(-22, call(first, 10, 1, 0, 0, 0x4_0000 | VECTOR), "no shorthand");
    assertEquals(-22, call(first, 10, 1, 0, 0, 5 << 8), "no INIT");
  }

  @Test
  void wildCallsAndRegistersHurtNobody() {
    SplittableRandom random = new SplittableRandom(42);
    long[] values = {
      0, 1, PAGE, PAGE | 1, -1, 4 << 20, (4 << 20) - 1, Long.MIN_VALUE, 0xfee0_0001L
    };
    int[] msrs = {0x11, 0x12, WALL_CLOCK, SYSTEM_TIME, STEAL_TIME, PV_EOI};
    for (int i = 0; i < 20_000; i++) {
      PcVcpu vcpu = machine.vcpus().get(random.nextInt(3));
      long[] args = new long[4];
      for (int k = 0; k < 4; k++) {
        args[k] = random.nextBoolean() ? random.nextLong() : values[random.nextInt(values.length)];
      }
      long unused = call(vcpu, random.nextBoolean() ? random.nextInt(16) : args[0], args);
      boolean accepted = kvm.wrmsr(vcpu, msrs[random.nextInt(msrs.length)], args[1]);
      kvm.entering(vcpu);
      kvm.noticeEnds(vcpu);
      kvm.delivered(vcpu);
      if (random.nextInt(4) == 0) {
        kvm.halted(vcpu);
      }
      kvm.left(vcpu);
    }
    assertEquals(-1000, call(first, 77));
  }
}
