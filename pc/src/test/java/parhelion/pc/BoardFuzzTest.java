package parhelion.pc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Instant;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import parhelion.cpu.Cpu;
import parhelion.cpu.CpuModel;
import parhelion.cpu.CpuState;
import parhelion.cpu.Engine;
import parhelion.cpu.GuestFault;
import parhelion.pc.acpi.HotPlug;
import parhelion.pc.display.Vga;
import parhelion.pc.firmware.FirmwareConfig;
import parhelion.pc.input.Key;
import parhelion.pc.input.Ps2Controller;
import parhelion.pc.kvm.KvmInterface;
import parhelion.pc.pci.Bridges;
import parhelion.pc.pci.PciBus;
import parhelion.pc.pci.PirqRouter;
import parhelion.pc.serial.DebugPorts;
import parhelion.pc.serial.Uart;
import parhelion.pc.time.CountedClock;
import parhelion.pc.time.TimerQueue;

/**
 * The board's own devices under a guest that does anything: interrupt controllers, timers, clock,
 * ACPI, serial port, keyboard controller, display, configuration channel, KVM's registers. Nothing
 * is thrown, whatever runs then ends, and after they are set up anew all devices do what they are
 * for.
 */
@Timeout(value = 2, unit = TimeUnit.MINUTES)
final class BoardFuzzTest {
  private static final long SEED = Long.getLong("parhelion.seed", 1);
  private static final int ROUNDS = 60;
  private static final int STEPS = 2_000;
  private static final long LOCAL_APIC = 0xfee0_0000L;
  private static final long IO_APIC = 0xfec0_0000L;
  private static final long HPET = 0xfed0_0000L;
  private static final long DISPLAY = 0xe000_0000L;
  private static final int APIC_BASE = 0x1b;
  private static final int APIC_ENABLED = 0x900;

  /** First ports of devices, and how many they have. */
  private static final int[][] PORTS = {
    {0x20, 2},
    {0xa0, 2},
    {0x4d0, 2},
    {0x40, 4},
    {0x61, 1},
    {0x70, 2},
    {0x60, 1},
    {0x3f8, 8},
    {0x600, 16},
    {0x620, 8},
    {0x630, 12},
    {0x510, 12},
    {0x402, 1},
    {0xe9, 1},
    {0x3b0, 48},
    {0x1ce, 4},
    {0xcf8, 8},
    {0xcf9, 1},
    {0x64, 1},
    {0x92, 1}
  };

  /** Those with which a machine is switched off or reset come last. */
  private static final int ENDING = 3;

  private static final int[] MSRS = {
    0x10,
    0x11,
    0x12,
    APIC_BASE,
    0xfe,
    0x17a,
    0x1d9,
    0x200,
    0x20f,
    0x250,
    0x277,
    0x2ff,
    0x6e0,
    0x4b56_4d00,
    0x4b56_4d01,
    0x4b56_4d02,
    0x4b56_4d03,
    0x4b56_4d04,
    0x4b56_4d05
  };

  /** What is offered beside the hardware. */
  private enum Offer {
    NOTHING,
    KVM
  }

  private final Random random = new Random(SEED);
  private final StringBuilder sent = new StringBuilder();

  /** A machine with everything on its board. Its software waits for interrupts for ever. */
  private final class Subject {
    final PcMachine machine;
    final Uart uart;
    final Ps2Controller keyboard;
    final Vga display;
    final Cpu cpu;
    final PcMonitor monitor;
    final boolean mayEnd = random.nextInt(4) == 0;

    Subject(PcMachine machine) {
      this.machine = machine;
      PirqRouter router = new PirqRouter(machine);
      PciBus bus = new PciBus(machine, router, () -> machine.finish(PcMachine.End.RESET));
      bus.plug(0, 0, Bridges.host(machine, register -> {}));
      bus.plug(1, 0, Bridges.isa(machine, router));
      display = new Vga(machine, new byte[0]);
      bus.plug(2, 0, display.function());
      uart = new Uart(machine, machine.line(Uart.COM1_LINE), this::sent);
      uart.plug(Uart.COM1);
      DebugPorts.plug(machine, value -> true);
      keyboard = new Ps2Controller(machine, () -> machine.finish(PcMachine.End.RESET));
      HotPlug hotPlug = new HotPlug(machine, machine.power(), slot -> {});
      hotPlug.letGo(3);
      FirmwareConfig channel = new FirmwareConfig(machine.memory());
      channel.plug(machine);
      channel.file("etc/words", new byte[300]);
      PcVcpu vcpu = machine.vcpus().get(random.nextInt(2));
      cpu = vcpu.cpu();
      monitor = new PcMonitor(machine, vcpu);
    }

    private boolean sent(byte value) {
      sent.append((char) value);
      return random.nextInt(4) != 0 || value == 'x';
    }

    void out(int port, int size, int value) {
      machine.portMap().write(port, size, value);
    }

    int in(int port, int size) {
      return machine.portMap().read(port, size);
    }

    void pass(long nanos) {
      machine.clock().advanceTo(machine.clock().nanos() + nanos);
      ((TimerQueue) machine.timers()).fire(machine.clock().nanos());
    }
  }

  private PcMachine machine() {
    byte[] rom = new byte[64 << 10];
    byte[] program = {(byte) 0xfb, (byte) 0xf4, (byte) 0xeb, (byte) 0xfc}; // sti; hlt; jmp to hlt
    System.arraycopy(program, 0, rom, 0xfff0, program.length);
    return new PcMachine(
        new PcConfig(4 << 20, 2, CpuModel.DEFAULT, Engine.INTERPRETER, rom),
        new CountedClock(Instant.ofEpochSecond(1_700_000_000)));
  }

  private int value() {
    return switch (random.nextInt(4)) {
      case 0 -> random.nextInt();
      case 1 -> 1 << random.nextInt(32);
      default -> random.nextInt(256);
    };
  }

  /** A word of which a part is a place in RAM, near its end, or nowhere. */
  private long address() {
    return switch (random.nextInt(3)) {
      case 0 -> random.nextLong();
      case 1 -> (4 << 20) - random.nextInt(128);
      default -> random.nextInt(4 << 20) | random.nextInt(2);
    };
  }

  private void port(Subject pc) {
    int[] range = PORTS[random.nextInt(PORTS.length - (pc.mayEnd ? 0 : ENDING))];
    int port = range[0] + random.nextInt(range[1]);
    int size = 1 << random.nextInt(3);
    boolean control = port <= 0x605 && port + size > 0x604;
    if (random.nextInt(3) == 0 || control && !pc.mayEnd) {
      int unused = pc.in(port, size);
    } else {
      pc.out(port, size, value());
    }
  }

  private void register(Subject pc) {
    long at =
        switch (random.nextInt(4)) {
          case 0 -> LOCAL_APIC + 16 * random.nextInt(64);
          case 1 -> IO_APIC + 16 * random.nextInt(5);
          case 2 -> HPET + 8 * random.nextInt(48);
          default -> 0xa_0000 + random.nextInt(1 << 17);
        };
    int size = random.nextInt(8) == 0 ? 1 << random.nextInt(4) : 4;
    long place = at + (random.nextInt(16) == 0 ? random.nextInt(16) : 0);
    if (random.nextInt(3) == 0) {
      long unused = pc.cpu.load(place, size);
    } else {
      pc.cpu.store(place, size, size == 8 ? random.nextLong() : value());
    }
  }

  private void msr(Subject pc) {
    boolean extended = random.nextBoolean();
    int msr = extended ? 0x800 + random.nextInt(64) : MSRS[random.nextInt(MSRS.length)];
    try {
      if (msr == APIC_BASE) {
        pc.monitor.apicBase(pc.cpu, LOCAL_APIC | (long) random.nextInt(4) << 10);
      } else if (random.nextInt(3) == 0) {
        long unused = pc.monitor.rdmsr(pc.cpu, msr);
      } else {
        pc.monitor.wrmsr(pc.cpu, msr, msr > 0x1000 || !extended ? address() : value());
      }
    } catch (GuestFault refused) {
      assertEquals(GuestFault.GP, refused.vector, "seed " + SEED);
    }
  }

  private void call(Subject pc) {
    for (int register : new int[] {CpuState.RBX, CpuState.RCX, CpuState.RDX, CpuState.RSI}) {
      pc.cpu.put64(register, random.nextBoolean() ? random.nextLong() : random.nextInt(64));
    }
    pc.cpu.put64(CpuState.RAX, random.nextInt(14));
    boolean unused = pc.machine.guestInterface().call(pc.machine.vcpus().getFirst(), 3);
  }

  private void step(Subject pc) {
    switch (random.nextInt(16)) {
      case 0 -> pc.pass(1L << random.nextInt(28));
      case 1 -> {
        boolean unused =
            pc.keyboard.key(
                Key.values()[random.nextInt(Key.values().length)], random.nextBoolean());
        pc.keyboard.move(random.nextInt(), random.nextInt(), random.nextInt(), random.nextInt());
      }
      case 2 -> pc.uart.peerHasRoom();
      case 3 -> pc.machine.power().pressPowerButton();
      case 4, 5 -> msr(pc);
      case 6 -> call(pc);
      case 7, 8, 9 -> register(pc);
      default -> port(pc);
    }
  }

  /** What software makes of it: whatever that is, it comes back. */
  private void run(Subject pc) {
    Timers.Timer end = pc.machine.timers().timer(pc.machine::stop);
    end.set(pc.machine.clock().nanos() + 200_000);
    PcMachine.End unused = pc.machine.run();
    end.cancel();
  }

  @ParameterizedTest
  @EnumSource
  void whateverAGuestWritesDevicesWorkWhenTheyAreSetUpAnew(Offer offer) {
    int ran = 0;
    for (int round = 0; round < ROUNDS; round++) {
      try (PcMachine machine = machine()) {
        Subject pc = new Subject(machine);
        if (offer == Offer.KVM) {
          KvmInterface unused = KvmInterface.offer(machine);
        }
        for (int i = 0; i < STEPS; i++) {
          step(pc);
        }
        run(pc);
        ran += pc.mayEnd ? 0 : 1;
        assertTrue(pc.display.screenshot().width() > 0);
        assertWorks(pc, "seed " + SEED + ", round " + round);
      }
    }
    assertTrue(ran > ROUNDS / 2);
  }

  private void assertWorks(Subject pc, String where) {
    assertDisplay(pc, where);
    assertTimers(pc, where);
    assertClock(pc, where);
    assertLines(pc, where);
    assertControllers(pc, where);
  }

  private static void configure(Subject pc, int slot, int register, int value) {
    pc.out(0xcf8, 4, 1 << 31 | slot << 11 | register);
    pc.out(0xcfc, 4, value);
  }

  private static void assertDisplay(Subject pc, String where) {
    for (int slot = 0; slot < 3; slot++) {
      configure(pc, slot, 4, 0);
    }
    pc.out(0xcf8, 4, 1 << 31);
    assertEquals(0x1237_8086, pc.in(0xcfc, 4), where);
    configure(pc, 2, 0x10, (int) DISPLAY);
    configure(pc, 2, 4, 3);
    int[][] mode = {{4, 0}, {1, 640}, {2, 480}, {3, 32}, {4, 0x41}};
    for (int[] register : mode) {
      pc.out(0x1ce, 2, register[0]);
      pc.out(0x1cf, 2, register[1]);
    }
    pc.cpu.store32(DISPLAY, 0x12_3456);
    assertEquals(640, pc.display.screenshot().width(), where);
    assertEquals(0x12_3456, pc.cpu.load32(DISPLAY), where);
  }

  private static void assertTimers(Subject pc, String where) {
    pc.out(0x43, 1, 0x34);
    pc.out(0x40, 1, 0xe8);
    pc.out(0x40, 1, 0x03);
    pc.pass(100_000); // 119 of 1000
    pc.out(0x43, 1, 0);
    int left = pc.in(0x40, 1) & 0xff | (pc.in(0x40, 1) & 0xff) << 8;
    assertTrue(left > 870 && left < 890, where + ": " + left);
    pc.cpu.store(HPET + 0x10, 4, 0);
    pc.cpu.store(HPET + 0xf0, 8, 0);
    pc.cpu.store(HPET + 0x10, 4, 1);
    int before = pc.in(0x608, 4);
    pc.pass(1_000_000);
    assertEquals(100_000, pc.cpu.load(HPET + 0xf0, 8), where);
    int ticks = pc.in(0x608, 4) - before;
    assertTrue(ticks >= 3579 && ticks <= 3580, where + ": " + ticks);
  }

  private static int clockRegister(Subject pc, int register, int value) {
    pc.out(0x70, 1, register);
    if (value >= 0) {
      pc.out(0x71, 1, value);
    }
    return pc.in(0x71, 1) & 0xff;
  }

  private static void assertClock(Subject pc, String where) {
    int unused = clockRegister(pc, 11, 0x82);
    unused = clockRegister(pc, 10, 0x26);
    int[][] time = {
      {7, 1}, {8, 2}, {9, 0x24}, {0x32, 0x20}, {7, 0x29}, {4, 0x23}, {2, 0x59}, {0, 0}
    };
    for (int[] register : time) {
      assertEquals(register[1], clockRegister(pc, register[0], register[1]), where);
    }
    unused = clockRegister(pc, 11, 2);
    pc.pass(60_000_000_000L);
    assertEquals(1, clockRegister(pc, 7, -1), where + ": the first of March");
    assertEquals(3, clockRegister(pc, 8, -1), where);
  }

  private void assertLines(Subject pc, String where) {
    pc.out(0x3fb, 1, 3);
    pc.out(0x3fc, 1, 0);
    pc.out(0x3f9, 1, 0);
    for (int i = 0; i < 100; i++) {
      pc.uart.peerHasRoom();
    }
    sent.setLength(0);
    pc.out(0x3f8, 1, 'x');
    assertEquals("x", sent.toString(), where);
    pc.out(0x64, 1, 0xad);
    pc.out(0x64, 1, 0xa7);
    for (int i = 0; i < 4 && (pc.in(0x64, 1) & 1) != 0; i++) {
      int unused = pc.in(0x60, 1);
    }
    pc.out(0x64, 1, 0xaa);
    assertEquals(0x55, pc.in(0x60, 1), where);
    pc.out(0x510, 2, 0);
    byte[] signature = new byte[4];
    for (int i = 0; i < 4; i++) {
      signature[i] = (byte) pc.in(0x511, 1);
    }
    assertTrue(Arrays.equals(new byte[] {'Q', 'E', 'M', 'U'}, signature), where);
  }

  private static void assertControllers(Subject pc, String where) {
    for (int base : new int[] {0x20, 0xa0}) {
      pc.out(base, 1, 0x11);
      pc.out(base + 1, 1, 8);
      pc.out(base + 1, 1, base == 0x20 ? 4 : 2);
      pc.out(base + 1, 1, 1);
      pc.out(base + 1, 1, 0xa5);
      assertEquals(0xa5, pc.in(base + 1, 1), where);
    }
    pc.cpu.store(IO_APIC, 4, 0x10 + 2 * 5);
    pc.cpu.store(IO_APIC + 0x10, 4, 0x1_0042);
    assertEquals(0x1_0042, pc.cpu.load(IO_APIC + 0x10, 4) & ~0x5000, where);
    pc.monitor.apicBase(pc.cpu, LOCAL_APIC);
    pc.monitor.apicBase(pc.cpu, LOCAL_APIC | APIC_ENABLED);
    pc.cpu.store(LOCAL_APIC + 0xf0, 4, 0x1ff);
    assertEquals(0x1ff, pc.cpu.load(LOCAL_APIC + 0xf0, 4), where);
  }
}
