package parhelion.pc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.HexFormat;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import parhelion.cpu.Cpu;
import parhelion.cpu.CpuModel;
import parhelion.cpu.CpuState;
import parhelion.cpu.Engine;
import parhelion.cpu.GuestFault;
import parhelion.pc.serial.DebugPorts;
import parhelion.pc.serial.Uart;
import parhelion.pc.time.CountedClock;

/** The machine with programs of a few bytes, and with wild ones. */
@Timeout(value = 1, unit = TimeUnit.MINUTES)
final class PcMachineTest {
  private final StringBuilder said = new StringBuilder();

  /** Firmware whose last bytes are the program that the processor starts with. */
  static byte[] firmware(String program, int at) {
    byte[] rom = new byte[64 << 10];
    byte[] bytes = HexFormat.ofDelimiter(" ").parseHex(program.strip());
    System.arraycopy(bytes, 0, rom, at, bytes.length);
    // The reset vector: jmp near to the program.
    rom[0xfff0] = (byte) 0xe9;
    int distance = at - 0xfff3;
    rom[0xfff1] = (byte) distance;
    rom[0xfff2] = (byte) (distance >> 8);
    return rom;
  }

  private PcMachine machine(byte[] rom, int vcpus) {
    PcMachine machine =
        new PcMachine(
            new PcConfig(4 << 20, vcpus, CpuModel.DEFAULT, Engine.INTERPRETER, rom),
            new CountedClock(Instant.EPOCH));
    DebugPorts.plug(
        machine,
        value -> {
          said.append((char) value);
          return true;
        });
    return machine;
  }

  /** mov al, c; out 0xe9, al. */
  private static String say(char c) {
    return "b0 %02x e6 e9 ".formatted((int) c);
  }

  /** mov dx, 604h; mov ax, 3400h; out dx, ax: soft off. */
  static final String OFF = "ba 04 06 b8 00 34 ef f4 ";

  @Test
  void firmwareRunsFromTheResetVectorAndSwitchesOff() {
    try (PcMachine machine = machine(firmware(say('h') + say('i') + OFF, 0x8000), 1)) {
      assertEquals(PcMachine.End.OFF, machine.run());
      assertEquals("hi", said.toString());
    }
  }

  /** Registers that read as sevens. */
  private static final class Sevens implements Registers {
    @Override
    public long read(long offset, int size) {
      return 0x0707_0707_0707_0707L;
    }

    @Override
    public void write(long offset, int size, long value) {}
  }

  @Test
  void deviceMemoryIsReachedWithoutInterceptionWhereNothingLiesOverIt() {
    try (PcMachine machine = machine(firmware(OFF, 0x8000), 1)) {
      Cpu cpu = machine.vcpus().getFirst().cpu();
      DeviceMemory memory = machine.deviceMemory(8192);
      long at = 0xd000_0000L;
      Board.Mapping placed = machine.mapMemory(at, 8192, "device", memory);
      cpu.store32(at + 0x1004, 0x1234_5678);
      assertEquals(0x12, memory.get(0x1007));
      memory.put(0x1004, 0x01);
      assertEquals(0x1234_5601, cpu.load32(at + 0x1004));
      assertTrue(
          machine.intercepts().rows().stream().noneMatch(row -> row.device().equals("device")));
      Board.Mapping over = machine.mapMemory(at + 0x1000, 4096, "registers", new Sevens());
      assertEquals(0x0707_0707, cpu.load32(at + 0x1004));
      assertEquals(0, cpu.load32(at + 0xff8));
      over.unmap();
      assertEquals(0x1234_5601, cpu.load32(at + 0x1004));
      placed.unmap();
      assertEquals(-1, cpu.load32(at + 0x1004));
      Board.Mapping elsewhere = machine.mapMemory(at + 0x1000, 8192, "device", memory);
      assertEquals(0x1234_5601, cpu.load32(at + 0x2004));
      memory.clear(8192);
      assertEquals(0, cpu.load32(at + 0x2004));
      elsewhere.unmap();
    }
  }

  @Test
  void firmwareAtTheTopCannotBeWrittenAndItsCopyBelowCan() {
    // mov [cs:0], al at the top; then in the copy at f000:0000.
    String program =
        "2e c6 06 00 00 41 2e a0 00 00 e6 e9 " // the top reads as before: 0
            + "b8 00 f0 8e d8 c6 06 00 00 42 a0 00 00 e6 e9 "
            + OFF;
    try (PcMachine machine = machine(firmware(program, 0x8000), 1)) {
      assertEquals(PcMachine.End.OFF, machine.run());
      assertEquals("\0B", said.toString());
    }
  }

  @Test
  void aHaltedMachineWakesByItsTimerAndTimeJumps() {
    // Vector 8 of the PIT by the 8259 in its BIOS setting: count three ticks of 10 ms each.
    String program =
        "31 c0 8e d8 8e d0 bc 00 70 "
            + "c7 06 20 00 80 80 c7 06 22 00 00 f0 " // vector 8 -> f000:8080
            + "b0 11 e6 20 b0 08 e6 21 b0 04 e6 21 b0 01 e6 21 b0 fe e6 21 "
            + "b0 34 e6 43 b0 9b e6 40 b0 2e e6 40 " // counter 0, mode 2, 11931
            + "fb f4 f4 f4 fa "
            + OFF;
    byte[] rom = firmware(program, 0x8000);
    byte[] handler = HexFormat.ofDelimiter(" ").parseHex("b0 74 e6 e9 b0 20 e6 20 cf");
    System.arraycopy(handler, 0, rom, 0x8080, handler.length);
    try (PcMachine machine = machine(rom, 1)) {
      assertEquals(PcMachine.End.OFF, machine.run());
      assertEquals("ttt", said.toString());
      long nanos = machine.clock().nanos();
      assertTrue(nanos > 19_000_000 && nanos < 41_000_000, nanos + " ns");
      assertTrue(machine.vcpus().get(0).cpu().retired < 1000);
    }
  }

  @Test
  void aTripleFaultAndAResetEndTheMachine() {
    // lidt of a table without entries, then int3.
    String triple = "2e 0f 01 1e 00 90 cc";
    try (PcMachine machine = machine(firmware(triple, 0x8000), 1)) {
      assertEquals(PcMachine.End.TRIPLE_FAULT, machine.run());
    }
    try (PcMachine machine = machine(firmware("ba f9 0c b0 06 ee f4", 0x8000), 1)) {
      assertEquals(PcMachine.End.RESET, machine.run());
    }
  }

  @Test
  void anotherProcessorStartsWhereItIsTold() {
    // Through the local APIC's registers, in "unreal" mode: set up protected mode for a moment.
    String program =
        "2e 66 0f 01 16 00 91 " // lgdt cs:[9100]
            + "0f 20 c0 0c 01 0f 22 c0 bb 08 00 8e db 24 fe 0f 22 c0 " // ds: 4 GiB
            + "66 bf 00 03 e0 fe 67 66 c7 47 10 00 00 00 01 " // icr high: 1
            + "67 66 c7 07 00 45 00 00 " // init
            + "67 66 c7 07 f9 46 00 00 " // start at f900:0000
            + "eb fe";
    byte[] rom = firmware(program, 0x8000);
    byte[] other = HexFormat.ofDelimiter(" ").parseHex((say('2') + OFF).strip());
    System.arraycopy(other, 0, rom, 0x9000, other.length);
    byte[] gdtr = HexFormat.ofDelimiter(" ").parseHex("0f 00 10 91 0f 00");
    System.arraycopy(gdtr, 0, rom, 0x9100, gdtr.length);
    byte[] data = HexFormat.ofDelimiter(" ").parseHex("ff ff 00 00 00 93 cf 00");
    System.arraycopy(data, 0, rom, 0x9118, data.length);
    try (PcMachine machine = machine(rom, 2)) {
      assertEquals(PcMachine.End.OFF, machine.run());
      assertEquals("2", said.toString());
    }
  }

  @Test
  void runsRepeatUnderTheVirtualClock() {
    String program = "0f 31 e6 e9 88 e0 e6 e9 0f c7 f0 e6 e9 " + OFF; // rdtsc; rdrand
    String[] texts = new String[2];
    for (int i = 0; i < 2; i++) {
      said.setLength(0);
      try (PcMachine machine = machine(firmware(program, 0x8000), 1)) {
        assertEquals(PcMachine.End.OFF, machine.run());
        texts[i] = said + " at " + machine.clock().nanos();
      }
    }
    assertEquals(texts[0], texts[1]);
  }

  @Test
  void anIdleMachineIsStoppedFromAnotherThread() throws Exception {
    try (PcMachine machine = machine(firmware("fa f4", 0x8000), 1)) {
      Thread runner = new Thread(() -> assertNull(machine.run()));
      runner.start();
      machine.stop();
      runner.join();
    }
  }

  @Test
  void memoryHasItsHolesAndGoesOnAbove4Gib() {
    long bytes = 3L * (1 << 30) + (1 << 20);
    try (PcMemory memory = new PcMemory(bytes, new byte[4096])) {
      assertTrue(memory.contains(0, 0xa0000));
      assertFalse(memory.contains(0x9ffff, 2));
      assertFalse(memory.contains(0xb8000, 1));
      assertTrue(memory.contains(0xc0000, 0xbff4_0000L));
      assertFalse(memory.contains(PcMemory.GAP_START, 1));
      assertTrue(memory.contains(PcMemory.GAP_END, 1 << 20));
      assertFalse(memory.contains(PcMemory.GAP_END, (1 << 20) + 1));
      assertFalse(memory.contains(-1, 1));
      assertFalse(memory.contains(0x1000, Long.MAX_VALUE));
      ByteBuffer view = memory.view(PcMemory.GAP_END + 4096, 4096);
      assertNotNull(view);
      view.put(0, (byte) 7);
      assertEquals(7, memory.machine().getByte(PcMemory.GAP_END + 4096));
      assertNull(memory.view(0xb8000, 16));
      assertFalse(memory.isPlain(0xa0000));
      assertFalse(memory.isPlain(PcMemory.GAP_END - 4096));
      assertTrue(memory.isPlain(PcMemory.GAP_END));
    }
  }

  @Test
  void ofOverlappingRangesTheLastPlacedAnswersUntilItGoes() {
    try (PcMachine machine = machine(new byte[0], 1)) {
      Board.Mapping below = machine.mapPorts(0x1000, 16, "below", constant(1));
      Board.Mapping above = machine.mapPorts(0x1004, 4, "above", constant(2));
      assertEquals(0x02020202, machine.portMap().read(0x1004, 4));
      assertEquals(0x0202_0101, machine.portMap().read(0x1002, 4), "split between the two");
      above.unmap();
      assertEquals(0x01010101, machine.portMap().read(0x1004, 4));
      below.unmap();
      assertEquals(-1, machine.portMap().read(0x1004, 4));
      Board.Mapping memory = machine.mapMemory(0xe000_0000L, 4096, "memory", constant(3));
      assertEquals(0x0303, machine.memoryMap().read(0xe000_0ff0L, 2));
      assertEquals(-1, machine.memoryMap().read(0xe000_0ffeL, 4), "beyond the end");
      memory.unmap();
      assertEquals(-1, machine.memoryMap().read(0xe000_0ff0L, 2));
    }
  }

  private static Registers constant(int value) {
    return new Registers() {
      @Override
      public long read(long offset, int size) {
        return value * 0x0101_0101_0101_0101L;
      }

      @Override
      public void write(long offset, int size, long written) {}
    };
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4})
  void wildPortsRegistersAndMsrsHarmNobody(long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    for (int round = 0; round < 20; round++) {
      try (PcMachine machine = machine(firmware("fb f4 eb fd", 0x8000), 2)) {
        new Uart(machine, machine.line(Uart.COM1_LINE), value -> true).plug(Uart.COM1);
        for (int i = 0; i < 5000; i++) {
          poke(machine, random);
        }
        machine.post(() -> machine.post(machine::stop));
        PcMachine.End unused = machine.run();
      }
    }
  }

  private static final int[] PORTS = {
    0x20, 0x21, 0xa0, 0xa1, 0x4d0, 0x4d1, 0x40, 0x41, 0x42, 0x43, 0x61, 0x70, 0x71, 0x600, 0x602,
    0x604, 0x608, 0xcf9, 0x3f8, 0x3f9, 0x3fa, 0x3fb, 0x3fc, 0x3fd, 0x402, 0xe9
  };

  private static final long[] PLACES = {
    0xfec0_0000L, 0xfec0_0010L, 0xfed0_0000L, 0xfee0_0000L, 0xa_0000L, 0xc000_0000L
  };

  private static void poke(PcMachine machine, SplittableRandom random) {
    int size = 1 << random.nextInt(3);
    int port =
        random.nextInt(4) == 0 ? random.nextInt(1 << 16) : PORTS[random.nextInt(PORTS.length)];
    PcVcpu vcpu = machine.vcpus().get(random.nextInt(2));
    Cpu cpu = vcpu.cpu();
    long address = PLACES[random.nextInt(PLACES.length)] + (random.nextInt(0x500) & -size);
    switch (random.nextInt(7)) {
      case 0 -> machine.portMap().write(port, size, random.nextInt());
      case 1 -> {
        int unused = machine.portMap().read(port, size);
      }
      case 2 -> cpu.monitor.store(cpu, address, address, size, random.nextInt());
      case 3 -> {
        long unused = cpu.monitor.load(cpu, address, address, size);
      }
      case 4 -> wild(cpu, random);
      case 5 -> machine.message(0xfee0_0000L | random.nextInt(1 << 20), random.nextInt());
      default -> machine.interrupts().line(random.nextInt(24)).set(true);
    }
  }

  private static void wild(Cpu cpu, SplittableRandom random) {
    int msr = random.nextBoolean() ? 0x800 + random.nextInt(0x40) : random.nextInt(0x800);
    try {
      if (random.nextBoolean()) {
        cpu.monitor.wrmsr(cpu, msr, random.nextLong() >>> random.nextInt(64));
      } else {
        long unused = cpu.monitor.rdmsr(cpu, msr);
      }
      if (random.nextInt(20) == 0) {
        cpu.monitor.apicBase(cpu, 0xfee0_0000L | random.nextInt() & 0xd00);
      }
    } catch (GuestFault e) {
      assertEquals(GuestFault.GP, e.vector);
    }
    cpu.put64(CpuState.RAX, random.nextInt(0x20));
    cpu.put64(CpuState.RCX, random.nextInt(4));
    cpu.monitor.cpuid(cpu);
  }
}
