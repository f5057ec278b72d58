package parhelion.pc.virtio;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import parhelion.media.share.HostTree;
import parhelion.media.share.Ownership;
import parhelion.pc.FakeBoard;
import parhelion.pc.virtio.VirtioDriver.Part;

/** Entropy, console, balloon and 9P by virtio, as VIRTIO 1.2 has them. */
final class VirtioSmallDevicesTest {
  private static final int DATA = 0x40000;
  private final FakeBoard board = new FakeBoard(1 << 20);

  @Test
  void entropyFillsWhatItIsGiven() {
    VirtioPci device = VirtioRng.device(board, "rng", bytes -> Arrays.fill(bytes, (byte) 0x99));
    VirtioDriver driver = new VirtioDriver(board, device, 8);
    driver.start(0, 1);
    driver.add(0, new Part(DATA, 5000, VirtioDriver.WRITE));
    driver.ring(0);
    assertEquals(4096, driver.used(0).getFirst()[1]);
    assertEquals(0x99, board.memory().get8(DATA + 4095));
    assertEquals(0, board.memory().get8(DATA + 4096));
  }

  @Test
  void aConsoleCarriesBytesBothWays() {
    ByteArrayOutputStream output = new ByteArrayOutputStream();
    int[] taken = new int[1];
    VirtioConsole.Device device =
        VirtioConsole.device(
            board,
            "console",
            (bytes, from, length) -> {
              output.write(bytes, from, length);
              return length;
            },
            count -> taken[0] += count);
    VirtioDriver driver = new VirtioDriver(board, device.transport(), 8);
    assertTrue(device.console().input("ab".getBytes()));
    driver.start(1, 2);
    board.memory().put(DATA, "hello".getBytes());
    driver.add(1, new Part(DATA, 5, 0));
    driver.ring(1);
    assertEquals("hello", output.toString());
    driver.add(0, new Part(DATA, 1, VirtioDriver.WRITE));
    driver.ring(0);
    assertEquals('a', board.memory().get8(DATA));
    driver.add(0, new Part(DATA, 100, VirtioDriver.WRITE));
    driver.add(0, new Part(DATA + 100, 100, VirtioDriver.WRITE));
    driver.ring(0);
    assertTrue(device.console().input("xyz".getBytes()));
    assertEquals('b', board.memory().get8(DATA));
    assertArrayEquals("xyz".getBytes(), board.memory().get(DATA + 100, 3));
    assertEquals(3, driver.used(0).size());
    assertEquals(5, taken[0]);
    device.console().resize(100, 40);
    assertEquals(100 | 40 << 16, board.load(driver.config, 4));
    assertEquals(3, board.load(driver.isr, 1));
    assertTrue(device.console().input(new byte[60000]));
    assertFalse(device.console().input(new byte[60000]), "what nobody reads is bounded");
  }

  @Test
  void aConsoleWhoseOutputIsFullHoldsTheGuestUp() {
    ByteArrayOutputStream output = new ByteArrayOutputStream();
    int[] room = {3};
    VirtioConsole.Device device =
        VirtioConsole.device(
            board,
            "console",
            (bytes, from, length) -> {
              int accepted = Math.min(length, room[0]);
              output.write(bytes, from, accepted);
              room[0] -= accepted;
              return accepted;
            },
            count -> {});
    VirtioDriver driver = new VirtioDriver(board, device.transport(), 8);
    device.console().outputHasRoom(); // nobody has started it
    driver.start(1, 2);
    board.memory().put(DATA, "hello".getBytes());
    driver.add(1, new Part(DATA, 5, 0));
    driver.add(1, new Part(DATA, 2, 0));
    driver.ring(1);
    assertEquals("hel", output.toString());
    assertEquals(0, driver.used(1).size());
    driver.ring(1);
    room[0] = 3;
    device.console().outputHasRoom();
    assertEquals("helloh", output.toString());
    assertEquals(1, driver.used(1).size());
    driver.setStatus(0);
    room[0] = 100;
    device.console().outputHasRoom();
    assertEquals("helloh", output.toString(), "a reset forgets what was under way");
  }

  @Test
  void aBalloonKnowsWhatItHolds() {
    VirtioBalloon.Device device = VirtioBalloon.device(board, "balloon");
    VirtioDriver driver = new VirtioDriver(board, device.transport(), 8);
    driver.start(0, 2);
    device.balloon().setTarget(2);
    assertEquals(2, board.load(driver.config, 4));
    board.memory().put32(DATA, 0x50);
    board.memory().put32(DATA + 4, 0x51);
    driver.add(0, new Part(DATA, 8, 0));
    driver.ring(0);
    board.store(driver.config + 4, 4, 2);
    assertEquals(2, device.balloon().pages());
    assertEquals(2, board.load(driver.config + 4, 4));
    driver.add(1, new Part(DATA, 4, 0));
    driver.ring(1);
    assertEquals(1, device.balloon().pages());
    board.memory().put32(DATA, -1);
    driver.add(0, new Part(DATA, 4, 0));
    driver.ring(0);
    assertTrue(driver.needsReset());
  }

  @Test
  void aDirectoryIsServedOverChains(@TempDir Path directory) throws Exception {
    Files.writeString(directory.resolve("file"), "content");
    try (HostTree tree = HostTree.open(directory, Ownership.USER_IS_ROOT, true)) {
      VirtioPci device = VirtioNineP.device(board, "9p", tree, "share");
      VirtioDriver driver = new VirtioDriver(board, device, 8);
      assertEquals(5 | 's' << 16 | 'h' << 24, board.load(driver.config, 4));
      driver.start(1, 1);
      ByteBuffer version = ByteBuffer.allocate(21).order(ByteOrder.LITTLE_ENDIAN);
      version.putInt(21).put((byte) 100).putShort((short) -1).putInt(8192).putShort((short) 8);
      version.put("9P2000.L".getBytes());
      board.memory().put(DATA, version.array());
      driver.add(0, new Part(DATA, 21, 0), new Part(DATA + 0x1000, 8192, VirtioDriver.WRITE));
      driver.ring(0);
      board.awaitPosted();
      assertEquals(21, driver.used(0).getFirst()[1]);
      assertEquals(101, board.memory().get8(DATA + 0x1004));
      board.memory().put32(DATA, 1 << 30);
      driver.add(0, new Part(DATA, 21, 0), new Part(DATA + 0x1000, 8192, VirtioDriver.WRITE));
      driver.ring(0);
      assertTrue(driver.needsReset());
      driver.setStatus(0);
    }
  }
}
