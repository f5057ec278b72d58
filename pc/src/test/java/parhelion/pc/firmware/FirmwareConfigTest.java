package parhelion.pc.firmware;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.charset.StandardCharsets;
import java.util.SplittableRandom;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import parhelion.pc.FakeBoard;

/** The configuration channel, by its description. */
final class FirmwareConfigTest {
  private final FakeBoard board = new FakeBoard(1 << 20);
  private final FirmwareConfig config = new FirmwareConfig(board.memory());

  @BeforeEach
  void plug() {
    config.plug(board);
    config.item(5, FirmwareConfig.little(3, 2));
    config.file("etc/one", "first".getBytes(StandardCharsets.US_ASCII));
    config.file("a/two", new byte[] {7, 8, 9});
  }

  private byte[] read(int item, int length) {
    board.out(0x510, 2, item);
    byte[] bytes = new byte[length];
    for (int i = 0; i < length; i++) {
      bytes[i] = (byte) board.in(0x511, 1);
    }
    return bytes;
  }

  private void request(long at, int control, int length, long address) {
    byte[] bytes = new byte[16];
    for (int i = 0; i < 4; i++) {
      bytes[i] = (byte) (control >>> 24 - 8 * i);
      bytes[4 + i] = (byte) (length >>> 24 - 8 * i);
    }
    for (int i = 0; i < 8; i++) {
      bytes[8 + i] = (byte) (address >>> 56 - 8 * i);
    }
    board.memory().write(at, bytes, 0, 16);
    board.out(0x514, 4, Integer.reverseBytes((int) (at >>> 32)));
    board.out(0x518, 4, Integer.reverseBytes((int) at));
  }

  private int result(long at) {
    byte[] bytes = new byte[4];
    board.memory().read(at, bytes, 0, 4);
    return bytes[0] << 24 | bytes[1] << 16 | bytes[2] << 8 | bytes[3];
  }

  @Test
  void itemsAreReadByteByByteAndEndInZeroes() {
    assertEquals("QEMU", new String(read(0, 4), StandardCharsets.US_ASCII));
    assertArrayEquals(new byte[] {3, 0, 0, 0}, read(5, 4));
    assertArrayEquals(new byte[] {0, 0}, read(0x1234, 2), "nothing there");
  }

  @Test
  void theDirectoryNamesTheFiles() {
    byte[] directory = read(0x19, 4 + 2 * 64);
    assertEquals(2, directory[3]);
    assertEquals(3, directory[7], "the size of the first");
    assertEquals("a/two", new String(directory, 12, 5, StandardCharsets.US_ASCII));
    int number = (directory[8 + 64] & 0xff) << 8 | directory[9 + 64] & 0xff;
    assertEquals("first", new String(read(number, 5), StandardCharsets.US_ASCII));
  }

  @Test
  void aTransferPutsBytesIntoMemory() {
    assertEquals(0x554d4551, board.in(0x514, 4), "the interface's signature");
    request(0x1000, 0x21 << 16 | 8 | 2, 8, 0x2000);
    assertEquals(0, result(0x1000));
    byte[] bytes = new byte[8];
    board.memory().read(0x2000, bytes, 0, 8);
    assertEquals("first\0\0\0", new String(bytes, StandardCharsets.US_ASCII));
    request(0x1000, 4, 2, 0);
    assertEquals(0, result(0x1000));
  }

  @Test
  void skippingBehindTheEndReadsZeroes() {
    assertArrayEquals(new byte[] {'Q', 'E'}, read(0, 2));
    for (int i = 0; i < 1000; i++) {
      request(0x1000, 4, -1, 0);
      assertEquals(0, result(0x1000));
    }
    assertEquals(0, board.in(0x511, 1));
    assertArrayEquals(new byte[] {'Q', 'E'}, read(0, 2));
  }

  @Test
  void whatCannotBeDoneIsAnError() {
    request(0x1000, 8 | 2, 16, 0xffff_f000L);
    assertEquals(1, result(0x1000));
    request(0x1000, 16, 4, 0x2000);
    assertEquals(1, result(0x1000));
    request(0x1000, 8 | 2, -1, 0x2000);
    assertEquals(1, result(0x1000));
  }

  @Test
  void wildRequestsHarmNobody() {
    SplittableRandom random = new SplittableRandom(1);
    for (int i = 0; i < 20_000; i++) {
      if (random.nextBoolean()) {
        long at = random.nextInt(1 << 20);
        request(at & ~15L, random.nextInt(), random.nextInt(), random.nextLong());
      } else {
        int port = 0x510 + random.nextInt(12);
        board.out(port, 1 << random.nextInt(3), random.nextInt());
        int unused = board.in(port, 1 << random.nextInt(3));
      }
    }
  }
}
