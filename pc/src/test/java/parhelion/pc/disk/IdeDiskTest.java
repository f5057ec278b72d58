package parhelion.pc.disk;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import parhelion.pc.FakeBoard;
import parhelion.pc.MemoryDisk;
import parhelion.pc.pci.PciBus;
import parhelion.pc.pci.PciSoftware;
import parhelion.pc.pci.PirqRouter;

/** A disk on the PIIX's IDE channel, by register. */
final class IdeDiskTest {
  private static final int SECTORS = 4096;
  private static final int BUS_MASTER = 0xc000;
  private static final int TABLE = 0x1000;
  private static final int DATA = 0x20000;

  private final FakeBoard board = new FakeBoard(1 << 20);
  private final MemoryDisk disk = new MemoryDisk(SECTORS * 512).numbered();
  private final DiskIo io = new DiskIo(disk, board);
  private final IdeController controller = new IdeController(board);
  private final PciBus bus = new PciBus(board, new PirqRouter(board), () -> {});
  private final PciSoftware pci = new PciSoftware(board);
  private final IdeSoftware ide = new IdeSoftware(board, true);

  @BeforeEach
  void plugIn() {
    controller.plug(0, new AtaDisk(io, "SERIAL", false));
    bus.plug(1, 1, controller.function());
    pci.write(1, 1, 0x20, 4, BUS_MASTER);
    pci.enable(1, 1);
  }

  @AfterEach
  void close() {
    io.close();
  }

  private byte[] sectors(int first, int count) {
    return Arrays.copyOfRange(disk.bytes, first * 512, (first + count) * 512);
  }

  private void region(int index, long address, int length, boolean last) {
    board.memory().put32(TABLE + 8 * index, (int) address);
    board.memory().put32(TABLE + 8 * index + 4, length & 0xffff | (last ? 1 << 31 : 0));
  }

  private int startMaster(boolean toMemory) {
    board.out(BUS_MASTER + 4, 4, TABLE);
    board.out(BUS_MASTER + 2, 1, 6);
    board.out(BUS_MASTER, 1, toMemory ? 8 : 0);
    board.out(BUS_MASTER, 1, toMemory ? 9 : 1);
    return board.in(BUS_MASTER + 2, 1);
  }

  @Test
  void anEmptyPlaceIsQuietAndADiskHasItsSignature() {
    assertEquals(0x50, ide.in(7));
    assertEquals(1, ide.in(2));
    assertEquals(1, ide.in(3));
    assertEquals(0, ide.in(4));
    ide.out(6, 0xb0);
    assertEquals(0, ide.in(7));
    ide.out(2, 0x55);
    assertEquals(0, ide.in(2));
    assertEquals(0, new IdeSoftware(board, false).in(7));
  }

  @Test
  void identifiesItselfInWords() {
    ide.command(0xec, 0, 0, 0, 0xa0);
    assertEquals(0x58, ide.interrupted());
    byte[] id = ide.take(512, 2);
    assertEquals(0x50, ide.alternateStatus());
    assertFalse(board.isRaised(14), "the end of data is no interrupt");
    assertEquals("ESIRLA", new String(id, 20, 6), "text is in swapped bytes");
    assertEquals(SECTORS, (id[120] & 0xff) | (id[121] & 0xff) << 8);
    assertEquals(SECTORS, (id[200] & 0xff) | (id[201] & 0xff) << 8);
    assertEquals(0x74, id[167]);
  }

  @Test
  void readsSectorsByTheDataRegisterInBlocks() {
    ide.command(0x20, 0, 2, 7, 0xe0);
    assertEquals(0x58, ide.interrupted());
    assertArrayEquals(sectors(7, 1), ide.take(512, 2));
    assertEquals(0x58, ide.interrupted());
    assertArrayEquals(sectors(8, 1), ide.take(512, 4));
    assertEquals(0x50, ide.alternateStatus());
    ide.command(0xc6, 0, 4, 0, 0xe0);
    assertEquals(0x50, ide.interrupted());
    ide.command(0xc4, 0, 6, 100, 0xe0);
    assertEquals(0x58, ide.interrupted());
    assertArrayEquals(sectors(100, 4), ide.take(2048, 2));
    assertEquals(0x58, ide.interrupted());
    assertArrayEquals(sectors(104, 2), ide.take(1024, 2));
    assertEquals(0x50, ide.alternateStatus());
  }

  @Test
  void aCountOfZeroIsTheMostThereCanBe() {
    ide.command(0x20, 0, 0, 0, 0xe0);
    for (int i = 0; i < 256; i++) {
      assertEquals(0x58, ide.interrupted());
      assertArrayEquals(sectors(i, 1), ide.take(512, 4));
    }
    assertEquals(0x50, ide.alternateStatus());
  }

  @Test
  void writesSectorsByTheDataRegister() {
    byte[] data = new byte[1024];
    Arrays.fill(data, (byte) 0x3c);
    ide.command(0x30, 0, 2, 50, 0xe0);
    assertFalse(board.isRaised(14), "the first block is not told of");
    assertEquals(0x58, ide.in(7));
    ide.give(Arrays.copyOf(data, 512));
    assertEquals(0x58, ide.interrupted());
    ide.give(Arrays.copyOf(data, 512));
    assertEquals(0x50, ide.interrupted());
    assertArrayEquals(data, sectors(50, 2));
  }

  @Test
  void addressesByCylinderHeadAndSector() {
    ide.command(0x20, 0, 1, 2 << 8 | 5, 0xa3);
    assertEquals(0x58, ide.interrupted());
    assertArrayEquals(sectors((2 * 16 + 3) * 63 + 4, 1), ide.take(512, 2));
    ide.command(0x20, 0, 1, 0, 0xa0);
    assertEquals(0x51, ide.interrupted(), "there is no sector 0");
    assertEquals(0x10, ide.in(1));
    ide.command(0x91, 0, 32, 0, 0xa7);
    assertEquals(0x50, ide.interrupted());
    ide.command(0x20, 0, 1, 1 << 8 | 1, 0xa2);
    assertEquals(0x58, ide.interrupted());
    assertArrayEquals(sectors((8 + 2) * 32, 1), ide.take(512, 2));
  }

  @Test
  void wideRegistersAreWrittenTwiceAndReadBackByTheControlRegister() {
    ide.wideCommand(0x24, 0, 1, 0x123, 0xe0);
    assertEquals(0x58, ide.interrupted());
    assertArrayEquals(sectors(0x123, 1), ide.take(512, 2));
    ide.wideCommand(0x24, 0, 1, 0x5544_3322_1100L, 0xe0);
    assertEquals(0x51, ide.interrupted());
    assertEquals(0x22, ide.in(5));
    ide.control(0x80);
    assertEquals(0x55, ide.in(5));
    ide.wideCommand(0x27, 0, 0, 0, 0xe0);
    assertEquals(0x50, ide.interrupted());
    assertEquals(0x0f, ide.in(4));
    assertEquals(0xff, ide.in(3));
  }

  @Test
  void movesDataByTheBusMaster() {
    region(0, DATA, 512, false);
    region(1, DATA + 0x2000, 1536, true);
    ide.command(0xc8, 0, 4, 30, 0xe0);
    assertEquals(0x58, ide.alternateStatus());
    assertFalse(board.isRaised(14));
    assertEquals(4, startMaster(true) & 7);
    assertEquals(0x50, ide.interrupted());
    assertArrayEquals(sectors(30, 1), board.memory().get(DATA, 512));
    assertArrayEquals(sectors(31, 3), board.memory().get(DATA + 0x2000, 1536));
    board.out(BUS_MASTER + 2, 1, 4);
    assertEquals(0, board.in(BUS_MASTER + 2, 1) & 7);
    board.out(BUS_MASTER, 1, 0);
    board.memory().fill(DATA, 512, 0x77);
    region(0, DATA, 512, true);
    board.out(BUS_MASTER, 1, 1);
    ide.wideCommand(0x35, 0, 1, 99, 0xe0);
    assertEquals(0x50, ide.interrupted());
    assertArrayEquals(board.memory().get(DATA, 512), sectors(99, 1));
  }

  @Test
  void aLargeTransferRunsBesideTheGuest() {
    for (int i = 0; i < 8; i++) {
      region(i, 0x40000 + i * 0x10000L, 0, i == 7);
    }
    ide.wideCommand(0x25, 0, 1024, 16, 0xe0);
    startMaster(true);
    assertEquals(0x80, ide.alternateStatus());
    board.awaitPosted();
    assertEquals(0x50, ide.interrupted());
    assertArrayEquals(sectors(16, 1024), board.memory().get(0x40000, 1024 * 512));
  }

  @Test
  void aTableThatIsTooShortOrNoRamFailsTheCommand() {
    region(0, DATA, 512, true);
    board.out(BUS_MASTER, 1, 0);
    ide.command(0xc8, 0, 2, 30, 0xe0);
    assertEquals(2, startMaster(true) & 3);
    assertEquals(0x51, ide.interrupted());
    region(0, 1 << 24, 1024, true);
    board.out(BUS_MASTER, 1, 0);
    ide.command(0xc8, 0, 2, 30, 0xe0);
    assertEquals(2, startMaster(true) & 3);
    assertEquals(0x51, ide.interrupted());
    region(0, DATA, 1024, true);
    board.out(BUS_MASTER, 1, 0);
    ide.command(0xc8, 0, 2, 30, 0xe0);
    assertEquals(2, startMaster(false) & 3, "the other direction");
    assertEquals(0x51, ide.interrupted());
    pci.write(1, 1, 4, 2, 1);
    board.out(BUS_MASTER, 1, 0);
    ide.command(0xc8, 0, 2, 30, 0xe0);
    assertEquals(2, startMaster(true) & 3, "no bus mastering");
  }

  @Test
  void unknownCommandsAbortAndBadSectorsAreReported() {
    ide.command(0x77, 0, 0, 0, 0xe0);
    assertEquals(0x51, ide.interrupted());
    assertEquals(4, ide.in(1));
    ide.command(0xa1, 0, 0, 0, 0xe0);
    assertEquals(0x51, ide.interrupted(), "no packet device");
    ide.command(0x60, 8, 0, 0, 0xe0);
    assertEquals(0x51, ide.interrupted(), "no queue on this cable");
    ide.command(0x20, 0, 2, SECTORS - 1, 0xe0);
    assertEquals(0x51, ide.interrupted());
    assertEquals(0x10, ide.in(1));
    disk.failing = true;
    ide.command(0x20, 0, 2, 0, 0xe0);
    assertEquals(0x51, ide.interrupted());
    assertEquals(0x40, ide.in(1));
  }

  @Test
  void flushReachesTheDisk() {
    ide.command(0xe7, 0, 0, 0, 0xe0);
    assertEquals(0x80, ide.alternateStatus());
    board.awaitPosted();
    assertEquals(0x50, ide.interrupted());
    assertEquals(1, disk.flushes);
  }

  @Test
  void theControlRegisterHoldsInterruptsBackAndResets() {
    ide.control(2);
    ide.command(0xec, 0, 0, 0, 0xa0);
    assertFalse(board.isRaised(14));
    ide.control(0);
    assertTrue(board.isRaised(14));
    ide.control(4);
    assertEquals(0x80, ide.alternateStatus());
    assertFalse(board.isRaised(14));
    ide.control(0);
    assertEquals(0x50, ide.alternateStatus());
    assertEquals(1, ide.in(1));
    assertEquals(0, ide.take(2, 2)[0], "the data are gone");
  }

  @Test
  void aReadOnlyDiskAbortsWrites() {
    disk.readOnly = true;
    ide.command(0x30, 0, 1, 0, 0xe0);
    assertEquals(0x51, ide.interrupted());
  }

  @Test
  void trimTakesRangesAndRefusesThoseBeyondTheEnd() {
    board.memory().fill(DATA, 512, 0);
    board.memory().put64(DATA, 8L << 48 | 16);
    region(0, DATA, 512, true);
    ide.wideCommand(0x06, 1, 1, 0, 0xe0);
    startMaster(false);
    board.awaitPosted();
    assertEquals(0x50, ide.interrupted());
    board.memory().put64(DATA, 8L << 48 | SECTORS);
    ide.wideCommand(0x06, 1, 1, 0, 0xe0);
    board.out(BUS_MASTER, 1, 0);
    startMaster(false);
    assertEquals(0x51, ide.interrupted());
  }
}
