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

/** Disk and CD-ROM on the SATA controller, by register and command list. */
final class AhciTest {
  private static final int SECTORS = 4096;
  private static final long ABAR = 0xf000_0000L;
  private static final int LIST = 0x1000;
  private static final int RECEIVED = 0x2000;
  private static final int TABLES = 0x4000;
  private static final int DATA = 0x20000;

  private final FakeBoard board = new FakeBoard(2 << 20);
  private final MemoryDisk disk = new MemoryDisk(SECTORS * 512).numbered();
  private final MemoryDisk image = new MemoryDisk(100 * 2048).numbered();
  private final DiskIo io = new DiskIo(disk, board);
  private final DiskIo cdIo = new DiskIo(image, board);
  private final AhciController controller = new AhciController(board);
  private final PciBus bus = new PciBus(board, new PirqRouter(board), () -> {});
  private final PciSoftware pci = new PciSoftware(board);
  private final int pin = 16 + PirqRouter.wireOf(4, 1);

  @BeforeEach
  void plugIn() {
    controller.plug(0, new AtaDisk(io, "SERIAL", true));
    controller.plug(1, new AtapiCdrom(cdIo));
    bus.plug(4, 0, controller.function());
    pci.write(4, 0, 0x24, 4, (int) ABAR);
    pci.enable(4, 0);
    hba(4, 2);
    start(0);
    start(1);
  }

  @AfterEach
  void close() {
    io.close();
    cdIo.close();
  }

  private void hba(int at, int value) {
    board.store(ABAR + at, 4, Integer.toUnsignedLong(value));
  }

  private int hba(int at) {
    return (int) board.load(ABAR + at, 4);
  }

  private void port(int port, int at, int value) {
    hba(0x100 + 0x80 * port + at, value);
  }

  private int port(int port, int at) {
    return hba(0x100 + 0x80 * port + at);
  }

  private void start(int port) {
    port(port, 0x00, LIST);
    port(port, 0x08, RECEIVED);
    port(port, 0x30, -1);
    port(port, 0x10, -1);
    port(port, 0x14, -1);
    port(port, 0x18, 0x11);
  }

  /** Puts a command with one region into a slot. */
  private void prepare(
      int slot, int flags, int code, int feature, int count, long lba, int length) {
    long table = TABLES + slot * 0x100L;
    board.memory().put32(LIST + 32L * slot, 5 | flags | 1 << 16);
    board.memory().put32(LIST + 32L * slot + 4, 0);
    board.memory().put64(LIST + 32L * slot + 8, table);
    byte[] fis = {
      0x27,
      (byte) 0x80,
      (byte) code,
      (byte) feature,
      (byte) lba,
      (byte) (lba >>> 8),
      (byte) (lba >>> 16),
      0x40,
      (byte) (lba >>> 24),
      (byte) (lba >>> 32),
      (byte) (lba >>> 40),
      (byte) (feature >>> 8),
      (byte) count,
      (byte) (count >>> 8),
      0,
      0,
      0,
      0,
      0,
      0
    };
    board.memory().put(table, fis);
    region(slot, DATA + slot * 0x1000L, length);
  }

  private void region(int slot, long address, int length) {
    long entry = TABLES + slot * 0x100L + 0x80;
    board.memory().put64(entry, address);
    board.memory().put32(entry + 12, length - 1);
  }

  private byte[] sectors(int first, int count) {
    return Arrays.copyOfRange(disk.bytes, first * 512, (first + count) * 512);
  }

  private void packet(int slot, int... bytes) {
    for (int i = 0; i < 12; i++) {
      board.memory().fill(TABLES + slot * 0x100L + 0x40 + i, 1, i < bytes.length ? bytes[i] : 0);
    }
  }

  @Test
  void tellsOfItsPortsAndWhatIsOnThem() {
    assertEquals(0x10301, hba(0x10));
    assertEquals(0x3f, hba(0x0c));
    assertEquals(5, hba(0) & 31);
    assertEquals(0x101, port(0, 0x24));
    assertEquals(0x133, port(0, 0x28));
    assertEquals(0xeb140101, port(1, 0x24));
    assertEquals(-1, port(2, 0x24));
    assertEquals(0, port(2, 0x28));
    assertEquals(0x150, port(0, 0x20));
    assertTrue((port(1, 0x18) & 1 << 24) != 0);
  }

  @Test
  void identifiesADriveThatQueues() {
    prepare(3, 0, 0xec, 0, 0, 0, 512);
    port(0, 0x38, 8);
    assertEquals(0, port(0, 0x38));
    assertEquals(512, board.memory().get32(LIST + 32 * 3 + 4));
    byte[] id = board.memory().get(DATA + 0x3000, 512);
    assertEquals(31, id[150]);
    assertEquals(1, id[153] & 1, "native queueing");
    assertEquals(3, port(0, 0x10));
    assertEquals(0x5f, board.memory().get8(RECEIVED + 0x20));
    assertEquals(0x50, board.memory().get8(RECEIVED + 0x20 + 15));
    assertTrue(board.isRaised(pin));
    port(0, 0x10, -1);
    assertTrue(board.isRaised(pin), "the controller's own bit is still there");
    hba(8, 1);
    assertFalse(board.isRaised(pin));
  }

  @Test
  void readsAndWritesByCommandList() {
    prepare(0, 0, 0x25, 0, 3, 1000, 1536);
    port(0, 0x38, 1);
    assertArrayEquals(sectors(1000, 3), board.memory().get(DATA, 1536));
    assertEquals(1, port(0, 0x10));
    assertEquals(0x34, board.memory().get8(RECEIVED + 0x40));
    assertEquals(0x50, board.memory().get8(RECEIVED + 0x42));
    board.memory().fill(DATA + 0x1000, 512, 0x66);
    prepare(1, 0x40, 0x35, 0, 1, 77, 512);
    port(0, 0x38, 2);
    assertArrayEquals(board.memory().get(DATA + 0x1000, 512), sectors(77, 1));
  }

  @Test
  void queuedCommandsEndByBits() {
    prepare(2, 0, 0x60, 2, 2 << 3, 500, 1024);
    prepare(5, 0, 0x60, 1, 5 << 3, 600, 512);
    port(0, 0x34, 1 << 2 | 1 << 5);
    port(0, 0x38, 1 << 2 | 1 << 5);
    assertEquals(0, port(0, 0x34));
    assertEquals(8, port(0, 0x10));
    assertEquals(0xa1, board.memory().get8(RECEIVED + 0x58));
    assertArrayEquals(sectors(500, 2), board.memory().get(DATA + 0x2000, 1024));
    assertArrayEquals(sectors(600, 1), board.memory().get(DATA + 0x5000, 512));
  }

  @Test
  void aFailureStopsThePortUntilItIsStartedAgain() {
    prepare(0, 0, 0x25, 0, 1, SECTORS, 512);
    prepare(1, 0, 0x25, 0, 1, 5, 512);
    port(0, 0x38, 3);
    assertEquals(3, port(0, 0x38));
    assertEquals(0x1051, port(0, 0x20));
    assertTrue((port(0, 0x10) & 1 << 30) != 0);
    port(0, 0x18, 0x10);
    assertEquals(0, port(0, 0x38));
    start(0);
    port(0, 0x38, 2);
    assertArrayEquals(sectors(5, 1), board.memory().get(DATA + 0x1000, 512));
  }

  @Test
  void wildAddressesFailTheCommandOrStopThePort() {
    prepare(0, 0, 0x25, 0, 1, 0, 512);
    region(0, 1L << 40, 512);
    port(0, 0x38, 1);
    assertEquals(0x51, port(0, 0x20) & 0xff);
    port(0, 0x18, 0x10);
    start(0);
    prepare(0, 0, 0x25, 0, 2, 0, 512);
    port(0, 0x38, 1);
    assertEquals(0x51, port(0, 0x20) & 0xff, "the regions are too short");
    port(0, 0x18, 0x10);
    start(0);
    port(0, 0x04, 0x7777);
    port(0, 0x38, 1);
    assertTrue((port(0, 0x10) & 1 << 29) != 0);
  }

  @Test
  void aLargeTransferRunsBesideTheGuestAndAStopWaitsForIt() {
    prepare(0, 0, 0x25, 0, 1024, 8, 1024 * 512);
    region(0, 0x100000, 1024 * 512);
    port(0, 0x38, 1);
    assertEquals(1, port(0, 0x38));
    assertEquals(0x80, port(0, 0x20) & 0x80);
    board.awaitPosted();
    assertEquals(0, port(0, 0x38));
    assertArrayEquals(sectors(8, 1024), board.memory().get(0x100000, 1024 * 512));
    port(0, 0x38, 1);
    port(0, 0x18, 0x10);
    port(0, 0x10, -1);
    board.runPosted();
    assertEquals(0, port(0, 0x10), "nothing ends after the port has stopped");
  }

  @Test
  void packetsReachTheCdrom() {
    prepare(0, 0x20, 0xa0, 1, 0, 0, 4096);
    packet(0, 0);
    port(1, 0x38, 1);
    assertEquals(0x6451, port(1, 0x20), "it was switched on");
    port(1, 0x18, 0x10);
    start(1);
    packet(0, 0x28, 0, 0, 0, 0, 40, 0, 0, 2);
    port(1, 0x38, 1);
    assertEquals(0x50, port(1, 0x20));
    assertArrayEquals(
        Arrays.copyOfRange(image.bytes, 40 * 2048, 42 * 2048), board.memory().get(DATA, 4096));
    packet(0, 0x12, 0, 0, 0, 36);
    port(1, 0x38, 1);
    assertEquals(36, board.memory().get32(LIST + 4));
    assertEquals(5, board.memory().get8(DATA));
  }

  @Test
  void resetsByFisByLinkAndByController() {
    prepare(0, 0, 0, 0, 0, 0, 512);
    board.memory().fill(TABLES + 1, 1, 0);
    board.memory().fill(TABLES + 15, 1, 4);
    port(0, 0x38, 1);
    assertEquals(0x80, port(0, 0x20));
    board.memory().fill(TABLES + 15, 1, 0);
    port(0, 0x38, 1);
    assertEquals(0x150, port(0, 0x20));
    port(0, 0x2c, 1);
    assertEquals(0, port(0, 0x28));
    assertEquals(0x7f, port(0, 0x20));
    port(0, 0x2c, 0);
    assertEquals(0x133, port(0, 0x28));
    assertTrue((port(0, 0x30) & 1 << 26) != 0);
    assertTrue((port(0, 0x10) & 1 << 6) != 0);
    hba(4, 1);
    assertEquals(0x80000000, hba(4));
    assertEquals(0, port(0, 0));
    assertFalse(board.isRaised(pin));
  }

  @Test
  void aMessageIsSentForEachReasonThatIsStillThere() {
    int msi = pci.capability(4, 0, 5, 0);
    pci.write(4, 0, msi + 4, 4, 0xfee00000);
    pci.write(4, 0, msi + 12, 2, 0x31);
    pci.write(4, 0, msi + 2, 2, 1);
    prepare(0, 0, 0x25, 0, 1, 0, 512);
    port(0, 0x38, 1);
    assertEquals(1, board.messages.size());
    port(0, 0x10, -1);
    port(0, 0x38, 1);
    hba(8, 1);
    assertEquals(2, board.messages.size(), "what came between the two is told of");
    port(0, 0x10, -1);
    hba(8, 1);
    assertEquals(2, board.messages.size());
  }
}
