package parhelion.backends.block;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static parhelion.backends.block.BlockLab.DATA_REF;
import static parhelion.backends.block.BlockLab.segment;

import java.lang.foreign.ValueLayout;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import parhelion.abi.BlkifOp;
import parhelion.abi.BlkifRsp;
import parhelion.abi.XenbusState;
import parhelion.backends.FakeGuest;

/**
 * Rings as hostile guests fill them: an answer or the device's end, and nothing that is not theirs.
 */
class BlockFuzzTest {
  private static final int FRAMES_NOT_GRANTED = 256;

  private final Random random = new Random(Long.getLong("parhelion.seed", 1));

  @Test
  void aProducerThatRunsAwayEndsTheDeviceWhichMayComeBack() {
    for (int wild : new int[] {33, 1000, -1, Integer.MIN_VALUE, Integer.MAX_VALUE}) {
      BlockLab lab = BlockLab.connected(BlockOptions.DISK);
      lab.producer(wild);
      lab.guest.send(BlockLab.PORT);
      lab.guest.runPosted();
      lab.daemon.runAll();
      assertEquals(XenbusState.CLOSING, lab.device.state(), "producer " + wild);
      assertEquals(0, lab.guest.mapped);
      assertTrue(
          lab.store.read("/local/domain/0/error/backend/vbd/7/51712/error").contains("producer"));
      lab.state(XenbusState.CLOSED);
      lab.state(XenbusState.INITIALISING);
      lab.connect();
      lab.request(1, BlkifOp.READ, 0, segment(DATA_REF, 0, 7));
      assertEquals(Map.of(1L, BlkifRsp.OKAY), lab.complete());
      lab.close();
    }
  }

  @Test
  void requestsOfRandomBytesAreAnsweredAndTouchOnlyWhatIsGranted() {
    BlockOptions[] kinds = {
      BlockOptions.DISK,
      new BlockOptions(false, false, 4096, 4096, true),
      new BlockOptions(true, false, 512, 512, false)
    };
    for (int round = 0; round < 60; round++) {
      try (BlockLab lab = new BlockLab(kinds[round % kinds.length])) {
        lab.shift = random.nextInt(2) * 4;
        lab.ringPages = 1 << random.nextInt(3);
        if (random.nextBoolean()) {
          lab.write("feature-persistent", 1);
        }
        lab.connect();
        byte[] untouched = mark(lab);
        for (int batch = 0; batch < 30; batch++) {
          int count = 1 + random.nextInt(lab.entries());
          for (int i = 0; i < count; i++) {
            oneRequest(lab);
          }
          lab.submit();
          lab.guest.runUntil(() -> lab.answered() == lab.requests);
          lab.responses = lab.answered();
        }
        assertEquals(XenbusState.CONNECTED, lab.device.state());
        org.junit.jupiter.api.Assertions.assertArrayEquals(untouched, notGranted(lab));
      }
    }
  }

  /** Frames beyond those that are granted. */
  private static byte[] notGranted(BlockLab lab) {
    long from = (long) (BlockLab.DATA_FRAME + FRAMES_NOT_GRANTED) * FakeGuest.PAGE_BYTES;
    return lab.guest.memory.asSlice(from).toArray(ValueLayout.JAVA_BYTE);
  }

  private byte[] mark(BlockLab lab) {
    byte[] bytes = notGranted(lab);
    random.nextBytes(bytes);
    long from = (long) (BlockLab.DATA_FRAME + FRAMES_NOT_GRANTED) * FakeGuest.PAGE_BYTES;
    lab.guest.memory.asSlice(from).asByteBuffer().put(bytes);
    random.nextBytes(lab.disk.content);
    return bytes;
  }

  private void oneRequest(BlockLab lab) {
    BlkifOp op = BlkifOp.values()[random.nextInt(BlkifOp.values().length)];
    long sector =
        switch (random.nextInt(4)) {
          case 0 -> random.nextLong();
          case 1 -> BlockLab.DISK_BYTES / 512 - random.nextInt(16);
          default -> random.nextInt(2048) & -8L;
        };
    switch (random.nextInt(4)) {
      case 0 -> {
        byte[] bytes = new byte[112];
        random.nextBytes(bytes);
        bytes[0] = (byte) (random.nextInt(8) == 0 ? random.nextInt(256) : op.nr());
        bytes[1] = (byte) (random.nextBoolean() ? random.nextInt(16) : random.nextInt(256));
        lab.raw(bytes);
      }
      case 1 -> lab.discard(random.nextLong(), random.nextInt(4), sector, random.nextInt(64));
      case 2 ->
          lab.indirect(
              random.nextLong(), op, sector, random.nextInt(300), segments(random.nextInt(300)));
      default -> lab.request(random.nextLong(), op, sector, segments(random.nextInt(14)));
    }
  }

  private long[][] segments(int count) {
    long[][] segments = new long[count][];
    for (int i = 0; i < count; i++) {
      boolean whole = random.nextInt(4) != 0;
      long ref = random.nextInt(16) == 0 ? random.nextLong() : DATA_REF + random.nextInt(256);
      segments[i] = segment(ref, whole ? 0 : random.nextInt(10), whole ? 7 : random.nextInt(256));
    }
    return segments;
  }

  @Test
  void aRingThatChangesUnderTheBackendIsNoTrap() throws Exception {
    for (int round = 0; round < 5; round++) {
      BlockLab lab = BlockLab.connected(BlockOptions.DISK);
      byte[] untouched = mark(lab);
      Random seeds = new Random(random.nextLong());
      Thread scribbler =
          Thread.ofPlatform()
              .start(
                  () -> {
                    for (int i = 0; i < 200_000; i++) {
                      lab.guest.memory.set(
                          ValueLayout.JAVA_BYTE,
                          64 + seeds.nextInt(4096 - 64),
                          (byte) seeds.nextInt(256));
                    }
                  });
      while (scribbler.isAlive()) {
        for (int i = 0; i < 16; i++) {
          oneRequest(lab);
        }
        lab.submit();
        lab.guest.runUntil(() -> lab.answered() == lab.requests);
        lab.responses = lab.answered();
      }
      scribbler.join();
      org.junit.jupiter.api.Assertions.assertArrayEquals(untouched, notGranted(lab));
      lab.close();
    }
  }
}
