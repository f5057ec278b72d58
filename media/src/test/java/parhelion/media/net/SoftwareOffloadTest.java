package parhelion.media.net;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import parhelion.media.net.Packet.Checksum;
import parhelion.media.net.Packet.Gso;

/** Checksums and segmentation in software, held against a plain reading of the RFCs. */
final class SoftwareOffloadTest {
  private static final int FIN = 1;
  private static final int PSH = 8;
  private static final int CWR = 0x80;

  private final Random random = new Random(20261127);

  private static Packet only(List<Packet> packets) {
    assertEquals(1, packets.size());
    return packets.getFirst();
  }

  private byte[] blankTcp(boolean v6, boolean vlan, boolean extensions, int payload) {
    byte[] frame = Frames.tcp(random, v6, vlan, extensions, payload);
    assertTrue(SoftwareOffload.blank(frame));
    return frame;
  }

  @Test
  void blankChecksumsAreFilledInForAllKindsOfPackets() {
    for (int i = 0; i < 400; i++) {
      boolean v6 = random.nextBoolean();
      boolean vlan = random.nextBoolean();
      boolean more = random.nextBoolean();
      byte[] frame = blankTcp(v6, vlan, more, random.nextInt(2000));
      byte[] before = frame.clone();
      Packet blank = new Packet(frame, Checksum.BLANK, Gso.NONE, 0);
      Packet filled = only(SoftwareOffload.complete(blank, Offloads.NONE));
      assertEquals(Checksum.VALID, filled.checksum());
      int ip = vlan ? 18 : 14;
      int transport = ip + (v6 ? 40 : 20) + (more ? 8 : 0);
      assertEquals(0xffff, Frames.check(filled.bytes(), v6, ip, transport, 6));
      assertArrayEquals(before, frame, "a sent packet is not changed");
      byte[] rest = filled.bytes().clone();
      System.arraycopy(before, transport + 16, rest, transport + 16, 2);
      assertArrayEquals(before, rest, "only the checksum differs");
    }
  }

  @Test
  void aBlankChecksumHoldsThePseudoHeadersSumAsAHardwareWantsIt() {
    for (boolean v6 : new boolean[] {false, true}) {
      byte[] frame = blankTcp(v6, false, false, 501);
      int transport = 14 + (v6 ? 40 : 20);
      // What a card does: sum all from the transport's header on, as it stands.
      int sum = ~Frames.sum(frame, transport, frame.length - transport, 0) & 0xffff;
      Frames.put(frame, transport + 16, 2, sum);
      assertEquals(0xffff, Frames.check(frame, v6, 14, transport, 6));
    }
  }

  @Test
  void aDatagramsChecksumIsNeverZero() {
    byte[] frame = Frames.udp(random, 2);
    // The last word is chosen so that the checksum would come out as 0, which means none.
    Frames.put(frame, 40, 2, 0);
    Frames.put(frame, 42, 2, 0);
    int sum = Frames.check(frame, false, 14, 34, 17);
    Frames.put(frame, 42, 2, ~sum & 0xffff);
    Packet blank = new Packet(frame, Checksum.BLANK, Gso.NONE, 0);
    byte[] filled = only(SoftwareOffload.complete(blank, Offloads.NONE)).bytes();
    assertEquals(0xffff, Frames.get(filled, 40, 2));
  }

  @Test
  void largePacketsAreCutIntoSegmentsThatAddUpToThem() {
    for (int i = 0; i < 200; i++) {
      boolean v6 = random.nextBoolean();
      boolean vlan = random.nextBoolean();
      boolean more = random.nextBoolean();
      int payload = 1 + random.nextInt(60_000);
      int mss = SoftwareOffload.MIN_GSO_BYTES + random.nextInt(9000);
      byte[] whole = blankTcp(v6, vlan, more, payload);
      checkSegments(whole, v6, vlan, more, mss);
    }
  }

  private static void checkSegments(byte[] whole, boolean v6, boolean vlan, boolean more, int mss) {
    int ip = vlan ? 18 : 14;
    int ipHeader = (v6 ? 40 : 20) + (more ? 8 : 0);
    int transport = ip + ipHeader;
    int data = transport + 32;
    Packet large = new Packet(whole, Checksum.BLANK, v6 ? Gso.TCPV6 : Gso.TCPV4, mss);
    List<Packet> segments = SoftwareOffload.complete(large, Offloads.NONE);
    assertEquals((whole.length - data + mss - 1) / mss, segments.size());
    ByteArrayOutputStream joined = new ByteArrayOutputStream();
    for (int n = 0; n < segments.size(); n++) {
      Packet segment = segments.get(n);
      byte[] b = segment.bytes();
      boolean last = n == segments.size() - 1;
      assertEquals(Checksum.VALID, segment.checksum());
      assertEquals(Gso.NONE, segment.gso());
      assertEquals(last ? (whole.length - data - 1) % mss + 1 : mss, b.length - data);
      assertEquals(0xffff, Frames.check(b, v6, ip, transport, 6));
      int seq = (int) Frames.get(whole, transport + 4, 4) + n * mss;
      assertEquals(seq, (int) Frames.get(b, transport + 4, 4));
      int flags = whole[transport + 13];
      flags &= last ? -1 : ~(FIN | PSH);
      flags &= n == 0 ? -1 : ~CWR;
      assertEquals((byte) flags, b[transport + 13]);
      if (v6) {
        assertEquals(b.length - ip - 40, Frames.get(b, ip + 4, 2));
      } else {
        assertEquals(b.length - ip, Frames.get(b, ip + 2, 2));
        assertEquals((int) Frames.get(whole, ip + 4, 2) + n & 0xffff, Frames.get(b, ip + 4, 2));
        assertEquals(0xffff, Frames.sum(b, ip, ipHeader, 0), "the IP header's own");
      }
      joined.write(b, data, b.length - data);
    }
    assertArrayEquals(Arrays.copyOfRange(whole, data, whole.length), joined.toByteArray());
  }

  @Test
  void whatTheReceiverTakesIsLeftAsItIs() {
    byte[] v4 = blankTcp(false, false, false, 5000);
    byte[] v6 = blankTcp(true, false, false, 5000);
    Packet largeV4 = new Packet(v4, Checksum.BLANK, Gso.TCPV4, 1000);
    Packet largeV6 = new Packet(v6, Checksum.BLANK, Gso.TCPV6, 1000);
    Packet blank = new Packet(v4, Checksum.BLANK, Gso.NONE, 0);
    for (Packet each : List.of(largeV4, largeV6, blank, Packet.of(v4))) {
      assertSame(each, only(SoftwareOffload.complete(each, Offloads.ALL)));
    }
    Offloads some = new Offloads(true, true, false);
    assertSame(largeV4, only(SoftwareOffload.complete(largeV4, some)));
    assertEquals(5, SoftwareOffload.complete(largeV6, some).size());
    Packet finished = new Packet(new byte[60], Checksum.UNKNOWN, Gso.NONE, 0);
    assertSame(finished, only(SoftwareOffload.complete(finished, Offloads.NONE)));
  }

  @Test
  void paddingBehindAPacketIsNoPartOfIt() {
    byte[] frame = blankTcp(false, false, false, 3);
    byte[] padded = Arrays.copyOf(frame, frame.length + 11);
    Arrays.fill(padded, frame.length, padded.length, (byte) 0x5a);
    Packet blank = new Packet(padded, Checksum.BLANK, Gso.NONE, 0);
    byte[] filled = only(SoftwareOffload.complete(blank, Offloads.NONE)).bytes();
    assertEquals(0xffff, Frames.check(filled, false, 14, 34, 6));
  }

  @Test
  void packetsThatAreNotWhatTheyClaimAreNotSoundAndComeToNothing() {
    byte[] v4 = blankTcp(false, false, false, 5000);
    byte[] fragment = v4.clone();
    Frames.put(fragment, 20, 2, 0x2000);
    byte[] icmp = v4.clone();
    icmp[23] = 1;
    byte[] longer = v4.clone();
    Frames.put(longer, 16, 2, v4.length);
    byte[] headless = v4.clone();
    headless[46] = (byte) 0x40;
    List<Packet> unsound =
        List.of(
            new Packet(new byte[14], Checksum.BLANK, Gso.NONE, 0),
            new Packet(fragment, Checksum.BLANK, Gso.NONE, 0),
            new Packet(icmp, Checksum.BLANK, Gso.NONE, 0),
            new Packet(longer, Checksum.BLANK, Gso.NONE, 0),
            new Packet(headless, Checksum.BLANK, Gso.TCPV4, 1000),
            new Packet(v4, Checksum.BLANK, Gso.TCPV6, 1000),
            new Packet(v4, Checksum.BLANK, Gso.TCPV4, 1),
            new Packet(Frames.udp(random, 3000), Checksum.BLANK, Gso.TCPV4, 1000));
    for (Packet packet : unsound) {
      assertFalse(SoftwareOffload.isSound(packet), packet::toString);
      assertEquals(List.of(), SoftwareOffload.complete(packet, Offloads.NONE));
    }
    assertFalse(SoftwareOffload.blank(icmp));
  }

  @Test
  void noFrameHoweverBrokenBringsDownWhoCompletesIt() {
    for (int i = 0; i < 30_000; i++) {
      byte[] frame =
          Frames.tcp(
              random,
              random.nextBoolean(),
              random.nextBoolean(),
              random.nextBoolean(),
              random.nextInt(200));
      for (int change = random.nextInt(6); change > 0; change--) {
        frame[12 + random.nextInt(50)] = (byte) random.nextInt();
      }
      frame = Arrays.copyOf(frame, random.nextInt(frame.length + 1));
      Gso gso = Gso.values()[random.nextInt(3)];
      Packet packet = new Packet(frame, Checksum.BLANK, gso, random.nextInt(300));
      List<Packet> completed = SoftwareOffload.complete(packet, Offloads.NONE);
      assertEquals(SoftwareOffload.isSound(packet), !completed.isEmpty());
      int unused = packet.flowHash();
    }
  }

  @Test
  void packetsOfOneFlowHaveOneHashAndFlowsSpread() {
    byte[] one = Frames.tcp(random, false, false, false, 100);
    byte[] another = one.clone();
    another[60] ^= 1;
    assertEquals(Packet.of(one).flowHash(), Packet.of(another).flowHash());
    int[] hits = new int[4];
    for (int i = 0; i < 400; i++) {
      another[35] = (byte) random.nextInt();
      another[34] = (byte) random.nextInt();
      hits[Math.floorMod(Packet.of(another).flowHash(), 4)]++;
    }
    assertNotEquals(0, Arrays.stream(hits).min().orElseThrow(), Arrays.toString(hits));
  }
}
