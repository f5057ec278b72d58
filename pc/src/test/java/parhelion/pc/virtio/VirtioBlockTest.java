package parhelion.pc.virtio;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import parhelion.pc.FakeBoard;
import parhelion.pc.MemoryDisk;
import parhelion.pc.disk.DiskIo;
import parhelion.pc.virtio.VirtioDriver.Part;

/** A disk by virtio, and the transport and its queues with it, as VIRTIO 1.2 has them. */
final class VirtioBlockTest {
  private static final int HEADER = 0x40000;
  private static final int DATA = 0x50000;
  private static final int STATUS = 0x48000;

  private final FakeBoard board = new FakeBoard(1 << 20);
  private final MemoryDisk disk = new MemoryDisk(64 * 512).numbered();
  private final DiskIo io = new DiskIo(disk, board);
  private final VirtioPci device = VirtioBlock.device(board, "virtio-blk", io, "serial-1");
  private final VirtioDriver driver = new VirtioDriver(board, device, 16);

  @AfterEach
  void close() {
    io.close();
  }

  private Part header(int type, long sector) {
    board.memory().put32(HEADER, type);
    board.memory().put64(HEADER + 8, sector);
    board.memory().fill(STATUS, 1, 0x77);
    return new Part(HEADER, 16, 0);
  }

  private static Part status() {
    return new Part(STATUS, 1, VirtioDriver.WRITE);
  }

  private int statusByte() {
    return board.memory().get8(STATUS);
  }

  private byte[] sectors(int first, int count) {
    return Arrays.copyOfRange(disk.bytes, first * 512, (first + count) * 512);
  }

  @Test
  void readsAcrossSeveralBuffers() {
    driver.start(0, 1);
    int head =
        driver.add(
            0,
            header(0, 5),
            new Part(DATA, 512, VirtioDriver.WRITE),
            new Part(DATA + 0x1000, 1024, VirtioDriver.WRITE),
            status());
    driver.ring(0);
    List<int[]> used = driver.used(0);
    assertEquals(1, used.size());
    assertArrayEquals(new int[] {head, 1537}, used.getFirst());
    assertEquals(0, statusByte());
    assertArrayEquals(sectors(5, 1), board.memory().get(DATA, 512));
    assertArrayEquals(sectors(6, 2), board.memory().get(DATA + 0x1000, 1024));
  }

  @Test
  void writesFlushesAndTellsItsSerial() {
    driver.start(0, 1);
    board.memory().fill(DATA, 1024, 0x5a);
    driver.add(0, header(1, 3), new Part(DATA, 1024, 0), status());
    driver.ring(0);
    assertEquals(0, statusByte());
    byte[] expected = new byte[1024];
    Arrays.fill(expected, (byte) 0x5a);
    assertArrayEquals(expected, sectors(3, 2));
    driver.add(0, header(4, 0), status());
    driver.ring(0);
    board.awaitPosted();
    assertEquals(0, statusByte());
    assertEquals(1, disk.flushes);
    driver.add(0, header(8, 0), new Part(DATA, 20, VirtioDriver.WRITE), status());
    driver.ring(0);
    assertEquals("serial-1", new String(board.memory().get(DATA, 8)));
    assertEquals(3, driver.used(0).size());
  }

  @Test
  void writesZeroesWhereItIsAsked() {
    driver.start(0, 1);
    board.memory().put64(DATA, 7);
    board.memory().put32(DATA + 8, 2);
    board.memory().put32(DATA + 12, 1);
    driver.add(0, header(13, 0), new Part(DATA, 16, 0), status());
    driver.ring(0);
    board.awaitPosted();
    assertEquals(0, statusByte());
    assertArrayEquals(new byte[1024], sectors(7, 2));
  }

  @Test
  void refusesWhatIsBeyondTheDiskOrUnknown() {
    driver.start(0, 1);
    for (long sector : new long[] {64, 63, -1, Long.MAX_VALUE, 1L << 55}) {
      driver.add(0, header(0, sector), new Part(DATA, 1024, VirtioDriver.WRITE), status());
      driver.ring(0);
      assertEquals(1, statusByte(), "sector " + sector);
    }
    driver.add(0, header(0, 1), new Part(DATA, 100, VirtioDriver.WRITE), status());
    driver.ring(0);
    assertEquals(1, statusByte());
    driver.add(0, header(77, 1), status());
    driver.ring(0);
    assertEquals(2, statusByte());
    assertFalse(driver.needsReset());
  }

  @Test
  void aDiskThatFailsIsAnErrorOfThatRequest() {
    driver.start(0, 1);
    disk.failing = true;
    driver.add(0, header(0, 1), new Part(DATA, 512, VirtioDriver.WRITE), status());
    driver.ring(0);
    assertEquals(1, statusByte());
  }

  @Test
  void aReadOnlyDiskSaysSoAndTakesNoWrite() {
    disk.readOnly = true;
    FakeBoard other = new FakeBoard(1 << 20);
    VirtioDriver reader = new VirtioDriver(other, VirtioBlock.device(other, "ro", io, "x"), 16);
    assertTrue((reader.offered() & 1 << 5) != 0);
    assertEquals(0, reader.offered() & 1 << 13);
  }

  @Test
  void anIndirectTableIsAChain() {
    driver.start(VirtioPci.RING_INDIRECT, 1);
    long table = 0x60000;
    Part header = header(0, 9);
    driver.describe(table, 0, header.address(), 16, VirtioDriver.NEXT, 2);
    driver.describe(table, 2, DATA, 512, VirtioDriver.NEXT | VirtioDriver.WRITE, 1);
    driver.describe(table, 1, STATUS, 1, VirtioDriver.WRITE, 0);
    driver.add(0, new Part(table, 48, VirtioDriver.INDIRECT));
    driver.ring(0);
    assertEquals(0, statusByte());
    assertArrayEquals(sectors(9, 1), board.memory().get(DATA, 512));
  }

  @Test
  void eventIndicesHoldInterruptsBackUntilTheyAreReached() {
    driver.start(VirtioPci.RING_EVENT_INDEX, 1);
    driver.useMsix(1);
    board.memory().put16(driver.availableRing(0) + 4 + 2 * 16, 1);
    for (int i = 0; i < 3; i++) {
      driver.add(0, header(8, 0), new Part(DATA, 20, VirtioDriver.WRITE), status());
      driver.ring(0);
    }
    assertEquals(List.of(new FakeBoard.Message(0xfee0_0000L, 0)), board.messages);
    assertEquals(3, board.memory().get16(driver.usedRing(0) + 4 + 8 * 16), "notify me of the 4th");
  }

  @Test
  void withoutMsixThePinTellsAndTheIsrByteClearsIt() {
    driver.start(0, 1);
    driver.add(0, header(8, 0), new Part(DATA, 20, VirtioDriver.WRITE), status());
    driver.ring(0);
    assertTrue(board.isRaised(driver.pin()));
    assertEquals(1, board.load(driver.isr, 1));
    assertFalse(board.isRaised(driver.pin()));
    assertEquals(0, board.load(driver.isr, 1));
    board.memory().put16(driver.availableRing(0), 1);
    driver.add(0, header(8, 0), new Part(DATA, 20, VirtioDriver.WRITE), status());
    driver.ring(0);
    assertFalse(board.isRaised(driver.pin()), "the driver asked not to be interrupted");
  }

  @Test
  void featuresMustBeOfferedAndModern() {
    assertFalse(driver.negotiate(0), "not without VERSION_1");
    assertFalse(driver.negotiate(VirtioPci.VERSION_1 | 1L << 3));
    assertTrue(driver.negotiate(VirtioPci.VERSION_1));
    assertEquals(64, board.load(driver.config, 8));
  }

  @Test
  void theWindowInConfigurationSpaceReachesRegisters() {
    int slot = driver.slot();
    int window = driver.pci.capability(slot, 0, 9, 0);
    while (driver.pci.read(slot, 0, window + 3, 1) != 5) {
      window = driver.pci.capability(slot, 0, 9, window);
    }
    driver.pci.write(slot, 0, window + 4, 1, 4);
    driver.pci.write(slot, 0, window + 8, 4, 0x2000);
    driver.pci.write(slot, 0, window + 12, 4, 4);
    assertEquals(64, driver.pci.read(slot, 0, window + 16, 4));
    driver.pci.write(slot, 0, window + 8, 4, 20);
    driver.pci.write(slot, 0, window + 12, 4, 1);
    driver.pci.write(slot, 0, window + 16, 1, 3);
    assertEquals(3, driver.status());
    driver.pci.write(slot, 0, window + 8, 4, 0x4000);
    driver.pci.write(slot, 0, window + 16, 4, 1);
    assertEquals(3, driver.status());
  }

  @Test
  void brokenRulesEndInANeededResetAndAResetHeals() {
    List<Runnable> crimes =
        List.of(
            () -> { // a loop
              driver.describe(driver.table(0), 0, DATA, 16, VirtioDriver.NEXT, 1);
              driver.describe(driver.table(0), 1, DATA, 16, VirtioDriver.NEXT, 0);
              driver.makeAvailable(0, 0);
            },
            () -> driver.add(0, new Part(1L << 50, 16, 0), status()),
            () -> driver.add(0, new Part(-16, 32, 0), status()),
            () -> driver.add(0, new Part(DATA, -1, 0), status()),
            () -> driver.makeAvailable(0, 16),
            () -> driver.makeAvailable(0, 0xffff),
            () -> board.memory().put16(driver.availableRing(0) + 2, 17),
            () -> driver.add(0, new Part(DATA, 40, VirtioDriver.INDIRECT)),
            () -> driver.add(0, new Part(DATA, 1 << 20, VirtioDriver.INDIRECT)),
            () -> { // a table in a table
              driver.describe(DATA, 0, DATA, 16, VirtioDriver.INDIRECT, 0);
              driver.add(0, new Part(DATA, 16, VirtioDriver.INDIRECT));
            },
            () -> driver.add(0, status(), header(0, 0)),
            () -> driver.add(0, header(0, 0)),
            () -> driver.add(0, new Part(HEADER, 8, 0), status()));
    for (int i = 0; i < crimes.size(); i++) {
      driver.start(0, 1);
      crimes.get(i).run();
      driver.ring(0);
      assertTrue(driver.needsReset(), "crime " + i);
      assertEquals(2, board.load(driver.isr, 1) & 2, "the driver is told");
      driver.start(0, 1);
      driver.add(0, header(8, 0), new Part(DATA, 20, VirtioDriver.WRITE), status());
      driver.ring(0);
      assertEquals(0, statusByte(), "after crime " + i);
    }
  }

  @Test
  void aQueueThatIsNoRamIsNotEnabled() {
    assertTrue(driver.negotiate(VirtioPci.VERSION_1));
    driver.selectQueue(0);
    board.store(driver.common + 32, 8, 1L << 40);
    board.store(driver.common + 28, 2, 1);
    assertEquals(0, board.load(driver.common + 28, 2));
    assertTrue(driver.needsReset());
  }

  @Test
  void nothingIsDoneWithoutBusMastering() {
    driver.start(0, 1);
    driver.add(0, header(0, 1), new Part(DATA, 512, VirtioDriver.WRITE), status());
    driver.pci.write(driver.slot(), 0, 4, 2, 3);
    driver.ring(0);
    assertEquals(0x77, statusByte());
    assertEquals(0, driver.used(0).size());
  }

  @Test
  void aResetWaitsForThreadsAndNothingEndsAfterIt() {
    driver.start(0, 1);
    driver.add(0, header(4, 0), status());
    driver.ring(0);
    driver.setStatus(0);
    board.runPosted();
    assertEquals(0, driver.used(0).size());
    assertEquals(0x77, statusByte());
  }
}
