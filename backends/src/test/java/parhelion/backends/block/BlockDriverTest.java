package parhelion.backends.block;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static parhelion.backends.block.BlockLab.DATA_REF;
import static parhelion.backends.block.BlockLab.segment;

import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import parhelion.abi.BlkifOp;
import parhelion.abi.BlkifRsp;
import parhelion.abi.XenbusState;

/** A block device's backend, the frontend played by the test. */
class BlockDriverTest {
  private static final Map<Long, Integer> OKAY = Map.of(1L, BlkifRsp.OKAY);
  private static final Map<Long, Integer> ERROR = Map.of(1L, BlkifRsp.ERROR);
  private static final BlockOptions READ_ONLY = new BlockOptions(true, false, 512, 512, false);
  private static final BlockOptions FOUR_K = new BlockOptions(false, false, 4096, 4096, false);

  private static byte[] bytes(BlockLab lab, int frame) {
    return lab.data(frame).toArray(ValueLayout.JAVA_BYTE);
  }

  private static byte[] random(int seed, int length) {
    byte[] bytes = new byte[length];
    new Random(seed).nextBytes(bytes);
    return bytes;
  }

  private static void fill(BlockLab lab, int frame, byte[] bytes) {
    lab.data(frame).asByteBuffer().put(bytes);
  }

  @ParameterizedTest
  @CsvSource({"0, 1", "0, 2", "0, 4", "4, 1", "4, 4"})
  void whatIsWrittenIsReadBackThroughRingsOfEveryShape(int shift, int ringPages) {
    try (BlockLab lab = new BlockLab(BlockOptions.DISK)) {
      lab.shift = shift;
      lab.ringPages = ringPages;
      lab.connect();
      assertEquals(XenbusState.CONNECTED, lab.device.state());
      for (int round = 0; round < 300; round++) { // around the ring, and over its pages' edges
        byte[] written = random(round, 4096);
        fill(lab, 0, written);
        long sector = round % 200 * 8L;
        lab.request(round, BlkifOp.WRITE, sector, segment(DATA_REF, 0, 7));
        assertEquals(Map.of((long) round, 0), lab.complete());
        lab.request(1000 + round, BlkifOp.READ, sector, segment(DATA_REF + 1, 0, 7));
        assertEquals(Map.of(1000L + round, 0), lab.complete());
        assertTrue(Arrays.equals(written, bytes(lab, 1)));
      }
    }
  }

  @Test
  void partsOfFramesAndFramesThatFollowEachOtherShareATransfer() {
    try (BlockLab lab = BlockLab.connected(BlockOptions.DISK)) {
      byte[] content = random(5, BlockLab.DISK_BYTES);
      lab.disk.content = content.clone();
      lab.request(
          1,
          BlkifOp.READ,
          7,
          segment(DATA_REF, 6, 7),
          segment(DATA_REF + 1, 0, 7),
          segment(DATA_REF + 2, 0, 3),
          segment(DATA_REF + 9, 2, 2));
      assertEquals(OKAY, lab.complete());
      assertEquals(List.of("read 3584+7168", "read 10752+512"), lab.disk.calls);
      assertTrue(Arrays.equals(content, 3584, 4608, bytes(lab, 0), 3072, 4096));
      assertTrue(Arrays.equals(content, 4608, 8704, bytes(lab, 1), 0, 4096));
      assertTrue(Arrays.equals(content, 8704, 10752, bytes(lab, 2), 0, 2048));
      assertTrue(Arrays.equals(content, 10752, 11264, bytes(lab, 9), 1024, 1536));
      assertTrue(Arrays.equals(new byte[2048], 0, 2048, bytes(lab, 2), 2048, 4096), "no more");
    }
  }

  @Test
  void indirectRequestsHaveUpTo256Segments() {
    try (BlockLab lab = BlockLab.connected(BlockOptions.DISK)) {
      byte[] content = random(6, BlockLab.DISK_BYTES);
      lab.disk.content = content.clone();
      long[][] segments = new long[256][];
      for (int i = 0; i < 256; i++) {
        segments[i] = segment(DATA_REF + 255 - i, 0, 7); // backwards: no two follow each other
      }
      lab.indirect(1, BlkifOp.READ, 0, 256, segments);
      assertEquals(OKAY, lab.complete());
      assertEquals(256, lab.disk.calls.size());
      for (int i = 0; i < 256; i++) {
        assertTrue(Arrays.equals(content, 4096 * i, 4096 * i + 4096, bytes(lab, 255 - i), 0, 4096));
      }
    }
  }

  @Test
  void requestsThatMakeNoSenseAreErrorsAndTouchNothing() {
    try (BlockLab lab = BlockLab.connected(BlockOptions.DISK)) {
      long end = BlockLab.DISK_BYTES / 512;
      long[] good = segment(DATA_REF, 0, 7);
      lab.request(1, BlkifOp.READ, end - 7, good); // one sector too far
      lab.request(2, BlkifOp.READ, -1, good);
      lab.request(3, BlkifOp.READ, Long.MAX_VALUE, good);
      lab.request(4, BlkifOp.READ, 0, segment(DATA_REF, 5, 4));
      lab.request(5, BlkifOp.READ, 0, segment(DATA_REF, 0, 8));
      lab.request(6, BlkifOp.READ, 0, segment(9999, 0, 7));
      lab.request(7, BlkifOp.READ, 0);
      lab.request(8, BlkifOp.WRITE, 0, good, segment(9999, 0, 7));
      lab.request(9, BlkifOp.READ, 0, new long[200][3]);
      lab.indirect(10, BlkifOp.READ, 0, 257, good);
      lab.indirect(11, BlkifOp.READ, 0, 0, good);
      lab.indirect(12, BlkifOp.FLUSH_DISKCACHE, 0, 1, good);
      lab.indirect(13, BlkifOp.INDIRECT, 0, 1, good);
      lab.discard(14, 0, end - 1, 2);
      lab.discard(15, 0, 8, -8);
      lab.discard(16, 0, 1L << 60, 0);
      Map<Long, Integer> answers = lab.complete();
      assertEquals(16, answers.size());
      answers.forEach((id, status) -> assertEquals(BlkifRsp.ERROR, status, "request " + id));
      assertEquals(List.of(), lab.disk.calls);
      lab.discard(16, 1, 0, 8); // secure
      lab.request(17, BlkifOp.RESERVED_1, 0, good);
      assertEquals(Map.of(16L, BlkifRsp.EOPNOTSUPP, 17L, BlkifRsp.EOPNOTSUPP), lab.complete());
      lab.request(1, BlkifOp.READ, end - 8, good);
      assertEquals(OKAY, lab.complete());
    }
  }

  @Test
  void aReadNeedsAFrameThatMayBeWritten() {
    try (BlockLab lab = BlockLab.connected(BlockOptions.DISK)) {
      lab.guest.grant(DATA_REF, BlockLab.DATA_FRAME, false);
      lab.request(1, BlkifOp.READ, 0, segment(DATA_REF, 0, 7));
      assertEquals(ERROR, lab.complete());
      lab.request(1, BlkifOp.WRITE, 0, segment(DATA_REF, 0, 7));
      assertEquals(OKAY, lab.complete());
    }
  }

  @Test
  void aReadOnlyDiskRefusesAllThatWouldChangeIt() {
    try (BlockLab lab = BlockLab.connected(READ_ONLY)) {
      assertEquals("r", lab.backend("mode"));
      assertEquals("4", lab.backend("info"));
      assertEquals("0", lab.backend("feature-discard"));
      lab.request(1, BlkifOp.WRITE, 0, segment(DATA_REF, 0, 7));
      lab.request(2, BlkifOp.WRITE_BARRIER, 0, segment(DATA_REF, 0, 7));
      lab.discard(3, 0, 0, 8);
      lab.indirect(4, BlkifOp.WRITE, 0, 1, segment(DATA_REF, 0, 7));
      assertEquals(Map.of(1L, -1, 2L, -1, 3L, -1, 4L, -1), lab.complete());
      lab.request(1, BlkifOp.READ, 0, segment(DATA_REF, 0, 7));
      assertEquals(OKAY, lab.complete());
    }
  }

  @Test
  void sectorsOf4096BytesAreReadAndWrittenWhole() {
    try (BlockLab lab = BlockLab.connected(FOUR_K)) {
      assertEquals("4096", lab.backend("sector-size"));
      assertEquals("2048", lab.backend("sectors"));
      lab.request(1, BlkifOp.READ, 4, segment(DATA_REF, 0, 7));
      assertEquals(ERROR, lab.complete());
      lab.request(1, BlkifOp.READ, 8, segment(DATA_REF, 0, 3));
      assertEquals(ERROR, lab.complete());
      lab.request(1, BlkifOp.READ, 8, segment(DATA_REF, 0, 7));
      assertEquals(OKAY, lab.complete());
    }
  }

  @Test
  void aFlushIsAnsweredOnlyWhenTheDiskHasFlushedAndOthersGoOnMeanwhile() {
    try (BlockLab lab = BlockLab.connected(BlockOptions.DISK)) {
      lab.disk.gate = new CountDownLatch(1);
      lab.request(1, BlkifOp.WRITE, 0, segment(DATA_REF, 0, 7));
      lab.request(2, BlkifOp.FLUSH_DISKCACHE, 0);
      lab.request(3, BlkifOp.READ, 8, segment(DATA_REF + 1, 0, 7));
      lab.submit();
      lab.guest.runUntil(() -> lab.answered() == 2);
      assertEquals(Map.of(1L, 0, 3L, 0), lab.take());
      lab.disk.gate.countDown();
      lab.guest.runUntil(() -> lab.answered() == 3);
      assertEquals(Map.of(2L, 0), lab.take());
      assertEquals(List.of("write 0+4096", "read 4096+4096", "flush 0+0"), lab.disk.calls);
    }
  }

  @Test
  void aBarrierWaitsForAllBeforeItAndHoldsUpAllBehindIt() {
    try (BlockLab lab = BlockLab.connected(BlockOptions.DISK)) {
      lab.disk.gate = new CountDownLatch(1);
      lab.request(1, BlkifOp.FLUSH_DISKCACHE, 0);
      lab.request(2, BlkifOp.WRITE_BARRIER, 8, segment(DATA_REF, 0, 7));
      lab.request(3, BlkifOp.WRITE, 16, segment(DATA_REF, 0, 7));
      lab.submit();
      assertEquals(List.of(), lab.disk.calls);
      lab.disk.gate.countDown();
      lab.guest.runUntil(() -> lab.answered() == 3);
      assertEquals(
          List.of("flush 0+0", "flush 0+0", "write 4096+4096", "flush 0+0", "write 8192+4096"),
          lab.disk.calls);
    }
  }

  @Test
  void whatTheDiskFailsAtIsAnErrorAndNoEnd() {
    try (BlockLab lab = BlockLab.connected(BlockOptions.DISK)) {
      lab.disk.failing = true;
      lab.request(1, BlkifOp.READ, 0, segment(DATA_REF, 0, 7));
      lab.request(2, BlkifOp.WRITE, 0, segment(DATA_REF, 0, 7));
      lab.request(3, BlkifOp.FLUSH_DISKCACHE, 0);
      lab.discard(4, 0, 0, 8);
      assertEquals(Map.of(1L, -1, 2L, -1, 3L, -1, 4L, -1), lab.complete());
      lab.disk.failing = false;
      lab.request(1, BlkifOp.READ, 0, segment(DATA_REF, 0, 7));
      assertEquals(OKAY, lab.complete());
    }
  }

  @Test
  void eventsComeWhenTheyAreAskedForAndOneForABatch() {
    try (BlockLab lab = BlockLab.connected(BlockOptions.DISK)) {
      lab.eventAfter(0);
      for (int i = 0; i < 20; i++) {
        lab.request(i, BlkifOp.READ, 8L * i, segment(DATA_REF + i, 0, 7));
      }
      assertEquals(20, lab.complete().size());
      assertEquals(1, lab.guest.events);
      assertEquals(21, lab.requestEvent(), "an event with the next request");
      lab.eventAfter(5);
      lab.request(1, BlkifOp.READ, 0, segment(DATA_REF, 0, 7));
      assertEquals(OKAY, lab.complete());
      assertEquals(1, lab.guest.events);
      assertEquals(20, lab.driver.counts().get("reads") - 1);
    }
  }

  @Test
  void disconnectingWaitsForWhatIsUnderWayAnswersAllAndUnmapsAll() throws Exception {
    BlockLab lab = BlockLab.connected(BlockOptions.DISK);
    lab.eventAfter(0);
    lab.disk.gate = new CountDownLatch(1);
    lab.request(1, BlkifOp.FLUSH_DISKCACHE, 0);
    lab.request(2, BlkifOp.WRITE_BARRIER, 8, segment(DATA_REF, 0, 7));
    lab.submit();
    lab.request(3, BlkifOp.READ, 8, segment(DATA_REF, 0, 7));
    lab.request(4, BlkifOp.RESERVED_1, 0, segment(DATA_REF, 0, 7));
    lab.producer(lab.requests); // the backend has not looked yet
    Thread closing = Thread.currentThread();
    Thread opener =
        Thread.ofPlatform()
            .start(
                () -> {
                  while (closing.getState() != Thread.State.WAITING) {
                    Thread.onSpinWait();
                  }
                  lab.disk.gate.countDown();
                });
    lab.state(XenbusState.CLOSING);
    opener.join();
    assertEquals(0, lab.guest.mapped);
    assertFalse(lab.guest.isBound(BlockLab.PORT));
    assertEquals(List.of("flush 0+0"), lab.disk.calls, "what had not begun does not begin");
    assertEquals(Map.of(1L, BlkifRsp.OKAY, 2L, -1, 3L, -1, 4L, -1), lab.take());
    assertEquals(1, lab.guest.events);
    lab.state(XenbusState.CLOSED);
    lab.state(XenbusState.INITIALISING);
    lab.connect();
    assertEquals(XenbusState.CONNECTED, lab.device.state());
    lab.request(1, BlkifOp.READ, 0, segment(DATA_REF, 0, 7));
    assertEquals(OKAY, lab.complete());
    lab.close();
  }

  @Test
  void persistentGrantsAreMappedOnceAndKeptWithinBounds() {
    BlockOptions persistent = new BlockOptions(false, false, 512, 512, true);
    try (BlockLab lab = new BlockLab(persistent)) {
      assertEquals("1", lab.backend("feature-persistent"));
      lab.write("feature-persistent", 1);
      lab.connect();
      int before = lab.guest.maps;
      for (int i = 0; i < 10; i++) {
        lab.request(1, BlkifOp.READ, 0, segment(DATA_REF, 0, 7));
        assertEquals(OKAY, lab.complete());
      }
      assertEquals(before + 1, lab.guest.maps);
      for (int i = 0; i < 2 * GrantPool.MAX_KEPT; i++) {
        lab.guest.grant(10_000 + i, BlockLab.DATA_FRAME, true);
        lab.request(1, BlkifOp.READ, 0, segment(10_000 + i, 0, 7));
        assertEquals(OKAY, lab.complete());
      }
      assertEquals(GrantPool.MAX_KEPT + 1, lab.guest.mapped, "and the ring");
    }
  }

  @Test
  void aNewSizeIsToldToAConnectedFrontend() throws Exception {
    try (BlockLab lab = BlockLab.connected(BlockOptions.DISK)) {
      lab.request(1, BlkifOp.READ, 2048, segment(DATA_REF, 0, 7));
      assertEquals(ERROR, lab.complete());
      lab.driver.resize(lab.device, 2L * BlockLab.DISK_BYTES);
      assertEquals("4096", lab.backend("sectors"));
      assertEquals("4", lab.backend("state"));
      lab.request(1, BlkifOp.READ, 2048, segment(DATA_REF, 0, 7));
      assertEquals(OKAY, lab.complete());
    }
  }

  @Test
  void severalQueuesServeOneDisk() {
    try (BlockLab lab = new BlockLab(BlockOptions.DISK)) {
      lab.guest.grant(BlockLab.RING_REF, 0, true);
      lab.guest.grant(BlockLab.RING_REF + 1, 1, true);
      lab.write("multi-queue-num-queues", 2);
      for (int i = 0; i < 2; i++) {
        lab.write("queue-" + i + "/ring-ref", BlockLab.RING_REF + i);
        lab.write("queue-" + i + "/event-channel", BlockLab.PORT + i);
      }
      lab.state(XenbusState.INITIALISED);
      assertEquals(XenbusState.CONNECTED, lab.device.state());
      assertEquals(2, lab.guest.mapped);
      lab.request(1, BlkifOp.READ, 0, segment(DATA_REF, 0, 7));
      assertEquals(OKAY, lab.complete());
      assertTrue(lab.guest.isBound(BlockLab.PORT + 1));
    }
  }

  @ParameterizedTest
  @CsvSource({
    "ring-ref, 9999, grant 9999",
    "ring-ref, 99999999999999999999, 'is 999'",
    "ring-ref, -1, 'is -1'",
    "event-channel, 0, 'is 0'",
    "event-channel, 77777, port 77777",
    "protocol, mips-abi, mips-abi",
    "ring-page-order, 3, 'not 0 to 2'",
    "multi-queue-num-queues, 1000, 'not 1 to 8'",
    "multi-queue-num-queues, 2, queue-0/ring-ref"
  })
  void aFrontendThatMakesNoSenseIsRefusedAndNothingStaysMapped(
      String name, String value, String reason) {
    try (BlockLab lab = new BlockLab(BlockOptions.DISK)) {
      lab.guest.grant(BlockLab.RING_REF, 0, true);
      lab.write("ring-ref", BlockLab.RING_REF);
      lab.write("event-channel", BlockLab.PORT);
      lab.store.write(BlockLab.ADDRESS.frontend() + '/' + name, value);
      lab.state(XenbusState.INITIALISED);
      assertEquals(XenbusState.CLOSING, lab.device.state());
      String error = lab.store.read("/local/domain/0/error/backend/vbd/7/51712/error");
      assertTrue(error.contains(reason), error);
      assertEquals(0, lab.guest.mapped);
      assertFalse(lab.guest.isBound(BlockLab.PORT));
    }
  }
}
