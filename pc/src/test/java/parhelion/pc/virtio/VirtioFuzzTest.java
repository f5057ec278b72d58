package parhelion.pc.virtio;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import parhelion.media.net.MacAddress;
import parhelion.media.net.Packet;
import parhelion.media.share.HostTree;
import parhelion.media.share.Ownership;
import parhelion.pc.FakeBoard;
import parhelion.pc.MemoryDisk;
import parhelion.pc.disk.DiskIo;
import parhelion.pc.net.FakeNetwork;
import parhelion.pc.net.TestFrames;

/**
 * Drivers that do anything: registers at random, rings and descriptors of random bytes, addresses
 * from nowhere. A device asks for a reset at most; nothing is thrown, and the guest's other memory
 * keeps what it has.
 */
final class VirtioFuzzTest {
  private static final long SEED = Long.getLong("parhelion.seed", 1);
  private static final int LIVES = 150;
  private static final int STEPS = 60;

  private final Random random = new Random(SEED);
  private final FakeBoard board = new FakeBoard(1 << 20);

  private long address() {
    return switch (random.nextInt(8)) {
      case 0 -> random.nextLong();
      case 1 -> (1 << 20) - random.nextInt(64);
      default -> 0x40000 + random.nextInt(0x80000);
    };
  }

  private int length() {
    return switch (random.nextInt(8)) {
      case 0 -> random.nextInt();
      case 1 -> 0;
      case 2 -> 16 * random.nextInt(40);
      default -> random.nextInt(3000);
    };
  }

  private void scribble(VirtioDriver driver, int queues) {
    int queue = random.nextInt(queues);
    switch (random.nextInt(12)) {
      case 0 -> board.store(driver.common + random.nextInt(64), 1 << random.nextInt(4), address());
      case 1 -> board.memory().put16(driver.availableRing(queue) + 2, random.nextInt());
      case 2 -> board.store(driver.config + random.nextInt(80), 1 << random.nextInt(4), address());
      case 3 -> {
        long unused = board.load(driver.common + random.nextInt(0x3000), 1 << random.nextInt(4));
      }
      case 4 -> driver.makeAvailable(queue, random.nextInt(20));
      default -> {
        int parts = 1 + random.nextInt(6);
        boolean broken = random.nextInt(6) == 0;
        VirtioDriver.Part[] chain = new VirtioDriver.Part[parts];
        for (int i = 0; i < parts; i++) {
          int flags = broken ? random.nextInt(8) : i < parts / 2 ? 0 : VirtioDriver.WRITE;
          chain[i] = new VirtioDriver.Part(broken ? address() : plain(), length() & 0xfff, flags);
        }
        board.memory().put32(0x40000, random.nextInt(16));
        board.memory().put64(0x40008, random.nextInt(200));
        driver.add(queue, chain);
      }
    }
    driver.ring(random.nextInt(queues + 1));
    board.runPosted();
  }

  private long plain() {
    return random.nextBoolean() ? 0x40000 : 0x41000 + random.nextInt(0x20000);
  }

  private void torture(VirtioPci device, int queues, Runnable host) {
    int worked = torture(new VirtioDriver(board, device, 16), queues, host);
    assertTrue(worked > 0, "seed " + SEED + ": nothing was answered");
  }

  /** How many chains were answered before the device was broken, or reset. */
  private int torture(VirtioDriver driver, int queues, Runnable host) {
    board.memory().fill(0, 0x10000, 0x3c);
    int broken = 0;
    int worked = 0;
    for (int life = 0; life < LIVES; life++) {
      long features = driver.offered() & (random.nextBoolean() ? -1L : random.nextLong());
      if (!driver.negotiate(features | VirtioPci.VERSION_1)) {
        throw new AssertionError("seed " + SEED);
      }
      for (int i = 0; i < queues; i++) {
        driver.setUp(i);
      }
      driver.setStatus(15);
      for (int step = 0; step < STEPS && !driver.needsReset(); step++) {
        scribble(driver, queues);
        host.run();
      }
      broken += driver.needsReset() ? 1 : 0;
      worked += driver.used(0).size();
    }
    driver.setStatus(0);
    board.runPosted();
    assertTrue(broken > 0, "seed " + SEED + ": nothing was wrong");
    return worked;
  }

  @Test
  void diskDriver() {
    MemoryDisk disk = new MemoryDisk(128 * 512);
    try (DiskIo io = new DiskIo(disk, board)) {
      torture(VirtioBlock.device(board, "blk", io, "s"), 1, () -> {});
    }
  }

  @Test
  void networkDriver() {
    FakeNetwork network = new FakeNetwork();
    VirtioPci device = VirtioNet.device(board, "net", network, new MacAddress(1), 1500);
    torture(
        device,
        2,
        () -> {
          boolean unused =
              network.receiver().receive(Packet.of(TestFrames.tcp(random.nextInt(1400))));
          network.sent.clear();
        });
  }

  @Test
  void consoleDriver() {
    VirtioConsole.Device device =
        VirtioConsole.device(
            board, "console", (bytes, from, length) -> random.nextInt(length + 1), taken -> {});
    torture(
        device.transport(),
        2,
        () -> {
          device.console().outputHasRoom();
          boolean unused = device.console().input(new byte[random.nextInt(100)]);
        });
  }

  @Test
  void entropyDriver() {
    torture(VirtioRng.device(board, "rng", bytes -> Arrays.fill(bytes, (byte) 1)), 1, () -> {});
  }

  @Test
  void balloonDriver() {
    VirtioBalloon.Device device = VirtioBalloon.device(board, "balloon");
    torture(device.transport(), 2, () -> device.balloon().setTarget(random.nextInt(300) - 20));
  }

  @Test
  void directoryDriver(@TempDir Path directory) throws Exception {
    try (HostTree tree = HostTree.open(directory, Ownership.USER_IS_ROOT, true)) {
      VirtioPci device = VirtioNineP.device(board, "9p", tree, "t");
      VirtioDriver driver = new VirtioDriver(board, device, 16);
      int unused =
          torture(driver, 1, () -> version()); // answers come by another thread, or too late
      assertTrue(driver.negotiate(VirtioPci.VERSION_1));
      driver.setUp(0);
      driver.setStatus(15);
      byte[] version = {
        21, 0, 0, 0, 100, -1, -1, 0, 32, 0, 0, 8, 0, '9', 'P', '2', '0', '0', '0', '.', 'L'
      };
      board.memory().write(0x40000, version, 0, version.length);
      driver.add(
          0,
          new VirtioDriver.Part(0x40000, version.length, 0),
          new VirtioDriver.Part(0x41000, 100, VirtioDriver.WRITE));
      driver.ring(0);
      int answers = 0;
      while (answers == 0) {
        board.awaitPosted(); // something may still come of what was before
        answers = driver.used(0).size();
      }
      assertEquals(1, answers);
    }
  }

  /** Makes a good message likely, of which an answer comes. */
  private void version() {
    if (random.nextInt(3) > 0) {
      board.memory().put32(0x40000, 21);
      board.memory().put32(0x40004, 100 | 0xffff00);
    }
  }
}
