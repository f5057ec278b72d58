package parhelion.pc.net;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import parhelion.media.net.MacAddress;
import parhelion.media.net.Offloads;
import parhelion.media.net.Packet;
import parhelion.media.net.Packet.Checksum;
import parhelion.media.net.Packet.Gso;
import parhelion.media.net.SoftwareOffload;
import parhelion.pc.FakeBoard;
import parhelion.pc.pci.PciBus;
import parhelion.pc.pci.PciSoftware;
import parhelion.pc.pci.PirqRouter;

/** The 82540EM by its registers and descriptors, as its manual (317453) has them. */
final class E1000Test {
  private static final long BASE = 0xf000_0000L;
  private static final int TX = 0x1000;
  private static final int RX = 0x2000;
  private static final int DATA = 0x10000;
  private static final int ROOM = 0x40000;
  private static final int RING = 8;

  private final FakeBoard board = new FakeBoard(1 << 20);
  private final FakeNetwork network = new FakeNetwork();
  private final E1000 card = new E1000(board, "e1000", network, new MacAddress(0x5254_0001_0203L));
  private final PciBus bus = new PciBus(board, new PirqRouter(board), () -> {});
  private final PciSoftware pci = new PciSoftware(board);
  private final int pin = 16 + PirqRouter.wireOf(3, 1);
  private int tail;

  @BeforeEach
  void plugIn() {
    bus.plug(3, 0, card.function());
    pci.write(3, 0, 0x10, 4, (int) BASE);
    pci.write(3, 0, 0x14, 4, 0xc000);
    pci.enable(3, 0);
  }

  private void set(int register, int value) {
    board.store(BASE + register, 4, Integer.toUnsignedLong(value));
  }

  private int get(int register) {
    return (int) board.load(BASE + register, 4);
  }

  private void startTransmitter() {
    set(0x3800, TX);
    set(0x3808, RING * 16);
    set(0x400, 2);
  }

  /** Adds a descriptor of two halves. */
  private void descriptor(long low, int high1, int high2) {
    board.memory().put64(TX + 16L * tail, low);
    board.memory().put32(TX + 16L * tail + 8, high1);
    board.memory().put32(TX + 16L * tail + 12, high2);
    tail = (tail + 1) % RING;
  }

  private void send() {
    set(0x3818, tail);
  }

  private void startReceiver(int control) {
    set(0x2800, RX);
    set(0x2808, RING * 16);
    for (int i = 0; i < RING; i++) {
      board.memory().fill(RX + 16 * i, 16, 0);
      board.memory().put64(RX + 16L * i, ROOM + 0x1000L * i);
    }
    set(0x2818, RING - 1);
    set(0x100, 2 | control);
  }

  private void receive(byte[] frame) {
    assertTrue(network.receiver().receive(Packet.of(frame)));
    board.runPosted();
  }

  private int received() {
    return get(0x2810);
  }

  @Test
  void readsItsAddressFromTheEepromEachWay() {
    assertEquals(0x0100_5452, get(0x5400));
    assertEquals(0x8000_0302, get(0x5404));
    int sum = 0;
    for (int i = 0; i < 64; i++) {
      set(0x14, 1 | i << 8);
      assertEquals(0x10, get(0x14) & 0x10);
      sum += get(0x14) >>> 16;
      assertEquals(get(0x14) >>> 16, microwire(i));
    }
    assertEquals(0xbaba, sum & 0xffff);
    set(0x14, 1 | 1 << 8);
    assertEquals(0x0100, get(0x14) >>> 16);
  }

  /** Reads a word by the wires of the EEPROM. */
  private int microwire(int word) {
    set(0x10, 0x40);
    assertEquals(0x180, get(0x10) & 0x180, "present, and granted");
    int lines = 0x42;
    set(0x10, lines);
    int command = 6 << 6 | word;
    for (int i = 8; i >= 0; i--) {
      int in = (command >>> i & 1) << 2;
      set(0x10, lines | in);
      set(0x10, lines | in | 1);
      set(0x10, lines | in);
    }
    int value = 0;
    for (int i = 0; i < 16; i++) {
      set(0x10, lines | 1);
      value = value << 1 | get(0x10) >>> 3 & 1;
      set(0x10, lines);
    }
    set(0x10, 0);
    return value;
  }

  @Test
  void reachesThePhyByMdic() {
    set(0x20, 2 << 26 | 1 << 21 | 2 << 16);
    assertEquals(0x1000_0141, get(0x20) & 0x1000_ffff);
    set(0x20, 2 << 26 | 1 << 21 | 1 << 16);
    assertEquals(0x24, get(0x20) & 0x24, "negotiated, and the link is up");
    set(0x20, 2 << 26 | 2 << 21 | 1 << 16);
    assertTrue((get(0x20) & 1 << 30) != 0, "there is no other one");
    int unused = get(0xc0);
    set(0x20, 1 << 26 | 1 << 21 | 0x1340);
    assertEquals(0x204, get(0xc0));
    set(0x20, 2 << 26 | 1 << 21);
    assertEquals(0x1140, get(0x20) & 0xffff);
  }

  @Test
  void theWindowOfPortsReachesTheSameRegisters() {
    board.out(0xc000, 4, 0x5404);
    assertEquals(0x8000_0302, board.in(0xc004, 4));
    board.out(0xc000, 4, 0);
    board.out(0xc004, 4, 1 << 26);
    board.out(0xc000, 4, 0x2_0000);
    assertEquals(0, board.in(0xc004, 4));
  }

  @Test
  void sendsAFrameOfSeveralLegacyDescriptors() {
    byte[] frame = TestFrames.udp(100);
    board.memory().put(DATA, frame);
    startTransmitter();
    set(0xd0, 3);
    descriptor(DATA, 50, 0);
    descriptor(DATA + 50, frame.length - 50 | 9 << 24, 0);
    send();
    assertArrayEquals(frame, network.sent.getFirst().bytes());
    assertEquals(1, board.memory().get8(TX + 16 + 12), "done is reported");
    assertEquals(0, board.memory().get8(TX + 12), "where it was asked for");
    assertEquals(2, get(0x3810));
    assertTrue(board.isRaised(pin));
    assertEquals(3, get(0xc0));
    assertFalse(board.isRaised(pin));
    assertEquals(1, get(0x4080));
    assertEquals(0, get(0x4080), "reading clears a statistic");
  }

  @Test
  void insertsALegacyChecksum() {
    byte[] frame = new byte[60];
    frame[12] = 0x12;
    frame[20] = 1;
    board.memory().put(DATA, frame);
    startTransmitter();
    descriptor(DATA, 60 | 24 << 16 | 5 << 24, 20 << 8);
    send();
    assertEquals((byte) 0xfe, network.sent.getFirst().bytes()[24]);
  }

  private void context(int command, int headerBytes, int segment) {
    descriptor(
        14 | 24 << 8 | 33L << 16 | 34L << 32 | 50L << 40,
        command << 24,
        headerBytes << 8 | segment << 16);
  }

  @Test
  void leavesChecksumsToTheNetworkOrFillsThem() {
    byte[] whole = TestFrames.tcp(200);
    byte[] frame = whole.clone();
    TestFrames.putPseudo(frame, 50, 6);
    frame[24] = 0;
    frame[25] = 0;
    board.memory().put(DATA, frame);
    startTransmitter();
    context(0x23, 0, 0);
    descriptor(DATA, frame.length | 1 << 20 | 0x21 << 24, 3 << 8);
    send();
    Packet sent = network.sent.getFirst();
    assertEquals(Checksum.BLANK, sent.checksum());
    assertArrayEquals(whole, SoftwareOffload.complete(sent, Offloads.NONE).getFirst().bytes());
    descriptor(
        14 | 24 << 8 | 33L << 16 | 34L << 32 | 50L << 40 | (long) (frame.length - 1) << 48,
        0x23 << 24,
        0);
    descriptor(DATA, frame.length | 1 << 20 | 0x21 << 24, 3 << 8);
    send();
    assertArrayEquals(
        whole, network.sent.get(1).bytes(), "where the end is given, it is done here");
  }

  @Test
  void leavesSegmentationToTheNetwork() {
    byte[] frame = TestFrames.tcp(4000);
    // As Linux's driver leaves them: the length and the checksum of the IP header.
    for (int field : new int[] {16, 17, 24, 25}) {
      frame[field] = 0;
    }
    board.memory().put(DATA, frame);
    startTransmitter();
    context(0x27, 54, 1000);
    descriptor(DATA, 54 | 1 << 20 | 0x24 << 24, 3 << 8);
    descriptor(DATA + 54, 4000 | 1 << 20 | 0x2d << 24, 0);
    send();
    Packet sent = network.sent.getFirst();
    assertEquals(Gso.TCPV4, sent.gso());
    assertEquals(1000, sent.gsoSizeBytes());
    assertEquals(0xffff, Checksums.sum(sent.bytes(), 14, 34), "the whole's IP header is right");
    var segments = SoftwareOffload.complete(sent, Offloads.NONE);
    assertEquals(4, segments.size());
    segments.forEach(segment -> assertTrue(TestFrames.isRight(segment.bytes())));
    assertArrayEquals(
        Arrays.copyOfRange(frame, 3054, 4054),
        Arrays.copyOfRange(segments.get(3).bytes(), 54, 1054));
  }

  @Test
  void keepsWhatTheNetworkHasNoRoomFor() {
    byte[] frame = TestFrames.udp(100);
    board.memory().put(DATA, frame);
    startTransmitter();
    network.room = 1;
    for (int i = 0; i < 3; i++) {
      descriptor(DATA, frame.length | 9 << 24, 0);
    }
    send();
    assertEquals(2, get(0x3810));
    network.room = 5;
    network.receiver().roomToSend();
    board.runPosted();
    assertEquals(3, network.sent.size());
    assertEquals(3, get(0x3810));
  }

  @Test
  void dropsFramesThatAreTooLargeOrNotInRam() {
    startTransmitter();
    descriptor(DATA, 0xffff | 8 << 24, 0);
    descriptor(DATA, 0xffff | 9 << 24, 0);
    descriptor(1L << 40, 60 | 9 << 24, 0);
    descriptor(DATA, 5 | 9 << 24, 0);
    send();
    assertEquals(0, network.sent.size());
    assertEquals(4, get(0x3810));
    set(0x3818, RING + 3);
    set(0x3818, 4);
    board.memory().put(DATA, TestFrames.udp(10));
    tail = 4;
    descriptor(DATA, 60 | 9 << 24, 0);
    send();
    assertEquals(1, network.sent.size());
  }

  @Test
  void receivesWithItsCrcAndChecksumsChecked() {
    startReceiver(1 << 15);
    set(0x5000, 0x300);
    set(0xd0, 0x80);
    byte[] frame = TestFrames.tcp(100);
    receive(frame);
    assertEquals(1, received());
    assertArrayEquals(frame, board.memory().get(ROOM, frame.length));
    assertEquals(frame.length + 4, board.memory().get16(RX + 8));
    assertEquals(0x63, board.memory().get8(RX + 12));
    assertEquals(0, board.memory().get8(RX + 13));
    java.util.zip.CRC32 crc = new java.util.zip.CRC32();
    crc.update(frame);
    assertEquals((int) crc.getValue(), board.memory().get32(ROOM + frame.length));
    assertTrue(board.isRaised(pin));
    frame[60] ^= 1;
    receive(frame);
    assertEquals(0x20, board.memory().get8(RX + 16 + 13), "the sum is wrong");
    set(0x100, get(0x100) | 1 << 26);
    receive(TestFrames.udp(1));
    assertEquals(60, board.memory().get16(RX + 32 + 8), "padded, without a CRC");
  }

  @Test
  void aLongFrameTakesSeveralBuffers() {
    startReceiver(1 << 5 | 3 << 16 | 1 << 26);
    byte[] frame = TestFrames.udp(600);
    set(0x2808, 128 * 16);
    for (int i = 0; i < 128; i++) {
      board.memory().put64(RX + 16L * i, ROOM + 0x1000L * i);
    }
    set(0x2818, 127);
    receive(frame);
    assertEquals(3, received());
    assertEquals(256, board.memory().get16(RX + 8));
    assertEquals(1, board.memory().get8(RX + 12));
    assertEquals(frame.length - 512, board.memory().get16(RX + 32 + 8));
    assertEquals(3, board.memory().get8(RX + 32 + 12));
  }

  @Test
  void takesOnlyWhatIsForIt() {
    startReceiver(0);
    byte[] frame = TestFrames.udp(100);
    frame[5] = 9;
    receive(frame);
    assertEquals(0, received(), "another's");
    set(0x100, get(0x100) | 1 << 3);
    receive(frame);
    assertEquals(1, received(), "promiscuous");
    set(0x100, get(0x100) & ~(1 << 3));
    Arrays.fill(frame, 0, 6, (byte) 0xff);
    receive(frame);
    assertEquals(1, received(), "broadcasts are not asked for");
    set(0x100, get(0x100) | 1 << 15);
    receive(frame);
    assertEquals(2, received());
    byte[] group = {1, 0, 0x5e, 0, 0, (byte) 0xfb};
    System.arraycopy(group, 0, frame, 0, 6);
    receive(frame);
    assertEquals(2, received());
    int hash = 0xfb00 >>> 4;
    set(0x5200 + 4 * (hash >>> 5), 1 << (hash & 31));
    receive(frame);
    assertEquals(3, received());
  }

  @Test
  void vlanTagsAreTakenOutAndPutIn() {
    set(0, 1 << 30);
    startReceiver(1 << 3 | 1 << 26);
    byte[] plain = TestFrames.udp(100);
    byte[] tagged = new byte[plain.length + 4];
    System.arraycopy(plain, 0, tagged, 0, 12);
    tagged[12] = (byte) 0x81;
    tagged[15] = 42;
    System.arraycopy(plain, 12, tagged, 16, plain.length - 12);
    receive(tagged);
    assertArrayEquals(plain, board.memory().get(ROOM, plain.length));
    assertEquals(8, board.memory().get8(RX + 12) & 8);
    assertEquals(42, board.memory().get16(RX + 14));
    board.memory().put(DATA, plain);
    startTransmitter();
    descriptor(DATA, plain.length | 0x49 << 24, 42 << 16);
    send();
    assertArrayEquals(tagged, network.sent.getFirst().bytes());
    set(0x100, get(0x100) | 1 << 18);
    receive(tagged);
    assertEquals(1, received(), "not in the filter");
    set(0x5600 + 4, 1 << 10);
    receive(tagged);
    assertEquals(2, received());
  }

  @Test
  void framesWaitWhileThereIsNoBuffer() {
    startReceiver(0);
    for (int i = 0; i < 10; i++) {
      receive(TestFrames.udp(i));
    }
    assertEquals(RING - 1, received());
    set(0x2818, 3);
    assertEquals(2, received());
  }

  @Test
  void interruptsAreDelayedAndSpacedAsAsked() {
    startReceiver(0);
    set(0xd0, 0x80);
    set(0x2820, 100);
    set(0x282c, 150);
    receive(TestFrames.udp(10));
    board.advance(60 * 1024);
    receive(TestFrames.udp(10));
    board.advance(89 * 1024);
    assertFalse(board.isRaised(pin), "each packet puts it off");
    board.advance(1024);
    assertTrue(board.isRaised(pin), "but not beyond the limit");
    set(0xc4, 1000);
    int unused = get(0xc0);
    set(0xc8, 0x80);
    assertTrue(board.isRaised(pin));
    unused = get(0xc0);
    set(0xc8, 0x80);
    assertFalse(board.isRaised(pin), "too soon after the last one");
    board.advance(1000 * 256);
    assertTrue(board.isRaised(pin));
  }

  @Test
  void aResetStopsItAndGivesTheAddressBack() {
    startReceiver(0);
    set(0x5400, 0);
    set(0xd0, -1);
    set(0xc8, 4);
    set(0, 1 << 26);
    assertEquals(0, get(0x100));
    assertEquals(0x0100_5452, get(0x5400));
    assertFalse(board.isRaised(pin));
    receive(TestFrames.udp(10));
    assertEquals(0, received());
  }
}
