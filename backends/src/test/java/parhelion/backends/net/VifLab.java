package parhelion.backends.net;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import parhelion.abi.Bytes;
import parhelion.abi.NetifRequests.NetifExtraInfo;
import parhelion.abi.NetifRequests.NetifRxRequest;
import parhelion.abi.NetifRequests.NetifRxResponse;
import parhelion.abi.NetifRequests.NetifTxRequest;
import parhelion.abi.NetifRequests.NetifTxResponse;
import parhelion.abi.NetifSring;
import parhelion.abi.XenbusState;
import parhelion.backends.Frontend;
import parhelion.backends.GrantedPage;
import parhelion.backends.Port;
import parhelion.backends.xenbus.XenbusAddress;
import parhelion.backends.xenbus.XenbusDevice;
import parhelion.backends.xenbus.XenbusDriver.RefusedException;
import parhelion.backends.xenstore.StoreHost;
import parhelion.backends.xenstore.XenstoreClient;
import parhelion.backends.xenstore.XenstoreDaemon;
import parhelion.media.net.NetworkPort;
import parhelion.media.net.Packet;

/**
 * A network device with a guest and a network that are the test's: its pages are arrays, its
 * reference is a page's number, its thread is the test's.
 */
final class VifLab implements Frontend {
  static final int PAGE = 4096;
  static final XenbusAddress ADDRESS = new XenbusAddress("vif", 7, 0);

  final XenstoreDaemon daemon = new XenstoreDaemon(StoreHost.PERMISSIVE);
  final XenstoreClient dom0 = daemon.dom0();
  final Network network = new Network();
  final VifDriver driver = new VifDriver(this, network);
  final XenbusDevice device =
      XenbusDevice.plug(dom0, ADDRESS, Map.of("mac", "00:16:3e:00:00:01"), Map.of(), driver);

  /** What the guest has granted, by reference; the value is the page. */
  final Map<Long, byte[]> pages = new HashMap<>();

  /** References that may only be read. */
  final List<Long> readOnly = new ArrayList<>();

  final Map<Long, Runnable> channels = new HashMap<>();
  final List<Long> notified = new ArrayList<>();
  int mapped;
  int bound;
  private final ArrayDeque<Runnable> posted = new ArrayDeque<>();
  private long nextRef = 8;
  private long nextPort = 3;

  /** The network: takes what the guest sends while it has room. */
  static final class Network implements NetworkPort {
    final List<Packet> sent = new ArrayList<>();
    int room = Integer.MAX_VALUE;
    int toldOfRoom;
    boolean closed;
    NetworkPort.@Nullable Receiver receiver;

    @Override
    public void connect(Receiver device) {
      receiver = device;
    }

    @Override
    public boolean send(Packet packet) {
      if (room == 0) {
        return false;
      }
      room--;
      sent.add(packet);
      return true;
    }

    @Override
    public void roomToReceive() {
      toldOfRoom++;
    }

    @Override
    public void close() {
      closed = true;
    }

    NetworkPort.Receiver device() {
      return Objects.requireNonNull(receiver);
    }

    Packet only() {
      if (sent.size() != 1) {
        throw new AssertionError("sent: " + sent.size());
      }
      return sent.removeFirst();
    }
  }

  /** One queue of the guest's driver. */
  final class Queue {
    final long txRef = grant(new byte[PAGE]);
    final long rxRef = grant(new byte[PAGE]);
    final long txPort = nextPort++;
    final long rxPort = nextPort++;
    int txProduced;
    int rxProduced;
    private int txSeen;
    private int rxSeen;

    byte[] txRing() {
      return Objects.requireNonNull(pages.get(txRef));
    }

    byte[] rxRing() {
      return Objects.requireNonNull(pages.get(rxRef));
    }

    private static int slot(int index, int entryBytes) {
      return NetifSring.RING.offset() + (index & 255) * entryBytes;
    }

    void request(long ref, int offset, int flags, int size) {
      Bytes b = Bytes.of(txRing());
      int at = slot(txProduced, 12);
      NetifTxRequest.GREF.put(b, at, ref);
      NetifTxRequest.OFFSET.put(b, at, offset);
      NetifTxRequest.FLAGS.put(b, at, flags);
      NetifTxRequest.ID.put(b, at, txProduced & 0xffff);
      NetifTxRequest.SIZE.put(b, at, size);
      txProduced++;
    }

    void extra(int type, boolean more, int gsoType, int gsoSize) {
      Bytes b = Bytes.of(txRing());
      int at = slot(txProduced, 12);
      NetifExtraInfo.TYPE.put(b, at, type);
      NetifExtraInfo.FLAGS.put(b, at, more ? 1 : 0);
      NetifExtraInfo.GSO_SIZE.put(b, at, gsoSize);
      NetifExtraInfo.GSO_TYPE.put(b, at, gsoType);
      txProduced++;
    }

    void group(int type, byte[] mac) {
      extra(type, false, 0, 0);
      System.arraycopy(mac, 0, txRing(), slot(txProduced - 1, 12) + 2, 6);
    }

    /** Shows the backend what was requested, and rings the bell if it wants that. */
    boolean pushTx() {
      return push(txRing(), txProduced, txPort);
    }

    boolean pushRx() {
      return push(rxRing(), rxProduced, rxPort);
    }

    private boolean push(byte[] ring, int produced, long port) {
      Bytes b = Bytes.of(ring);
      int before = (int) NetifSring.REQ_PROD.get(b, 0);
      NetifSring.REQ_PROD.put(b, 0, produced);
      int event = (int) NetifSring.REQ_EVENT.get(b, 0);
      boolean wanted = Integer.compareUnsigned(produced - event, produced - before) < 0;
      if (wanted) {
        Objects.requireNonNull(channels.get(port)).run();
      }
      return wanted;
    }

    /** Status of each answer to what was sent, since the last call. */
    List<Integer> txAnswers() {
      Bytes b = Bytes.of(txRing());
      List<Integer> answers = new ArrayList<>();
      int end = (int) NetifSring.RSP_PROD.get(b, 0);
      for (; txSeen != end; txSeen++) {
        int at = slot(txSeen, 12);
        int status = NetifTxResponse.STATUS.get(b, at);
        if (status != 1 && NetifTxResponse.ID.get(b, at) != (txSeen & 0xffff)) {
          throw new AssertionError("the answer to " + txSeen + " has another's id");
        }
        answers.add(status);
      }
      NetifSring.RSP_EVENT.put(b, 0, end + 1);
      return answers;
    }

    /** Lends so many new pages. */
    void lend(int count) {
      Bytes b = Bytes.of(rxRing());
      for (int i = 0; i < count; i++) {
        int at = slot(rxProduced, 8);
        NetifRxRequest.ID.put(b, at, rxProduced & 255);
        long ref = grant(new byte[PAGE]);
        NetifRxRequest.GREF.put(b, at, ref);
        lent[rxProduced & 255] = ref;
        rxProduced++;
      }
    }

    final long[] lent = new long[256];

    /** What stands in one slot of the receive ring. */
    record Slot(int id, int flags, int status, byte[] raw, byte[] data) {}

    List<Slot> received() {
      Bytes b = Bytes.of(rxRing());
      List<Slot> slots = new ArrayList<>();
      int end = (int) NetifSring.RSP_PROD.get(b, 0);
      for (; rxSeen != end; rxSeen++) {
        int at = slot(rxSeen, 8);
        int status = NetifRxResponse.STATUS.get(b, at);
        byte[] page = pages.getOrDefault(lent[rxSeen & 255], new byte[0]);
        int length = Math.clamp(status, 0, page.length);
        slots.add(
            new Slot(
                NetifRxResponse.ID.get(b, at),
                NetifRxResponse.FLAGS.get(b, at),
                status,
                Arrays.copyOfRange(rxRing(), at, at + 8),
                Arrays.copyOf(page, length)));
      }
      NetifSring.RSP_EVENT.put(b, 0, end + 1);
      return slots;
    }

    void publish(String prefix) {
      write(prefix + "tx-ring-ref", txRef);
      write(prefix + "rx-ring-ref", rxRef);
      write(prefix + "event-channel-tx", txPort);
      write(prefix + "event-channel-rx", rxPort);
    }
  }

  VifLab() {
    daemon.runAll();
  }

  long grant(byte[] page) {
    long ref = nextRef++;
    pages.put(ref, page);
    return ref;
  }

  void write(String name, Object value) {
    dom0.write(ADDRESS.frontend() + '/' + name, value.toString());
  }

  void state(XenbusState state) {
    write("state", state.nr());
    daemon.runAll();
    run();
  }

  /** Publishes what Linux's driver does, and so many queues. */
  List<Queue> connect(int queues) {
    for (String feature :
        List.of(
            "request-rx-copy",
            "feature-rx-notify",
            "feature-sg",
            "feature-gso-tcpv4",
            "feature-gso-tcpv6",
            "feature-ipv6-csum-offload")) {
      write(feature, 1);
    }
    List<Queue> made = new ArrayList<>();
    for (int i = 0; i < queues; i++) {
      Queue queue = new Queue();
      queue.publish(queues == 1 ? "" : "queue-" + i + "/");
      for (byte[] ring : List.of(queue.txRing(), queue.rxRing())) {
        NetifSring.REQ_EVENT.put(Bytes.of(ring), 0, 1);
        NetifSring.RSP_EVENT.put(Bytes.of(ring), 0, 1);
      }
      made.add(queue);
    }
    if (queues > 1) {
      write("multi-queue-num-queues", queues);
    }
    state(XenbusState.CONNECTED);
    return made;
  }

  /** Does what was posted, and what that posts. */
  void run() {
    for (Runnable work = posted.poll(); work != null; work = posted.poll()) {
      work.run();
      daemon.runAll();
    }
  }

  String error() {
    return String.valueOf(dom0.readOrNull("/local/domain/0/error/backend/vif/7/0/error"));
  }

  // --- Frontend ---

  @Override
  public int domid() {
    return ADDRESS.domid();
  }

  @Override
  public GrantedPage map(long ref, boolean writable) throws RefusedException {
    byte[] page = pages.get(ref);
    if (page == null) {
      throw new RefusedException("reference " + ref + " is not granted");
    }
    mapped++;
    return new MappedPage(page);
  }

  @Override
  public boolean copyFrom(long ref, int offset, byte[] target, int at, int length) {
    byte[] page = pages.get(ref);
    if (page != null) {
      System.arraycopy(page, offset, target, at, length);
    }
    return page != null;
  }

  @Override
  public boolean copyTo(long ref, int offset, byte[] source, int at, int length) {
    byte[] page = pages.get(ref);
    if (page == null || readOnly.contains(ref)) {
      return false;
    }
    System.arraycopy(source, at, page, offset, length);
    return true;
  }

  @Override
  public Port bind(long port, Runnable onEvent) throws RefusedException {
    if (port >= nextPort || channels.putIfAbsent(port, onEvent) != null) {
      throw new RefusedException("port " + port + " is not open");
    }
    bound++;
    return new Port() {
      @Override
      public void notifyGuest() {
        notified.add(port);
      }

      @Override
      public void close() {
        bound--;
        channels.remove(port);
      }
    };
  }

  @Override
  public void post(Runnable work) {
    posted.add(work);
  }

  private final class MappedPage implements GrantedPage {
    private final ByteBuffer page;

    MappedPage(byte[] bytes) {
      page = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    @Override
    public boolean isWritable() {
      return true;
    }

    @Override
    public ByteBuffer buffer(int offset, int lengthBytes) {
      return page.slice(offset, lengthBytes);
    }

    @Override
    public long hostAddress() {
      throw new UnsupportedOperationException();
    }

    @Override
    public ByteBuffer run(List<? extends GrantedPage> run) {
      throw new UnsupportedOperationException();
    }

    @Override
    public void written(int offset, int lengthBytes) {}

    @Override
    public int loadAcquire(int offset) {
      return page.getInt(offset);
    }

    @Override
    public void storeRelease(int offset, int value) {
      page.putInt(offset, value);
    }

    @Override
    public void read(int offset, byte[] target, int targetOffset, int length) {
      page.get(offset, target, targetOffset, length);
    }

    @Override
    public void write(int offset, byte[] source, int sourceOffset, int length) {
      page.put(offset, source, sourceOffset, length);
    }

    @Override
    public void close() {
      mapped--;
    }
  }
}
