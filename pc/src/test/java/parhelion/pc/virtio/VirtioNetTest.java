package parhelion.pc.virtio;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import parhelion.media.net.MacAddress;
import parhelion.media.net.Packet;
import parhelion.media.net.Packet.Checksum;
import parhelion.media.net.Packet.Gso;
import parhelion.pc.FakeBoard;
import parhelion.pc.net.FakeNetwork;
import parhelion.pc.net.TestFrames;
import parhelion.pc.virtio.VirtioDriver.Part;

/** A network card by virtio, as VIRTIO 1.2 section 5.1 has it. */
final class VirtioNetTest {
  private static final int DATA = 0x40000;
  private static final int ROOM = 0x80000;
  private static final long SUMS = 3;
  private static final long MERGE = 1 << 15;
  private static final long TSO = 1 << 7 | 1 << 11;

  private final FakeBoard board = new FakeBoard(1 << 20);
  private final FakeNetwork network = new FakeNetwork();
  private final VirtioDriver driver =
      new VirtioDriver(
          board,
          VirtioNet.device(board, "net", network, new MacAddress(0x5254_0001_0203L), 1500),
          16);

  /** Sends a frame behind a header of 12 bytes. */
  private void send(byte[] frame, int... header) {
    for (int i = 0; i < 12; i++) {
      board.memory().fill(DATA + i, 1, i < header.length ? header[i] : 0);
    }
    board.memory().put(DATA + 12, frame);
    driver.add(1, new Part(DATA, 12, 0), new Part(DATA + 12, frame.length, 0));
    driver.ring(1);
  }

  private void lend(int count, int length) {
    for (int i = 0; i < count; i++) {
      driver.add(0, new Part(ROOM + i * 0x1000L, length, VirtioDriver.WRITE));
    }
    driver.ring(0);
  }

  private boolean receive(Packet packet) {
    boolean taken = network.receiver().receive(packet);
    board.runPosted();
    return taken;
  }

  @Test
  void tellsItsAddressAndMtu() {
    assertEquals(0x5452L, board.load(driver.config, 2));
    assertEquals(1500, board.load(driver.config + 10, 2));
  }

  @Test
  void sendsAPlainFrame() {
    driver.start(0, 2);
    byte[] frame = TestFrames.udp(100);
    send(frame);
    assertArrayEquals(frame, network.sent.getFirst().bytes());
    assertEquals(Checksum.UNKNOWN, network.sent.getFirst().checksum());
    assertEquals(1, driver.used(1).size());
  }

  @Test
  void leavesChecksumsAndSegmentsToTheNetwork() {
    driver.start(SUMS | TSO, 2);
    byte[] frame = TestFrames.tcp(4000);
    TestFrames.putPseudo(frame, 50, 6);
    send(frame, 1, 1, 54, 0, 0xe8, 3, 34, 0, 16, 0);
    Packet sent = network.sent.getFirst();
    assertEquals(Checksum.BLANK, sent.checksum());
    assertEquals(Gso.TCPV4, sent.gso());
    assertEquals(1000, sent.gsoSizeBytes());
  }

  @Test
  void fillsAChecksumThatNetworksKnowNothingOf() {
    driver.start(SUMS, 2);
    byte[] frame = new byte[60];
    frame[12] = 0x12;
    frame[20] = 1;
    send(frame, 1, 0, 0, 0, 0, 0, 20, 0, 4, 0);
    byte[] sent = network.sent.getFirst().bytes();
    assertEquals((byte) 0xfe, sent[24]);
    assertEquals((byte) 0xff, sent[25]);
    send(frame, 1, 0, 0, 0, 0, 0, 20, 0, 60, 0);
    assertEquals(1, network.sent.size(), "the place of the checksum is not in the frame");
    assertFalse(driver.needsReset());
  }

  @Test
  void keepsAPacketForWhichThereIsNoRoomAndGoesOnWhenThereIs() {
    driver.start(0, 2);
    network.room = 0;
    send(TestFrames.udp(10));
    send(TestFrames.udp(20));
    assertEquals(0, network.sent.size());
    network.room = 9;
    network.receiver().roomToSend();
    board.runPosted();
    assertEquals(2, network.sent.size());
    assertEquals(TestFrames.udp(10).length, network.sent.getFirst().bytes().length);
  }

  @Test
  void receivesIntoTheBuffersThatWereLent() {
    driver.start(0, 2);
    lend(2, 2000);
    byte[] frame = TestFrames.udp(300);
    assertTrue(receive(Packet.of(frame)));
    List<int[]> used = driver.used(0);
    assertEquals(12 + frame.length, used.getFirst()[1]);
    assertEquals(1, board.memory().get16(ROOM + 10));
    assertArrayEquals(frame, board.memory().get(ROOM + 12, frame.length));
  }

  @Test
  void aDriverWithoutOffloadsGetsSegmentsWithTheirSums() {
    driver.start(0, 2);
    lend(8, 2000);
    byte[] frame = TestFrames.tcp(2500);
    TestFrames.putPseudo(frame, 50, 6);
    receive(new Packet(frame, Checksum.BLANK, Gso.TCPV4, 1000));
    List<int[]> used = driver.used(0);
    assertEquals(3, used.size());
    byte[] first = board.memory().get(ROOM + 12, used.getFirst()[1] - 12);
    assertEquals(1054, first.length);
    assertTrue(TestFrames.isRight(first));
  }

  @Test
  void aLargePacketTakesSeveralBuffersWhereTheyMayBeMerged() {
    driver.start(SUMS | TSO | MERGE, 2);
    lend(2, 1500);
    byte[] frame = TestFrames.tcp(3000);
    TestFrames.putPseudo(frame, 50, 6);
    receive(new Packet(frame, Checksum.BLANK, Gso.TCPV4, 1000));
    assertEquals(0, driver.used(0).size(), "two buffers do not do");
    driver.add(0, new Part(ROOM + 0x2000, 1500, VirtioDriver.WRITE));
    driver.ring(0);
    List<int[]> used = driver.used(0);
    assertEquals(3, used.size());
    assertEquals(3, board.memory().get16(ROOM + 10));
    assertEquals(0x0101, board.memory().get16(ROOM), "the sum is blank, TCP over IPv4 in segments");
    assertEquals(54, board.memory().get16(ROOM + 2));
    assertEquals(1000, board.memory().get16(ROOM + 4));
    assertEquals(34, board.memory().get16(ROOM + 6));
    assertEquals(16, board.memory().get16(ROOM + 8));
    assertArrayEquals(
        Arrays.copyOfRange(frame, 1488, 2988), board.memory().get(ROOM + 0x1000, 1500));
    assertEquals(frame.length + 12 - 3000, used.get(2)[1]);
  }

  @Test
  void anOffCardTakesPacketsAndForgetsThemAndAFullOneRefuses() {
    assertTrue(receive(Packet.of(TestFrames.udp(10))));
    driver.start(0, 2);
    int taken = 0;
    while (receive(Packet.of(TestFrames.udp(1000)))) {
      taken++;
      assertTrue(taken < 5000);
    }
    assertEquals(0, network.toldOfRoom);
    while (network.toldOfRoom == 0) {
      lend(8, 2000);
      board.runPosted();
      assertFalse(driver.used(0).isEmpty());
    }
    driver.setStatus(0);
  }

  @Test
  void aReceiveBufferThatHasNoRoomForAHeaderBreaksTheQueue() {
    driver.start(0, 2);
    lend(1, 11);
    receive(Packet.of(TestFrames.udp(10)));
    assertTrue(driver.needsReset());
  }
}
