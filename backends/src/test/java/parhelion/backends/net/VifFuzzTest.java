package parhelion.backends.net;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import parhelion.abi.Bytes;
import parhelion.abi.XenbusState;
import parhelion.backends.net.VifLab.Queue;
import parhelion.media.net.Packet;
import parhelion.media.net.Packet.Checksum;
import parhelion.media.net.Packet.Gso;

/**
 * Random requests, from nearly right to anything: the device answers, drops or is turned off with a
 * reason, and nothing else happens.
 */
final class VifFuzzTest {
  private static final int ROUNDS = 400;

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
  void noGuestHoweverHostileBringsDownTheBackend(long seed) {
    Random random = new Random(seed);
    int turnedOff = 0;
    int sent = 0;
    for (int round = 0; round < ROUNDS; round++) {
      VifLab lab = new VifLab();
      List<Queue> queues = lab.connect(1 + random.nextInt(2));
      for (int i = 0; i < 20; i++) {
        lab.grant(new byte[VifLab.PAGE]);
      }
      for (int step = 0; step < 20 && lab.device.state() == XenbusState.CONNECTED; step++) {
        step(random, lab, queues.get(random.nextInt(queues.size())));
        lab.run();
      }
      for (Packet packet : lab.network.sent) {
        int length = packet.bytes().length;
        assertTrue(length >= Packet.MIN_BYTES && length <= 65535, "length " + length);
      }
      sent += lab.network.sent.size();
      if (lab.device.state() != XenbusState.CONNECTED) {
        turnedOff++;
        assertEquals(XenbusState.CLOSING, lab.device.state());
        assertTrue(lab.error().startsWith("vif 0 of domain 7 was turned off: "), lab::error);
      }
      lab.device.remove();
      lab.run();
      assertEquals(0, lab.mapped);
      assertEquals(0, lab.bound);
    }
    assertTrue(sent > ROUNDS, "some get through: " + sent);
    assertTrue(turnedOff > ROUNDS / 10, "and some are turned off: " + turnedOff);
  }

  private static void step(Random random, VifLab lab, Queue queue) {
    switch (random.nextInt(6)) {
      case 0, 1, 2 -> {
        for (int i = random.nextInt(8); i >= 0; i--) {
          request(random, queue);
        }
        queue.pushTx();
      }
      case 3 -> {
        queue.lend(random.nextInt(200));
        queue.lent[random.nextInt(256)] = random.nextInt();
        queue.pushRx();
      }
      case 4 -> receive(random, lab);
      default -> {
        if (random.nextInt(10) == 0) { // anything anywhere
          byte[] ring = random.nextBoolean() ? queue.txRing() : queue.rxRing();
          for (int i = 0; i < 20; i++) {
            Bytes.of(ring).putInt(random.nextInt(VifLab.PAGE / 4) * 4, random.nextInt());
          }
          lab.channels.get(queue.txPort).run();
        } else {
          lab.network.room = random.nextInt(5);
          lab.network.device().roomToSend();
        }
      }
    }
  }

  private static void request(Random random, Queue queue) {
    boolean tame = random.nextInt(20) != 0;
    if (random.nextInt(8) == 0) {
      queue.extra(
          tame ? 1 + random.nextInt(4) : random.nextInt(256),
          random.nextInt(3) == 0,
          tame ? 1 + random.nextInt(2) : random.nextInt(256),
          random.nextInt(3000));
      return;
    }
    long ref = tame ? 8 + random.nextInt(30) : random.nextInt() & 0xffff_ffffL;
    int offset = tame ? random.nextInt(2000) : random.nextInt(0x10000);
    int size = tame ? random.nextInt(2000) : random.nextInt(0x10000);
    int flags = random.nextInt(4) == 0 ? random.nextInt(16) : random.nextInt(4) == 0 ? 4 : 0;
    queue.request(ref, offset, tame && random.nextInt(3) > 0 ? 0 : flags, size);
  }

  private static void receive(Random random, VifLab lab) {
    byte[] frame = new byte[random.nextInt(random.nextBoolean() ? 2000 : 66_000)];
    random.nextBytes(frame);
    Gso gso = Gso.values()[random.nextInt(3)];
    Checksum checksum = Checksum.values()[random.nextInt(3)];
    boolean unused =
        lab.network.device().receive(new Packet(frame, checksum, gso, random.nextInt(3000)));
  }
}
