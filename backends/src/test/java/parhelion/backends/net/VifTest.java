package parhelion.backends.net;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import parhelion.abi.Bytes;
import parhelion.abi.NetifExtraType;
import parhelion.abi.NetifGsoType;
import parhelion.abi.NetifRequests.NetifExtraInfo;
import parhelion.abi.NetifRxFlags;
import parhelion.abi.NetifTxFlags;
import parhelion.abi.XenbusState;
import parhelion.backends.net.VifLab.Queue;
import parhelion.media.net.Packet;
import parhelion.media.net.Packet.Checksum;
import parhelion.media.net.Packet.Gso;

/** A network device's rings, the frontend played by the test. */
final class VifTest {
  private static final int MORE = NetifTxFlags.MORE_DATA;
  private static final int EXTRA = NetifTxFlags.EXTRA_INFO;
  private static final int BLANK = NetifTxFlags.CSUM_BLANK | NetifTxFlags.DATA_VALIDATED;

  private final Random random = new Random(9);
  private final VifLab lab = new VifLab();

  /** A TCP segment over IPv4, its checksum as it comes, from and to the same two stations. */
  private byte[] tcp(int length) {
    byte[] frame = new byte[length];
    random.nextBytes(frame);
    Arrays.fill(frame, 0, 12, (byte) 2);
    byte[] headers = {8, 0, 0x45, 0, (byte) ((length - 14) >> 8), (byte) (length - 14)};
    System.arraycopy(headers, 0, frame, 12, headers.length);
    frame[20] = 0x40;
    frame[21] = 0;
    frame[23] = 6;
    frame[46] = 0x50;
    return frame;
  }

  private long page(byte[] bytes, int from, int offset, int length) {
    byte[] page = new byte[VifLab.PAGE];
    System.arraycopy(bytes, from, page, offset, length);
    return lab.grant(page);
  }

  // --- connecting ---

  @Test
  void theOfferNamesWhatTheBackendCanDo() {
    for (String feature :
        List.of(
            "feature-sg",
            "feature-gso-tcpv4",
            "feature-gso-tcpv6",
            "feature-ipv6-csum-offload",
            "feature-rx-copy",
            "feature-multicast-control",
            "feature-split-event-channels")) {
      assertEquals("1", lab.dom0.read(VifLab.ADDRESS.backend() + '/' + feature), feature);
    }
    assertEquals("8", lab.dom0.read(VifLab.ADDRESS.backend() + "/multi-queue-max-queues"));
    assertNull(lab.dom0.readOrNull(VifLab.ADDRESS.backend() + "/feature-ctrl-ring"));
    assertEquals("connected", lab.dom0.read(VifLab.ADDRESS.backend() + "/hotplug-status"));
  }

  @Test
  void aFrontendConnectsClosesAndComesBackAndNothingStaysMapped() {
    for (int i = 0; i < 3; i++) {
      List<Queue> queues = lab.connect(2);
      assertEquals(XenbusState.CONNECTED, lab.device.state());
      assertEquals(4, lab.mapped);
      assertEquals(4, lab.bound);
      queues.get(1).request(page(tcp(100), 0, 0, 100), 0, 0, 100);
      assertTrue(queues.get(1).pushTx());
      lab.run();
      assertEquals(100, lab.network.only().bytes().length);
      lab.state(XenbusState.CLOSED);
      assertEquals(0, lab.mapped);
      assertEquals(0, lab.bound);
      assertTrue(lab.network.device().receive(Packet.of(tcp(60))), "dropped: nobody is there");
      lab.state(XenbusState.INITIALISING);
    }
    lab.connect(1);
    lab.device.remove();
    lab.run();
    assertEquals(0, lab.mapped);
    assertTrue(lab.network.device().receive(Packet.of(tcp(60))), "dropped");
    assertFalse(lab.network.closed, "it is not the device's");
  }

  @Test
  void aFrontendWithOneEventChannelIsServed() {
    lab.write("request-rx-copy", "1");
    Queue queue = lab.new Queue();
    lab.write("tx-ring-ref", queue.txRef);
    lab.write("rx-ring-ref", queue.rxRef);
    lab.write("event-channel", queue.txPort);
    lab.state(XenbusState.INITIALISED);
    assertEquals(XenbusState.CONNECTED, lab.device.state());
    queue.request(page(tcp(100), 0, 0, 100), 0, 0, 100);
    queue.txAnswers();
    assertTrue(queue.pushTx());
    lab.run();
    assertEquals(List.of(queue.txPort), lab.notified);
    assertEquals(List.of(0), queue.txAnswers());
  }

  @Test
  void frontendsThatMakeNoSenseAreRefusedAndNothingStaysMapped() {
    Object[][] wrongs = {
      {"request-rx-copy", "0"},
      {"multi-queue-num-queues", "0"},
      {"multi-queue-num-queues", "9"},
      {"multi-queue-num-queues", "99999999999999999999"},
      {"queue-1/tx-ring-ref", "-1"},
      {"queue-1/tx-ring-ref", "4000"},
      {"queue-1/rx-ring-ref", "x".repeat(2000)},
      {"queue-1/event-channel-rx", "77"},
      {"queue-1/event-channel-tx", ""},
    };
    for (Object[] wrong : wrongs) {
      VifLab one = new VifLab();
      one.write("request-rx-copy", 1);
      one.write("multi-queue-num-queues", 2);
      one.new Queue().publish("queue-0/");
      one.new Queue().publish("queue-1/");
      one.write((String) wrong[0], wrong[1]);
      one.state(XenbusState.CONNECTED);
      String what = Arrays.toString(wrong);
      assertEquals(XenbusState.CLOSING, one.device.state(), what);
      assertTrue(!one.error().isEmpty() && one.error().length() < 200, one::error);
      assertEquals(0, one.mapped, what);
      assertEquals(0, one.bound, what);
    }
  }

  @Test
  void aRingThatIsFullOfNonsenseIsRefused() {
    lab.write("request-rx-copy", 1);
    Queue queue = lab.new Queue();
    queue.publish("");
    queue.txProduced = 300;
    Bytes.of(queue.txRing()).putInt(0, 300);
    lab.state(XenbusState.CONNECTED);
    assertEquals(XenbusState.CLOSING, lab.device.state());
    assertEquals("vif 0 of domain 7: 300 requests in a ring of 256", lab.error());
    assertEquals(0, lab.mapped);
  }

  // --- sending ---

  @Test
  void aPacketOfSeveralPagesIsPutTogether() {
    Queue queue = lab.connect(1).getFirst();
    byte[] frame = tcp(9000);
    queue.request(page(frame, 0, 4000, 96), 4000, MORE, 9000);
    queue.request(page(frame, 96, 0, 4096), 0, MORE, 4096);
    queue.request(page(frame, 4192, 0, 4096), 0, MORE, 4096);
    queue.request(page(frame, 8288, 100, 712), 100, 0, 712);
    assertTrue(queue.pushTx());
    lab.run();
    Packet sent = lab.network.only();
    assertArrayEquals(frame, sent.bytes());
    assertEquals(Checksum.UNKNOWN, sent.checksum());
    assertEquals(List.of(0, 0, 0, 0), queue.txAnswers());
  }

  @Test
  void checksumsAndSegmentationAreLeftToTheNetwork() {
    Queue queue = lab.connect(1).getFirst();
    byte[] frame = tcp(4000);
    queue.request(page(frame, 0, 0, 4000), 0, BLANK | EXTRA, 4000);
    queue.extra(NetifExtraType.HASH, true, 0, 0);
    queue.extra(NetifExtraType.GSO, false, NetifGsoType.TCPV4, 1400);
    queue.request(page(frame, 0, 0, 4000), 0, BLANK, 4000);
    queue.request(page(frame, 0, 0, 4000), 0, NetifTxFlags.DATA_VALIDATED, 4000);
    assertTrue(queue.pushTx());
    lab.run();
    assertEquals(3, lab.network.sent.size());
    Packet large = lab.network.sent.get(0);
    assertEquals(Gso.TCPV4, large.gso());
    assertEquals(1400, large.gsoSizeBytes());
    assertEquals(Checksum.BLANK, large.checksum());
    assertEquals(Checksum.BLANK, lab.network.sent.get(1).checksum());
    assertEquals(Checksum.VALID, lab.network.sent.get(2).checksum());
    assertEquals(List.of(0, 1, 1, 0, 0), queue.txAnswers());
  }

  @Test
  void packetsThatAreNotWhatTheyClaimAreDroppedAndTheDeviceGoesOn() {
    Queue queue = lab.connect(1).getFirst();
    byte[] frame = tcp(4000);
    queue.request(page(frame, 0, 0, 4000), 0, BLANK | EXTRA, 4000);
    queue.extra(NetifExtraType.GSO, false, NetifGsoType.TCPV6, 1400);
    queue.request(page(new byte[100], 0, 0, 100), 0, BLANK, 100);
    queue.request(page(frame, 0, 0, 13), 0, 0, 13); // shorter than its header
    queue.request(5, 0, 0, 100); // not granted
    queue.request(page(frame, 0, 0, 10), 0, MORE, 10); // its second part is longer than all of it
    queue.request(page(frame, 0, 0, 20), 0, 0, 20);
    for (int i = 0; i < 19; i++) { // too many parts
      queue.request(page(frame, 0, 0, 10), 0, i < 18 ? MORE : 0, i == 0 ? 190 : 10);
    }
    queue.request(page(frame, 0, 0, 100), 0, 0, 100);
    assertTrue(queue.pushTx());
    lab.run();
    assertEquals(100, lab.network.only().bytes().length);
    List<Integer> answers = queue.txAnswers();
    assertEquals(List.of(0, 1, 0, -1, -1, -1, -1), answers.subList(0, 7));
    assertEquals(Collections.nCopies(19, -1), answers.subList(7, 26));
    assertEquals(List.of(0), answers.subList(26, 27));
    assertEquals(XenbusState.CONNECTED, lab.device.state());
    assertEquals(6, lab.driver.counts().get("packets not sent for errors"));
  }

  @Test
  void frontendsThatBreakTheRingsRulesAreTurnedOffWithAReason() {
    broken("a request crosses its page's end", q -> q.request(8, 4000, 0, 97));
    broken(
        "a request crosses its page's end",
        q -> {
          q.request(8, 0, MORE, 200);
          q.request(8, 4090, 0, 7);
        });
    broken("a part of a packet is missing", q -> q.request(8, 0, MORE, 100));
    broken("an extra info is missing", q -> q.request(8, 0, EXTRA, 100));
    broken(
        "an extra info is missing",
        q -> {
          q.request(8, 0, EXTRA, 100);
          for (int i = 0; i < 255; i++) {
            q.extra(NetifExtraType.HASH, true, 0, 0);
          }
        });
    broken(
        "an extra info of type 5",
        q -> {
          q.request(8, 0, EXTRA, 100);
          q.extra(5, false, 0, 0);
        });
    broken(
        "segmentation of type 1 into 0 bytes",
        q -> {
          q.request(8, 0, EXTRA, 100);
          q.extra(NetifExtraType.GSO, false, NetifGsoType.TCPV4, 0);
        });
    broken("257 requests in a ring of 256", q -> q.txProduced += 257);
    broken("4294967295 requests in a ring of 256", q -> q.txProduced--);
  }

  private void broken(String reason, Consumer<Queue> act) {
    VifLab one = new VifLab();
    Queue queue = one.connect(2).getFirst();
    act.accept(queue);
    Bytes.of(queue.txRing()).putInt(0, queue.txProduced);
    one.channels.get(queue.txPort).run();
    one.run();
    assertEquals(XenbusState.CLOSING, one.device.state(), reason);
    assertEquals("vif 0 of domain 7 was turned off: " + reason, one.error());
    assertEquals(0, one.mapped);
    assertEquals(0, one.bound);
    assertTrue(one.network.sent.isEmpty());
    assertTrue(one.network.device().receive(Packet.of(tcp(60))));
    // Only it is turned off: a driver that starts over is served.
    one.state(XenbusState.CLOSED);
    one.state(XenbusState.INITIALISING);
    one.connect(2);
    assertEquals(XenbusState.CONNECTED, one.device.state());
  }

  @Test
  void aNetworkWithoutRoomHoldsTheGuestBackAndLosesNothing() {
    Queue queue = lab.connect(1).getFirst();
    lab.network.room = 2;
    for (int i = 0; i < 200; i++) {
      queue.request(page(tcp(100 + i), 0, 0, 100 + i), 0, 0, 100 + i);
    }
    queue.pushTx();
    lab.run();
    assertEquals(2, lab.network.sent.size());
    assertEquals(3, queue.txAnswers().size(), "one is copied and waits");
    lab.network.room = Integer.MAX_VALUE;
    lab.network.device().roomToSend();
    lab.run();
    assertEquals(200, lab.network.sent.size());
    for (int i = 0; i < 200; i++) {
      assertEquals(100 + i, lab.network.sent.get(i).bytes().length);
    }
    assertEquals(197, queue.txAnswers().size());
  }

  @Test
  void aBatchCostsOneEventEachWay() {
    Queue queue = lab.connect(1).getFirst();
    queue.txAnswers();
    for (int i = 0; i < 60; i++) {
      queue.request(page(tcp(100), 0, 0, 100), 0, 0, 100);
    }
    assertTrue(queue.pushTx());
    assertEquals(List.of(), lab.notified);
    lab.run();
    assertEquals(List.of(queue.txPort), lab.notified);
    assertEquals(60, lab.network.sent.size());
    lab.run();
    queue.request(page(tcp(100), 0, 0, 100), 0, 0, 100);
    assertTrue(queue.pushTx(), "the next one needs an event again");
  }

  @Test
  void aGuestMayChooseItsMulticastGroups() {
    lab.write("request-multicast-control", 1);
    Queue queue = lab.connect(1).getFirst();
    queue.lend(100);
    queue.pushRx();
    byte[] group = {1, 0, 0x5e, 0, 0, 9};
    byte[] toGroup = tcp(60);
    System.arraycopy(group, 0, toGroup, 0, 6);
    byte[] toAll = tcp(60);
    Arrays.fill(toAll, 0, 6, (byte) -1);
    receive(toGroup);
    receive(toAll);
    assertEquals(1, queue.received().size());
    queue.request(0, 0, EXTRA, 0);
    queue.group(NetifExtraType.MCAST_ADD, group);
    queue.pushTx();
    lab.run();
    assertEquals(List.of(0, 1), queue.txAnswers());
    receive(toGroup);
    assertEquals(1, queue.received().size());
    queue.request(0, 0, EXTRA, 0);
    queue.group(NetifExtraType.MCAST_DEL, group);
    queue.pushTx();
    lab.run();
    receive(toGroup);
    assertEquals(0, queue.received().size());
    queue.txAnswers();
    for (int i = 0; i < MulticastList.MAX_GROUPS + 1; i++) {
      queue.request(0, 0, EXTRA, 0);
      queue.group(NetifExtraType.MCAST_ADD, new byte[] {1, 0, 0x5e, 1, 0, (byte) i});
      queue.pushTx();
      lab.run();
    }
    List<Integer> answers = queue.txAnswers();
    assertEquals(List.of(0, 1, -1, 1), answers.subList(answers.size() - 4, answers.size()));
    assertTrue(lab.network.sent.isEmpty());
  }

  // --- receiving ---

  private void receive(byte[] frame) {
    assertTrue(lab.network.device().receive(Packet.of(frame)));
    lab.run();
  }

  @Test
  void aPacketIsSpreadOverAsManyPagesAsItNeeds() {
    Queue queue = lab.connect(1).getFirst();
    byte[] frame = tcp(65_000);
    Packet large = new Packet(frame, Checksum.BLANK, Gso.TCPV4, 1448);
    assertTrue(lab.network.device().receive(large));
    lab.run();
    assertEquals(List.of(), queue.received());
    queue.lend(16);
    assertFalse(queue.pushRx(), "no event before there is enough");
    queue.lend(1);
    assertTrue(queue.pushRx());
    lab.run();
    List<Queue.Slot> slots = queue.received();
    assertEquals(17, slots.size());
    Queue.Slot first = slots.get(0);
    int flags = NetifRxFlags.CSUM_BLANK | NetifRxFlags.DATA_VALIDATED;
    assertEquals(flags | NetifRxFlags.EXTRA_INFO | NetifRxFlags.MORE_DATA, first.flags());
    Bytes extra = Bytes.of(slots.get(1).raw());
    assertEquals(NetifExtraType.GSO, NetifExtraInfo.TYPE.get(extra, 0));
    assertEquals(NetifGsoType.TCPV4, NetifExtraInfo.GSO_TYPE.get(extra, 0));
    assertEquals(1448, NetifExtraInfo.GSO_SIZE.get(extra, 0));
    byte[] joined = new byte[frame.length];
    int at = 0;
    for (Queue.Slot slot : slots) {
      if (slot == slots.get(1)) {
        continue;
      }
      System.arraycopy(slot.data(), 0, joined, at, slot.status());
      at += slot.status();
      boolean last = at == frame.length;
      assertEquals(!last, (slot.flags() & NetifRxFlags.MORE_DATA) != 0);
    }
    assertArrayEquals(frame, joined);
  }

  @Test
  void aFrontendThatCannotSegmentGetsSegmentsAndOneThatCannotSumGetsSums() {
    lab.write("feature-no-csum-offload", 1);
    Queue queue = lab.connect(1).getFirst();
    queue.lend(200);
    queue.pushRx();
    Packet large = new Packet(tcp(10_054), Checksum.BLANK, Gso.TCPV4, 1000);
    assertTrue(lab.network.device().receive(large));
    lab.run();
    List<Queue.Slot> slots = queue.received();
    assertEquals(10, slots.size());
    for (Queue.Slot slot : slots) {
      assertEquals(NetifRxFlags.DATA_VALIDATED, slot.flags());
      assertEquals(1054, slot.status());
    }
  }

  @Test
  void aFrontendWithoutScatterGatherGetsNothingLargerThanAPage() {
    lab.write("feature-sg", 1);
    Queue queue = lab.connect(1).getFirst();
    lab.state(XenbusState.CLOSED);
    lab.state(XenbusState.INITIALISING);
    lab.write("feature-sg", 0);
    assertEquals(0, queue.txProduced);
    Queue again = lab.new Queue();
    again.publish("");
    lab.state(XenbusState.CONNECTED);
    again.lend(100);
    again.pushRx();
    receive(tcp(4097));
    receive(tcp(4096));
    assertEquals(1, again.received().size());
    assertEquals(1, lab.driver.counts().get("packets not received for errors"));
  }

  @Test
  void pagesThatCannotBeWrittenAreAnsweredWithAnErrorAndTheNextPacketIsFine() {
    Queue queue = lab.connect(1).getFirst();
    queue.lend(10);
    lab.readOnly.add(queue.lent[1]);
    lab.pages.remove(queue.lent[3]);
    queue.pushRx();
    receive(tcp(60));
    receive(tcp(8192));
    receive(tcp(60));
    receive(tcp(60));
    List<Integer> statuses = queue.received().stream().map(Queue.Slot::status).toList();
    assertEquals(List.of(60, -1, 4096, -1, 60), statuses);
    assertEquals(2, lab.driver.counts().get("packets not received for errors"));
  }

  @Test
  void aGuestThatLendsNoPagesHoldsTheNetworkBackAndMemoryIsBounded() {
    Queue queue = lab.connect(1).getFirst();
    byte[] frame = tcp(60_000);
    int taken = 0;
    while (lab.network.device().receive(Packet.of(frame))) {
      taken++;
      lab.run();
    }
    assertTrue(taken <= RxRing.MAX_QUEUED_BYTES / frame.length + 2, "taken " + taken);
    assertEquals(0, lab.network.toldOfRoom);
    int seen = 0;
    for (int i = 0; i < 40; i++) {
      queue.lend(100);
      queue.pushRx();
      lab.run();
      seen += queue.received().size();
    }
    assertEquals(1, lab.network.toldOfRoom);
    assertEquals(taken * 15, seen, "nothing was lost");
    int small = 0;
    while (small < 10_000 && lab.network.device().receive(Packet.of(tcp(60)))) {
      small++;
    }
    assertTrue(small <= RxRing.MAX_QUEUED_PACKETS, "small ones: " + small);
    lab.state(XenbusState.CLOSED);
    assertEquals(2, lab.network.toldOfRoom, "who waits is let go");
    assertTrue(lab.network.device().receive(Packet.of(frame)));
  }

  @Test
  void flowsKeepToOneQueueAndAreSpreadOverAll() {
    List<Queue> queues = lab.connect(4);
    queues.forEach(q -> q.lend(200));
    queues.forEach(Queue::pushRx);
    Set<Integer> used = new HashSet<>();
    for (int flow = 0; flow < 40; flow++) {
      byte[] frame = tcp(60);
      frame[34] = (byte) flow;
      Set<Integer> ofThis = new HashSet<>();
      for (int i = 0; i < 3; i++) {
        receive(frame);
        for (int q = 0; q < 4; q++) {
          if (!queues.get(q).received().isEmpty()) {
            ofThis.add(q);
          }
        }
      }
      assertEquals(1, ofThis.size());
      used.addAll(ofThis);
    }
    assertEquals(4, used.size());
  }

  @Test
  void framesOfNoPossibleLengthAreNotPassedOn() {
    Queue queue = lab.connect(1).getFirst();
    queue.lend(100);
    queue.pushRx();
    receive(new byte[0]);
    receive(new byte[13]);
    receive(new byte[Packet.MAX_BYTES + 1]);
    assertEquals(0, queue.received().size());
    assertEquals(3, lab.driver.counts().get("packets not received as no driver asked"));
  }
}
