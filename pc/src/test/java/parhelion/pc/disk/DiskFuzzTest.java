package parhelion.pc.disk;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import org.junit.jupiter.api.Test;
import parhelion.pc.FakeBoard;
import parhelion.pc.MemoryDisk;
import parhelion.pc.pci.PciBus;
import parhelion.pc.pci.PciSoftware;
import parhelion.pc.pci.PirqRouter;

/**
 * Controllers under a guest that does anything: registers at random, commands with random operands,
 * tables of random regions. Nothing is thrown, and after a reset the controller works.
 */
final class DiskFuzzTest {
  private static final long SEED = Long.getLong("parhelion.seed", 1);
  private static final int STEPS = 60_000;
  private static final int RAM = 1 << 20;
  private static final long ABAR = 0xf000_0000L;
  private static final int[] COMMANDS = {
    0x06, 0x08, 0x20, 0x24, 0x25, 0x29, 0x30, 0x34, 0x35, 0x39, 0x60, 0x61, 0x90, 0xa0, 0xa0, 0xa1,
    0xc4, 0xc5, 0xc6, 0xc8, 0xca, 0xe7, 0xec, 0xef
  };
  private static final int[] PACKETS = {
    0x00, 0x03, 0x12, 0x1b, 0x25, 0x28, 0x28, 0x43, 0x46, 0x4a, 0x51, 0x5a, 0xa8, 0xbd, 0xbe
  };

  private final Random random = new Random(SEED);
  private final FakeBoard board = new FakeBoard(RAM);
  private final PciBus bus = new PciBus(board, new PirqRouter(board), () -> {});
  private final PciSoftware pci = new PciSoftware(board);
  private final MemoryDisk disk = new MemoryDisk(300 * 512);
  private final MemoryDisk image = new MemoryDisk(64 * 2048);

  private int command() {
    return random.nextInt(12) == 0
        ? random.nextInt(256)
        : COMMANDS[random.nextInt(COMMANDS.length)];
  }

  private int value() {
    return random.nextInt(3) == 0 ? random.nextInt() : random.nextInt(16);
  }

  private int size() {
    return 1 << random.nextInt(3);
  }

  private void scatter(long table, int entryBytes) {
    for (int i = 0; i < 8; i++) {
      long at = table + (long) i * entryBytes;
      boolean wild = random.nextInt(20) == 0;
      long address = wild ? random.nextLong() : 0x10000 + random.nextInt(0xe0000) & ~1;
      int length = random.nextInt(20) == 0 ? random.nextInt() : 2 * random.nextInt(0x4000);
      if (entryBytes == 8) {
        board.memory().put32(at, (int) address);
        board.memory().put32(at + 4, length & 0xffff | (i == 7 ? 1 << 31 : 0));
      } else {
        board.memory().put64(at, address);
        board.memory().put32(at + 12, length);
      }
    }
  }

  private void idePort(int ports) {
    int register = random.nextInt(8);
    switch (random.nextInt(10)) {
      case 0 -> board.out(ports + 0x206, 1, random.nextInt(4) == 0 ? value() : 0);
      case 1 -> board.out(0xc000 + random.nextInt(16), size(), value());
      case 2 -> {
        scatter(0x1000, 8);
        board.out(0xc004, 4, 0x1000);
        board.out(0xc00c, 4, 0x1000);
        board.out(0xc000, 1, 1 | random.nextInt(2) << 3);
        board.out(0xc008, 1, 9);
      }
      case 3 -> board.out(ports + 7, 1, command());
      case 4 -> {
        for (int i = 0; i < 256; i++) {
          int unused = board.in(ports, 2);
          board.out(ports, 2, PACKETS[random.nextInt(PACKETS.length)]);
        }
      }
      case 5 -> {
        int unused = board.in(ports + register, size());
      }
      default -> board.out(ports + register, size(), value());
    }
  }

  @Test
  void ideTakesAnything() {
    try (DiskIo io = new DiskIo(disk, board);
        DiskIo cdIo = new DiskIo(image, board)) {
      IdeController controller = new IdeController(board);
      AtapiCdrom drive = new AtapiCdrom(cdIo);
      controller.plug(0, new AtaDisk(io, "S", false));
      controller.plug(1, drive);
      controller.plug(2, new AtaDisk(io, "T", false));
      bus.plug(1, 1, controller.function());
      pci.write(1, 1, 0x20, 4, 0xc000);
      pci.enable(1, 1);
      for (int step = 0; step < STEPS; step++) {
        idePort(random.nextBoolean() ? 0x1f0 : 0x170);
        if (random.nextInt(8) == 0) {
          board.runPosted();
        }
        if (random.nextInt(500) == 0) {
          drive.change(random.nextBoolean() ? cdIo : null);
        }
      }
      IdeSoftware ide = new IdeSoftware(board, true);
      ide.control(4);
      ide.control(0);
      board.runPosted();
      ide.command(0xec, 0, 0, 0, 0xa0);
      assertTrue((ide.interrupted() & 8) != 0, "seed " + SEED);
    }
  }

  private void ahciCommand(int slot) {
    long table = 0x4000 + slot * 0x200L;
    boolean packet = random.nextInt(3) == 0;
    long header = 0x1000 + 32L * slot;
    board.memory().put32(header, random.nextInt(20) == 0 ? random.nextInt() : 5 | 8 << 16);
    board.memory().put64(header + 8, random.nextInt(30) == 0 ? random.nextLong() : table);
    byte[] fis = new byte[64 + 12];
    random.nextBytes(fis);
    fis[0] = (byte) (random.nextInt(30) == 0 ? 1 : 0x27);
    fis[1] = (byte) (random.nextInt(30) == 0 ? 0 : 0x80);
    fis[2] = (byte) (packet ? 0xa0 : command());
    for (int i = 4; i < 14; i++) {
      fis[i] = random.nextInt(20) == 0 ? fis[i] : 0;
    }
    fis[3] = (byte) random.nextInt(6);
    fis[4] = (byte) random.nextInt(250);
    fis[12] = (byte) random.nextInt(100);
    fis[64] = (byte) PACKETS[random.nextInt(PACKETS.length)];
    for (int i = 66; i < 76; i++) {
      fis[i] = (byte) (random.nextInt(6) == 0 ? random.nextInt() : 0);
    }
    board.memory().put(table, fis);
    scatter(table + 0x80, 16);
  }

  @Test
  void ahciTakesAnything() {
    try (DiskIo io = new DiskIo(disk, board);
        DiskIo cdIo = new DiskIo(image, board)) {
      AhciController controller = new AhciController(board);
      controller.plug(0, new AtaDisk(io, "S", true));
      controller.plug(1, new AtapiCdrom(cdIo));
      bus.plug(4, 0, controller.function());
      pci.write(4, 0, 0x24, 4, (int) ABAR);
      pci.enable(4, 0);
      int moved = 0;
      for (int step = 0; step < STEPS; step++) {
        long port = ABAR + 0x100 + 0x80 * random.nextInt(2);
        switch (random.nextInt(8)) {
          case 0 -> board.store(ABAR + random.nextInt(0x1000), size(), value());
          case 1 -> {
            long unused = board.load(ABAR + random.nextInt(0x400), 1 << random.nextInt(4));
          }
          case 2 -> {
            board.store(port + 0x18, 4, 0x10);
            board.store(port, 8, 0x1000);
            board.store(port + 8, 8, random.nextInt(20) == 0 ? random.nextLong() : 0x2000);
            board.store(port + 0x18, 4, 0x11);
          }
          default -> {
            int slot = random.nextInt(32);
            ahciCommand(slot);
            board.store(port + 0x34, 4, 1L << slot);
            board.store(port + 0x38, 4, 1L << slot);
            moved += board.memory().get32(0x1000 + 32 * slot + 4) != 0 ? 1 : 0;
          }
        }
        if (random.nextInt(8) == 0) {
          board.runPosted();
        }
      }
      board.store(ABAR + 4, 4, 1);
      board.runPosted();
      assertTrue(moved > 100, "seed " + SEED + " moved nothing");
    }
  }
}
