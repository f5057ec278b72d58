package parhelion.pc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Instant;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import parhelion.cpu.Cpu;
import parhelion.cpu.CpuModel;
import parhelion.cpu.Engine;
import parhelion.media.net.MacAddress;
import parhelion.pc.display.Screenshot;
import parhelion.pc.display.Vga;
import parhelion.pc.net.E1000;
import parhelion.pc.net.FakeNetwork;
import parhelion.pc.pci.Bridges;
import parhelion.pc.pci.PciBus;
import parhelion.pc.pci.PciFunction;
import parhelion.pc.pci.PirqRouter;
import parhelion.pc.time.CountedClock;
import parhelion.pc.virtio.VirtioRng;

/**
 * A guest that writes anything into configuration space, so that ranges of registers and of device
 * memory move about, over each other, over RAM and the interrupt controllers, and reads and writes
 * wherever they may be. Nothing is thrown, and what is said about a place stays true.
 */
@Timeout(value = 2, unit = TimeUnit.MINUTES)
final class PciFuzzTest {
  private static final long SEED = Long.getLong("parhelion.seed", 1);
  private static final int ADDRESS = 0xcf8;
  private static final int DATA = 0xcfc;
  private static final int VIDEO_SLOT = 2;

  private final Random random = new Random(SEED);
  private final PcMachine machine =
      new PcMachine(
          new PcConfig(4 << 20, 1, CpuModel.DEFAULT, Engine.INTERPRETER, new byte[64 << 10]),
          new CountedClock(Instant.EPOCH));

  private Vga plugAll() {
    PirqRouter router = new PirqRouter(machine);
    PciBus bus = new PciBus(machine, router, () -> {});
    bus.plug(0, 0, Bridges.host(machine, register -> {}));
    PciFunction isa = Bridges.isa(machine, router);
    bus.plug(1, 0, isa);
    bus.plug(1, 3, Bridges.power(machine));
    Vga display = new Vga(machine, new byte[0]);
    bus.plug(VIDEO_SLOT, 0, display.function());
    int unused =
        bus.plug(new E1000(machine, "e1000", new FakeNetwork(), new MacAddress(1)).function());
    unused =
        bus.plug(
            VirtioRng.device(machine, "rng", bytes -> Arrays.fill(bytes, (byte) 1)).function());
    return display;
  }

  private void select(int slot, int function, int register) {
    machine.portMap().write(ADDRESS, 4, 1 << 31 | slot << 11 | function << 8 | register & 0xfc);
  }

  private void configure(int slot, int register, int size, int value) {
    select(slot, 0, register);
    machine.portMap().write(DATA + (register & 3), size, value);
  }

  /** Where ranges may come to lie; few places, so that they meet. */
  private int place() {
    return switch (random.nextInt(6)) {
      case 0 -> random.nextInt();
      case 1 -> 0xfec0_0000 + (random.nextInt(4) << 20);
      case 2 -> random.nextInt(8) << 12;
      default -> 0xe000_0000 + (random.nextInt(3) << 22) + (random.nextInt(3) << 12);
    };
  }

  private void step(Cpu cpu) {
    int slot = random.nextInt(6);
    int size = 1 << random.nextInt(3);
    switch (random.nextInt(8)) {
      case 0 -> configure(slot, 0x10 + 4 * random.nextInt(6), 4, place());
      case 1 -> configure(slot, 4, 2, random.nextInt(8) == 0 ? random.nextInt() : 7);
      case 2 -> {
        select(slot, random.nextInt(8), random.nextInt(256));
        machine.portMap().write(DATA + random.nextInt(4), size, random.nextInt());
      }
      case 3 -> {
        select(slot, random.nextInt(8), random.nextInt(256));
        int unused = machine.portMap().read(DATA + random.nextInt(4), size);
      }
      case 4, 5 ->
          cpu.store((place() & 0xffff_ffffL) + random.nextInt(9000), size, random.nextInt());
      default -> {
        long unused = cpu.load((place() & 0xffff_ffffL) + random.nextInt(9000), size);
      }
    }
  }

  @Test
  void rangesThatMoveAboutHarmNobody() {
    try (machine) {
      Vga display = plugAll();
      Cpu cpu = machine.vcpus().getFirst().cpu();
      int reached = 0;
      for (int round = 0; round < 300; round++) {
        for (int i = 0; i < 200; i++) {
          step(cpu);
        }
        for (int slot = 1; slot < 6; slot++) {
          configure(slot, 4, 2, 0);
        }
        // However it was moved before: the frame buffer alone is where it is put.
        long at = 0xe000_0000L + ((long) random.nextInt(4) << 23);
        configure(VIDEO_SLOT, 0x10, 4, (int) at);
        configure(VIDEO_SLOT, 4, 2, 2);
        int offset = random.nextInt(1 << 21) * 4;
        int value = random.nextInt();
        cpu.store32(at + offset, value);
        long other = 0xe000_0000L + ((long) random.nextInt(4) << 23);
        configure(VIDEO_SLOT, 0x10, 4, (int) other);
        assertEquals(value, cpu.load32(other + offset), "seed " + SEED);
        assertTrue(other == at || cpu.load32(at + offset) == -1, "seed " + SEED);
        reached += other == at ? 0 : 1;
        Screenshot shot = display.screenshot();
        assertTrue(shot.width() > 0);
      }
      assertTrue(reached > 100);
    }
  }
}
