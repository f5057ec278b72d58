package parhelion.pc.disk;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import parhelion.pc.FakeBoard;
import parhelion.pc.MemoryDisk;
import parhelion.pc.pci.PciBus;
import parhelion.pc.pci.PciSoftware;
import parhelion.pc.pci.PirqRouter;

/** A CD-ROM drive on an IDE channel, by register and packet. */
final class CdromTest {
  private static final int BLOCKS = 300;

  private final FakeBoard board = new FakeBoard(1 << 20);
  private final MemoryDisk image = new MemoryDisk(BLOCKS * 2048).numbered();
  private final DiskIo io = new DiskIo(image, board);
  private final AtapiCdrom drive = new AtapiCdrom(io);
  private final IdeController controller = new IdeController(board);
  private final PciBus bus = new PciBus(board, new PirqRouter(board), () -> {});
  private final PciSoftware pci = new PciSoftware(board);
  private final IdeSoftware ide = new IdeSoftware(board, false);

  @BeforeEach
  void plugIn() {
    controller.plug(2, drive);
    bus.plug(1, 1, controller.function());
    pci.write(1, 1, 0x20, 4, 0xc000);
    pci.enable(1, 1);
  }

  @AfterEach
  void close() {
    io.close();
  }

  private byte[] blocks(int first, int count) {
    return Arrays.copyOfRange(image.bytes, first * 2048, (first + count) * 2048);
  }

  /** A packet command without data; returns the error register, 0 if it went well. */
  private int plain(int... bytes) {
    ide.packet(0, false, bytes);
    int status = ide.interrupted();
    assertEquals(3, ide.in(2));
    return (status & 1) == 0 ? 0 : ide.in(1);
  }

  /** A packet command whose data come at once. */
  private byte[] data(int expected, int... bytes) {
    ide.packet(0xfffe, false, bytes);
    assertEquals(0x58, ide.interrupted());
    assertEquals(2, ide.in(2));
    assertEquals(expected, ide.in(4) | ide.in(5) << 8);
    byte[] data = ide.take(expected + (expected & 1), 2);
    assertEquals(0x50, ide.interrupted());
    assertEquals(3, ide.in(2));
    return data;
  }

  private int sense() {
    byte[] sense = data(18, 3, 0, 0, 0, 18);
    return (sense[2] & 0xff) << 16 | (sense[12] & 0xff) << 8 | sense[13] & 0xff;
  }

  private void ready() {
    assertEquals(0x64, plain(0));
    assertEquals(0x062900, sense(), "it was switched on");
    assertEquals(0, plain(0));
    assertEquals(0, sense());
  }

  @Test
  void hasTheSignatureOfAPacketDevice() {
    assertEquals(0x14, ide.in(4));
    assertEquals(0xeb, ide.in(5));
    ide.command(0xec, 0, 0, 0, 0xa0);
    assertEquals(0x51, ide.interrupted());
    assertEquals(0x14, ide.in(4));
    assertEquals(0xeb, ide.in(5));
    ide.command(0xa1, 0, 0, 0, 0xa0);
    assertEquals(0x58, ide.interrupted());
    byte[] id = ide.take(512, 2);
    assertEquals((byte) 0x85, id[1]);
    assertEquals((byte) 0xc0, id[0]);
  }

  @Test
  void tellsWhatItIsAndHowMuchIsOnTheDisc() {
    byte[] inquiry = data(36, 0x12, 0, 0, 0, 36);
    assertEquals(5, inquiry[0]);
    assertEquals((byte) 0x80, inquiry[1]);
    ready();
    assertArrayEquals(
        new byte[] {0, 0, 1, 0x2b, 0, 0, 8, 0}, data(8, 0x25), "the last block, and its size");
    byte[] toc = data(20, 0x43, 0, 0, 0, 0, 0, 0, 0, 100);
    assertArrayEquals(
        new byte[] {0, 18, 1, 1, 0, 0x14, 1, 0, 0, 0, 0, 0, 0, 0x16, (byte) 0xaa, 0, 0, 0, 1, 0x2c},
        toc);
    byte[] minutes = data(12, 0x43, 2, 0, 0, 0, 0, 0xaa, 0, 12);
    assertArrayEquals(new byte[] {0, 0, 6, 0}, Arrays.copyOfRange(minutes, 8, 12));
  }

  @Test
  void readsBlocksInPiecesOfTheByteCount() {
    ready();
    ide.packet(0x1000, false, 0x28, 0, 0, 0, 0, 9, 0, 0, 5);
    byte[] read = new byte[0];
    for (int left = 5 * 2048; left > 0; left -= 4096) {
      assertEquals(0x58, ide.interrupted());
      int length = ide.in(4) | ide.in(5) << 8;
      assertEquals(Math.min(4096, left), length);
      byte[] piece = ide.take(length, 4);
      read = Arrays.copyOf(read, read.length + length);
      System.arraycopy(piece, 0, read, read.length - length, length);
    }
    assertEquals(0x50, ide.interrupted());
    assertArrayEquals(blocks(9, 5), read);
  }

  @Test
  void readsByTheBusMaster() {
    ready();
    board.memory().put32(0x1000, 0x20000);
    board.memory().put32(0x1004, 1 << 31 | 4096);
    ide.packet(0, true, 0xa8, 0, 0, 0, 0, 3, 0, 0, 0, 2);
    board.out(0xc00c, 4, 0x1000);
    board.out(0xc008, 1, 9);
    assertEquals(0x50, ide.interrupted());
    assertEquals(4, board.in(0xc00a, 1) & 7);
    assertArrayEquals(blocks(3, 2), board.memory().get(0x20000, 4096));
  }

  @Test
  void reportsBadRequests() {
    ready();
    assertEquals(0x54, plain(0x28, 0, 0, 0, 1, 0x2c, 0, 0, 1));
    assertEquals(0x052100, sense());
    assertEquals(0x54, plain(0x28, 0, -1, -1, -1, -1, 0, -1, -1));
    assertEquals(0x054, plain(0xee));
    assertEquals(0x052000, sense());
    image.failing = true;
    assertEquals(0x34, plain(0x28, 0, 0, 0, 0, 0, 0, 0, 1));
    assertEquals(0x031100, sense());
  }

  @Test
  void theDiscCanBeLockedTakenOutAndChanged() {
    ready();
    assertEquals(0, plain(0x1e, 0, 0, 0, 1));
    assertEquals(0x54, plain(0x1b, 0, 0, 0, 2));
    assertEquals(0, plain(0x1e, 0, 0, 0, 0));
    assertEquals(0, plain(0x1b, 0, 0, 0, 2));
    assertEquals(0x24, plain(0));
    assertEquals(0x023a00, sense());
    drive.change(io);
    assertEquals(0x64, plain(0));
    assertEquals(0x062800, sense());
    byte[] event = data(8, 0x4a, 1, 0, 0, 0x10, 0, 0, 0, 8);
    assertArrayEquals(new byte[] {0, 6, 4, 0x10, 2, 2, 0, 0}, event);
  }

  @Test
  void modePagesAreGivenAsFarAsThereIsRoom() {
    ready();
    byte[] page = data(28, 0x5a, 0, 0x2a, 0, 0, 0, 0, 0, 28);
    assertEquals(0x2a, page[8]);
    assertEquals(26, page[1]);
    assertEquals(8, data(8, 0x5a, 0, 0x3f, 0, 0, 0, 0, 0, 8).length);
    assertEquals(0x54, plain(0x5a, 0, 0x17, 0, 0, 0, 0, 0, 8));
  }

  @Test
  void aDeviceResetGivesTheSignatureBack() {
    ide.out(4, 1);
    ide.out(7, 8);
    assertEquals(0, ide.in(7));
    assertEquals(0x14, ide.in(4));
  }
}
