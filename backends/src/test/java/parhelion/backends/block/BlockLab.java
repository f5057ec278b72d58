package parhelion.backends.block;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Map;
import java.util.TreeMap;
import parhelion.abi.BlkifOp;
import parhelion.abi.XenbusState;
import parhelion.backends.FakeGuest;
import parhelion.backends.xenbus.XenbusAddress;
import parhelion.backends.xenbus.XenbusDevice;
import parhelion.backends.xenstore.StoreHost;
import parhelion.backends.xenstore.XenstoreClient;
import parhelion.backends.xenstore.XenstoreDaemon;

/** A block device, its disk, and a frontend with one ring that the test plays. */
final class BlockLab implements AutoCloseable {
  static final XenbusAddress ADDRESS = new XenbusAddress("vbd", 7, 51712);
  static final int DISK_BYTES = 1 << 20;
  static final long RING_REF = 8;
  static final long PORT = 3;
  static final int DATA_FRAME = 16;
  static final long DATA_REF = 100;
  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  final FakeGuest guest = new FakeGuest(512);
  final FakeDisk disk = new FakeDisk(DISK_BYTES);
  final XenstoreDaemon daemon = new XenstoreDaemon(StoreHost.PERMISSIVE);
  final XenstoreClient store = daemon.dom0();
  final BlockDriver driver;
  final XenbusDevice device;
  int shift;
  int ringPages = 1;
  int requests;
  int responses;

  BlockLab(BlockOptions options) {
    driver = new BlockDriver(guest, disk, options);
    device = XenbusDevice.plug(store, ADDRESS, Map.of(), Map.of(), driver);
    daemon.runAll();
    for (int i = 0; i < 256; i++) {
      guest.grant(DATA_REF + i, DATA_FRAME + i, true);
    }
  }

  static BlockLab connected(BlockOptions options) {
    BlockLab lab = new BlockLab(options);
    lab.connect();
    return lab;
  }

  /** Publishes one ring of {@link #ringPages} and connects. */
  void connect() {
    ring(0).fill((byte) 0);
    for (int i = 0; i < ringPages; i++) {
      guest.grant(RING_REF + i, i, true);
      write(ringPages == 1 ? "ring-ref" : "ring-ref" + i, RING_REF + i);
    }
    if (ringPages > 1) {
      write("ring-page-order", Integer.numberOfTrailingZeros(ringPages));
    }
    if (shift != 0) {
      store.write(ADDRESS.frontend() + "/protocol", "x86_32-abi");
    }
    write("event-channel", PORT);
    requests = 0;
    responses = 0;
    state(XenbusState.INITIALISED);
  }

  void write(String name, long value) {
    store.write(ADDRESS.frontend() + '/' + name, Long.toString(value));
  }

  void state(XenbusState state) {
    store.write(ADDRESS.frontend() + "/state", Integer.toString(state.nr()));
    daemon.runAll();
    guest.runPosted();
  }

  String backend(String name) {
    return store.read(ADDRESS.backend() + '/' + name);
  }

  private MemorySegment ring(long offset) {
    return guest.memory.asSlice(offset, (long) ringPages * FakeGuest.PAGE_BYTES - offset);
  }

  int entries() {
    return Integer.highestOneBit((ringPages * FakeGuest.PAGE_BYTES - 64) / (112 - shift));
  }

  private MemorySegment slot(int index) {
    return ring(64 + (long) (index & (entries() - 1)) * (112 - shift));
  }

  /** A segment of a whole frame or a part, as the ring has it: ref, first and last sector. */
  static long[] segment(long ref, int first, int last) {
    return new long[] {ref, first, last};
  }

  /** Puts a request into the ring, not yet seen. */
  void request(long id, BlkifOp op, long sector, long[]... segments) {
    MemorySegment slot = slot(requests++);
    slot.set(ValueLayout.JAVA_BYTE, 0, (byte) op.nr());
    slot.set(ValueLayout.JAVA_BYTE, 1, (byte) segments.length);
    slot.set(LONG, 8 - shift, id);
    slot.set(LONG, 16 - shift, sector);
    segments(slot.asSlice(24 - shift), segments);
  }

  private static void segments(MemorySegment to, long[][] segments) {
    for (int i = 0; i < Math.min(segments.length, 11); i++) {
      segment(to.asSlice(8L * i), segments[i]);
    }
  }

  private static void segment(MemorySegment to, long[] segment) {
    to.set(INT, 0, (int) segment[0]);
    to.set(ValueLayout.JAVA_BYTE, 4, (byte) segment[1]);
    to.set(ValueLayout.JAVA_BYTE, 5, (byte) segment[2]);
  }

  /** Puts an indirect request into the ring; its segments are in a frame of their own. */
  void indirect(long id, BlkifOp op, long sector, int count, long[]... segments) {
    guest.grant(50, 12, false);
    for (int i = 0; i < segments.length; i++) {
      segment(guest.frame(12).asSlice(8L * i), segments[i]);
    }
    MemorySegment slot = slot(requests++);
    slot.set(ValueLayout.JAVA_BYTE, 0, (byte) BlkifOp.INDIRECT.nr());
    slot.set(ValueLayout.JAVA_BYTE, 1, (byte) op.nr());
    slot.set(SHORT, 2, (short) count);
    slot.set(LONG, 8 - shift, id);
    slot.set(LONG, 16 - shift, sector);
    slot.set(INT, 28 - shift, 50);
  }

  void discard(long id, int flags, long sector, long sectors) {
    MemorySegment slot = slot(requests++);
    slot.set(ValueLayout.JAVA_BYTE, 0, (byte) BlkifOp.DISCARD.nr());
    slot.set(ValueLayout.JAVA_BYTE, 1, (byte) flags);
    slot.set(LONG, 8 - shift, id);
    slot.set(LONG, 16 - shift, sector);
    slot.set(LONG, 24 - shift, sectors);
  }

  void raw(byte[] bytes) {
    MemorySegment.copy(bytes, 0, slot(requests++), ValueLayout.JAVA_BYTE, 0, 112 - shift);
  }

  void producer(int value) {
    ring(0).set(INT, 0, value);
  }

  /** Asks for an event with the next answer but so many. */
  void eventAfter(int answers) {
    ring(0).set(INT, 12, responses + answers + 1);
  }

  int answered() {
    return ring(0).get(INT, 8);
  }

  /** Where the backend wants an event. */
  int requestEvent() {
    return ring(0).get(INT, 4);
  }

  /** Shows all requests, raises the event, and gives the backend a turn. */
  void submit() {
    producer(requests);
    guest.send(PORT);
    guest.runPosted();
  }

  /** Shows all requests and returns their answers' statuses by id, once all are there. */
  Map<Long, Integer> complete() {
    submit();
    guest.runUntil(() -> answered() == requests);
    return take();
  }

  /** The answers that are there. */
  Map<Long, Integer> take() {
    Map<Long, Integer> statuses = new TreeMap<>();
    for (; responses != answered(); responses++) {
      MemorySegment slot = ring(64 + (long) (responses & (entries() - 1)) * (112 - shift));
      statuses.put(slot.get(LONG, 0), (int) slot.get(SHORT, 10));
    }
    return statuses;
  }

  MemorySegment data(int frame) {
    return guest.frame(DATA_FRAME + frame);
  }

  @Override
  public void close() {
    device.remove();
    daemon.runAll();
    guest.runPosted();
    if (!disk.misuse.isEmpty()) {
      throw new AssertionError(disk.misuse);
    }
    if (guest.mapped != 0) {
      throw new AssertionError(guest.mapped + " pages are still mapped");
    }
  }
}
