package parhelion.backends.ninep;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import parhelion.abi.XenbusState;
import parhelion.backends.FakeGuest;
import parhelion.backends.xenbus.XenbusAddress;
import parhelion.backends.xenbus.XenbusDevice;
import parhelion.backends.xenstore.StoreHost;
import parhelion.backends.xenstore.XenstoreClient;
import parhelion.backends.xenstore.XenstoreDaemon;
import parhelion.media.share.HostTree;
import parhelion.media.share.Ownership;

/** The 9pfs device's rings, played by a frontend that keeps the rules, and by those that do not. */
final class NinePRingTest {
  private static final XenbusAddress ADDRESS = new XenbusAddress("9pfs", 7, 0);
  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final long PORT = 5;
  private static final long INDEX_REF = 8;
  private static final int DATA_REF = 100;
  private static final int ORDER = 3;
  private static final int PAGES = 1 << ORDER;
  private static final int HALF = PAGES * FakeGuest.PAGE_BYTES / 2;
  private static final int FIRST_DATA_FRAME = 1;
  private static final int MINE = 64;
  private static final int TVERSION = 100;
  private static final int RVERSION = 101;

  // struct xen_9pfs_data_intf
  private static final int IN_CONS = 0;
  private static final int IN_PROD = 4;
  private static final int OUT_CONS = 64;
  private static final int OUT_PROD = 68;
  private static final int RING_ORDER = 128;
  private static final int REFS = 132;

  private final Random random = new Random(Long.getLong("parhelion.seed", 1));
  private final FakeGuest guest = new FakeGuest(128);
  private final XenstoreDaemon daemon = new XenstoreDaemon(StoreHost.PERMISSIVE);
  private final XenstoreClient store = daemon.dom0();
  private final MemorySegment indices = guest.frame(0);

  @TempDir private Path directory;
  private HostTree tree;
  private XenbusDevice device;
  private int sent;
  private int read;

  @BeforeEach
  void plug() throws IOException {
    Assumptions.assumeTrue(HostTree.isAvailable(), "no directories can be shared on this host");
    Files.writeString(directory.resolve("file"), "content");
    tree = HostTree.open(directory, Ownership.USER_IS_ROOT, false);
    device =
        XenbusDevice.plug(
            store, ADDRESS, Map.of(), Map.of("tag", "t"), new NinePDriver(guest, tree));
    daemon.runAll();
    guest.grant(INDEX_REF, 0, true);
    for (int i = 0; i < PAGES; i++) {
      guest.grant(DATA_REF + i, FIRST_DATA_FRAME + i, true);
    }
  }

  @AfterEach
  void end() {
    if (device != null) {
      device.remove();
      daemon.runAll();
      guest.runPosted();
      assertEquals(0, guest.mapped, "pages that are still mapped");
      tree.close();
    }
  }

  private void state(XenbusState state) {
    store.write(ADDRESS.frontend() + "/state", Integer.toString(state.nr()));
    daemon.runAll();
    guest.runPosted();
    daemon.runAll();
  }

  private void write(String name, String value) {
    store.write(ADDRESS.frontend() + '/' + name, value);
  }

  private void publish() {
    indices.fill((byte) 0);
    indices.set(INT, RING_ORDER, ORDER);
    for (int i = 0; i < PAGES; i++) {
      indices.set(INT, REFS + 4L * i, DATA_REF + i);
    }
    write("version", "1");
    write("num-rings", "1");
    write("ring-ref0", Long.toString(INDEX_REF));
    write("event-channel-0", Long.toString(PORT));
    sent = 0;
    read = 0;
  }

  private void connect() {
    publish();
    state(XenbusState.INITIALISED);
    assertEquals(XenbusState.CONNECTED, device.state());
  }

  private MemorySegment data() {
    return guest.memory.asSlice(
        (long) FIRST_DATA_FRAME * FakeGuest.PAGE_BYTES, (long) PAGES * FakeGuest.PAGE_BYTES);
  }

  /** Puts bytes into the requests' half; not yet seen. */
  private void put(byte[] bytes) {
    for (byte b : bytes) {
      data().set(ValueLayout.JAVA_BYTE, HALF + (sent++ & HALF - 1), b);
    }
  }

  private void produce(int producer) {
    indices.set(INT, OUT_PROD, producer);
    guest.send(PORT);
    guest.runPosted();
    daemon.runAll();
  }

  private static byte[] version() {
    byte[] name = "9P2000.L".getBytes(StandardCharsets.US_ASCII);
    ByteBuffer message = ByteBuffer.allocate(13 + name.length).order(ByteOrder.LITTLE_ENDIAN);
    message.putInt(message.capacity()).put((byte) TVERSION).putShort((short) -1);
    message.putInt(8192).putShort((short) name.length).put(name);
    return message.array();
  }

  /** Waits for an answer and takes it. */
  private byte[] answer() {
    guest.runUntil(() -> indices.get(INT, IN_PROD) - read >= 7);
    int size = 0;
    for (int i = 0; i < 4; i++) {
      size |= (data().get(ValueLayout.JAVA_BYTE, read + i & HALF - 1) & 0xff) << 8 * i;
    }
    assertTrue(size >= 7 && indices.get(INT, IN_PROD) - read >= size, "an answer of " + size);
    byte[] bytes = new byte[size];
    for (int i = 0; i < size; i++) {
      bytes[i] = data().get(ValueLayout.JAVA_BYTE, read++ & HALF - 1);
    }
    indices.set(INT, IN_CONS, read);
    return bytes;
  }

  private void assertServes() {
    put(version());
    produce(sent);
    byte[] answer = answer();
    assertEquals(RVERSION, answer[4] & 0xff);
    assertEquals(read, indices.get(INT, IN_CONS));
    guest.runUntil(() -> indices.get(INT, OUT_CONS) == sent);
  }

  private void assertEndedWith(String reason) {
    assertEquals(XenbusState.CLOSING, device.state(), reason);
    String error = store.read("/local/domain/0/error/backend/9pfs/7/0/error");
    assertTrue(error.contains(reason), error);
    assertEquals(0, guest.mapped, "what an ended device has mapped");
  }

  private void reconnect() {
    state(XenbusState.CLOSED);
    state(XenbusState.INITIALISING);
    connect();
    assertServes();
  }

  @Test
  void messagesGoRoundTheRingManyTimes() {
    connect();
    for (int i = 0; i < 3000; i++) {
      assertServes();
    }
    assertTrue(sent > 2 * HALF, "it has gone round");
  }

  @Test
  void aProducerThatRunsAwayEndsTheDeviceWhichMayComeBack() {
    connect();
    for (int wild : new int[] {HALF + 1, -1, Integer.MIN_VALUE, Integer.MAX_VALUE, 1 << 20}) {
      produce(sent + wild);
      assertEndedWith("cannot hold");
      reconnect();
    }
  }

  @Test
  void aConsumerThatRunsAwayEndsTheDevice() {
    for (int wild : new int[] {1, -HALF - 1, Integer.MIN_VALUE}) {
      connect();
      indices.set(INT, IN_CONS, wild);
      put(version());
      produce(sent);
      guest.runUntil(
          () -> {
            daemon.runAll();
            return device.state() == XenbusState.CLOSING;
          });
      assertEndedWith("cannot hold");
      state(XenbusState.CLOSED);
      state(XenbusState.INITIALISING);
    }
  }

  @Test
  void aMessageOfASizeThatCannotBeEndsTheDevice() {
    connect();
    for (int size : new int[] {0, 6, HALF + 1, -1, Integer.MAX_VALUE, Integer.MIN_VALUE}) {
      byte[] message = version();
      ByteBuffer.wrap(message).order(ByteOrder.LITTLE_ENDIAN).putInt(0, size);
      put(message);
      produce(sent);
      assertEndedWith("a message of");
      reconnect();
    }
  }

  @Test
  void ringsThatMakeNoSenseAreRefused() {
    String[][] wrong = {
      {"version", "2"},
      {"num-rings", "0"},
      {"num-rings", "5"},
      {"num-rings", "x"},
      {"num-rings", "99999999999"},
      {"ring-ref0", "77"},
      {"ring-ref0", "-1"},
      {"event-channel-0", "101"},
      {"event-channel-0", ""},
    };
    for (String[] each : wrong) {
      publish();
      write(each[0], each[1]);
      state(XenbusState.INITIALISED);
      assertEquals(XenbusState.CLOSING, device.state(), each[0] + "=" + each[1]);
      assertEquals(0, guest.mapped);
      state(XenbusState.CLOSED);
      state(XenbusState.INITIALISING);
    }
    for (int order : new int[] {10, -1, Integer.MAX_VALUE, ORDER + 1}) {
      publish();
      indices.set(INT, RING_ORDER, order);
      state(XenbusState.INITIALISED);
      assertEquals(XenbusState.CLOSING, device.state(), "order " + order);
      assertEquals(0, guest.mapped);
      state(XenbusState.CLOSED);
      state(XenbusState.INITIALISING);
    }
    connect();
    assertServes();
  }

  @Test
  void aGuestThatTakesNoAnswersIsNotServedAndServedAgainWhenItDoes() {
    connect();
    int size = version().length;
    int answered = 0;
    for (int round = 0; round < 4; round++) {
      while (sent - indices.get(INT, OUT_CONS) + size <= HALF && sent < 4 * HALF) {
        put(version());
        produce(sent);
      }
      while (indices.get(INT, IN_PROD) - read < size) {
        guest.runPosted();
        Thread.onSpinWait();
      }
    }
    assertTrue(indices.get(INT, IN_PROD) - read <= HALF);
    while (answered < sent / size) {
      assertEquals(RVERSION, answer()[4] & 0xff);
      answered++;
      guest.send(PORT);
      guest.runPosted();
    }
    assertServes();
  }

  @Test
  void randomBytesInTheRingAreAnsweredOrTheDevicesEndAndTouchNothingElse() {
    MemorySegment others = guest.memory.asSlice((long) MINE * FakeGuest.PAGE_BYTES);
    byte[] marks = new byte[(int) others.byteSize()];
    random.nextBytes(marks);
    MemorySegment.copy(marks, 0, others, ValueLayout.JAVA_BYTE, 0, marks.length);
    int ended = 0;
    int rounds = Boolean.getBoolean("parhelion.fast") ? 200 : 2000;
    for (int round = 0; round < rounds; round++) {
      if (device.state() != XenbusState.CONNECTED) {
        ended++;
        state(XenbusState.CLOSED);
        state(XenbusState.INITIALISING);
        connect();
      }
      byte[] bytes = new byte[7 + random.nextInt(200)];
      random.nextBytes(bytes);
      if (random.nextInt(4) != 0) {
        ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putInt(0, bytes.length);
        bytes[4] = (byte) (random.nextInt(62) * 2); // requests have even numbers
      }
      put(bytes);
      if (random.nextInt(16) == 0) {
        indices.set(INT, IN_CONS, random.nextInt());
      }
      produce(random.nextInt(8) == 0 ? sent + random.nextInt(64) - 32 : sent);
      read = indices.get(INT, IN_PROD);
      indices.set(INT, IN_CONS, read);
    }
    assertTrue(ended > 10, "devices that were ended: " + ended);
    assertArrayEquals(marks, others.toArray(ValueLayout.JAVA_BYTE));
  }
}
