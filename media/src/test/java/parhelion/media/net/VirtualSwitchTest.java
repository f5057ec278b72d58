package parhelion.media.net;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import parhelion.media.net.Packet.Checksum;
import parhelion.media.net.Packet.Gso;
import parhelion.media.net.VirtualSwitch.PortOptions;

/** Who hears whom on a switch, and who waits for whom. Time and timers are the test's. */
final class VirtualSwitchTest {
  private static final PortOptions ISOLATED = new PortOptions(true, null);

  private long nanos;
  private final ArrayDeque<Runnable> stalls = new ArrayDeque<>();
  private final VirtualSwitch lan = new VirtualSwitch("lan", () -> nanos, stalls::add);

  /** A device that takes packets while it has room. */
  private static final class Device implements NetworkPort.Receiver {
    final MacAddress mac;
    final NetworkPort port;
    final List<Packet> received = new ArrayList<>();
    int room = Integer.MAX_VALUE;
    int toldOfRoom;
    Offloads offloads = Offloads.ALL;

    Device(VirtualSwitch lan, int number, PortOptions options) {
      mac = MacAddress.ofDevice(number, 0);
      port = lan.plug(options);
      port.connect(this);
    }

    @Override
    public boolean receive(Packet packet) {
      if (room == 0) {
        return false;
      }
      room--;
      received.add(packet);
      return true;
    }

    @Override
    public Offloads offloads() {
      return offloads;
    }

    @Override
    public void roomToSend() {
      toldOfRoom++;
    }

    boolean send(MacAddress to) {
      return port.send(Packet.of(Frames.plain(to, mac, 60)));
    }

    int heard() {
      int heard = received.size();
      received.clear();
      return heard;
    }
  }

  private Device device(int number) {
    return new Device(lan, number, PortOptions.PLAIN);
  }

  @Test
  void whatIsNotLearntIsFloodedAndWhatIsLearntGoesToOnePort() {
    Device a = device(1);
    Device b = device(2);
    Device c = device(3);
    assertTrue(a.send(b.mac));
    assertEquals(1, b.heard());
    assertEquals(1, c.heard());
    assertTrue(b.send(a.mac));
    assertEquals(1, a.heard());
    assertEquals(0, c.heard());
    assertTrue(a.send(b.mac));
    assertEquals(1, b.heard());
    assertEquals(0, c.heard());
    assertEquals(0, a.heard(), "nobody hears himself");
  }

  @Test
  void groupsAndAllAreHeardByAllOthers() {
    Device a = device(1);
    Device b = device(2);
    Device c = device(3);
    for (MacAddress to : List.of(MacAddress.BROADCAST, MacAddress.parse("01:00:5e:00:00:fb"))) {
      assertTrue(a.send(to));
      assertEquals(1, b.heard());
      assertEquals(1, c.heard());
      assertEquals(0, a.heard());
    }
    assertTrue(a.send(MacAddress.parse("01:80:c2:00:00:0e")), "between neighbours only");
    assertEquals(0, b.heard());
  }

  @Test
  void aDeviceOnAnotherSwitchHearsNothing() {
    Device a = device(1);
    Device b = device(2);
    Device outside = new Device(new VirtualSwitch("other"), 3, PortOptions.PLAIN);
    assertTrue(a.send(MacAddress.BROADCAST));
    assertTrue(a.send(outside.mac));
    assertEquals(2, b.heard());
    assertEquals(0, outside.heard());
  }

  @Test
  void isolatedPortsReachTheWayOutAndNotEachOther() {
    Device out = device(1);
    Device a = new Device(lan, 2, ISOLATED);
    Device b = new Device(lan, 3, ISOLATED);
    assertTrue(b.send(out.mac));
    assertTrue(a.send(MacAddress.BROADCAST));
    assertTrue(a.send(b.mac));
    assertEquals(0, b.heard());
    assertEquals(2, out.heard());
    assertTrue(out.send(a.mac));
    assertTrue(out.send(MacAddress.BROADCAST));
    assertEquals(2, a.heard());
    assertEquals(1, b.heard());
  }

  @Test
  void aGuardedPortSendsFromItsOwnAddressOnlyAndNobodyElseDoes() {
    Device guarded = new Device(lan, 1, new PortOptions(false, MacAddress.ofDevice(1, 0)));
    Device other = device(2);
    assertTrue(guarded.send(MacAddress.BROADCAST));
    assertEquals(1, other.heard());
    byte[] stolen = Frames.plain(MacAddress.BROADCAST, other.mac, 60);
    assertTrue(guarded.port.send(Packet.of(stolen)));
    assertEquals(0, other.heard());
    stolen = Frames.plain(MacAddress.BROADCAST, guarded.mac, 60);
    assertTrue(other.port.send(Packet.of(stolen)));
    assertEquals(0, guarded.heard());
    assertTrue(other.send(guarded.mac));
    assertEquals(1, guarded.heard());
    PortOptions same = new PortOptions(false, guarded.mac);
    assertThrows(IllegalArgumentException.class, () -> lan.plug(same));
    guarded.port.close();
    lan.plug(same).close();
  }

  @Test
  void addressesAreForgottenAndThereAreNeverTooManyOfThem() {
    Device a = device(1);
    Device b = device(2);
    Device c = device(3);
    assertTrue(b.send(MacAddress.BROADCAST));
    c.heard();
    nanos += VirtualSwitch.AGEING_NANOS + 1;
    assertTrue(a.send(b.mac));
    assertEquals(1, c.heard(), "flooded again");

    assertTrue(b.send(MacAddress.BROADCAST));
    a.heard();
    Random random = new Random(1);
    for (int i = 0; i < 10_000; i++) {
      byte[] frame = Frames.plain(b.mac, MacAddress.random(random), 60);
      assertTrue(a.port.send(Packet.of(frame)));
    }
    assertTrue(lan.addresses() <= 3 * VirtualSwitch.ADDRESSES_PER_PORT, "" + lan.addresses());
    c.heard();
    assertTrue(c.send(b.mac));
    assertEquals(0, a.received.size(), "b's entry has survived");
    a.port.close();
    assertTrue(lan.addresses() <= 2);
  }

  @Test
  void anAddressThatMovesIsFoundAtItsNewPort() {
    Device a = device(1);
    Device b = device(2);
    Device c = device(3);
    assertTrue(b.send(MacAddress.BROADCAST));
    assertTrue(c.port.send(Packet.of(Frames.plain(MacAddress.BROADCAST, b.mac, 60))));
    a.heard();
    b.heard();
    c.heard();
    assertTrue(a.send(b.mac));
    assertEquals(0, b.heard());
    assertEquals(1, c.heard());
  }

  private void learnAll(Device... devices) {
    for (Device each : devices) {
      assertTrue(each.send(MacAddress.BROADCAST));
    }
    for (Device each : devices) {
      each.heard();
    }
  }

  @Test
  void aReceiverWithoutRoomHoldsItsSendersBackUntilItHasRoom() {
    Device a = device(1);
    Device b = device(2);
    Device c = device(3);
    learnAll(a, b, c);
    b.room = 1;
    assertTrue(a.send(b.mac));
    assertFalse(a.send(b.mac));
    assertFalse(c.send(b.mac));
    assertTrue(a.send(c.mac), "others are not held back");
    assertTrue(a.send(MacAddress.BROADCAST), "and what goes to all never is");
    assertEquals(0, a.toldOfRoom);
    b.room = Integer.MAX_VALUE;
    b.port.roomToReceive();
    assertEquals(1, a.toldOfRoom);
    assertEquals(1, c.toldOfRoom);
    assertTrue(a.send(b.mac));
    b.port.roomToReceive();
    assertEquals(1, a.toldOfRoom, "told once");
  }

  @Test
  void aReceiverThatTakesNothingForLongIsNotWaitedForUntilItTakesAgain() {
    Device a = device(1);
    Device b = device(2);
    learnAll(a, b);
    b.room = 0;
    for (int i = 0; i < 100; i++) {
      assertFalse(a.send(b.mac));
    }
    assertEquals(1, stalls.size(), "one timer, however often the sender asks");
    stalls.remove().run();
    assertEquals(1, a.toldOfRoom);
    long before = lan.dropped();
    assertTrue(a.send(b.mac));
    assertEquals(before + 1, lan.dropped());
    b.room = 1;
    assertTrue(a.send(b.mac));
    assertEquals(1, b.heard());
    assertFalse(a.send(b.mac), "it is waited for again");
  }

  @Test
  void aReceiverThatTakesAFewIsWaitedFor() {
    Device a = device(1);
    Device b = device(2);
    learnAll(a, b);
    b.room = 0;
    assertFalse(a.send(b.mac));
    b.port.roomToReceive();
    assertFalse(a.send(b.mac));
    stalls.remove().run();
    assertEquals(1, a.toldOfRoom, "only of the room that there was");
    assertFalse(a.send(b.mac));
    stalls.remove().run();
    assertTrue(a.send(b.mac), "dropped");
  }

  @Test
  void whoWaitsForADeviceThatIsUnpluggedIsToldAndGoesOn() {
    Device a = device(1);
    Device b = device(2);
    learnAll(a, b);
    b.room = 0;
    assertFalse(a.send(b.mac));
    b.port.close();
    assertEquals(1, a.toldOfRoom);
    assertTrue(a.send(b.mac));
    lan.close();
    assertTrue(a.send(b.mac));
  }

  @Test
  void aDeviceThatTakesOnlyFinishedFramesGetsThem() {
    Device a = device(1);
    Device b = device(2);
    learnAll(a, b);
    b.offloads = Offloads.NONE;
    byte[] frame = Frames.tcp(new Random(3), false, false, false, 5000);
    System.arraycopy(Frames.plain(b.mac, a.mac, 14), 0, frame, 0, 12);
    assertTrue(SoftwareOffload.blank(frame));
    Packet large = new Packet(frame, Checksum.BLANK, Gso.TCPV4, 1000);
    assertTrue(a.port.send(large));
    assertEquals(5, b.received.size());
    assertTrue(b.received.stream().allMatch(p -> p.checksum() == Checksum.VALID));
    b.room = 3;
    assertTrue(a.port.send(large), "a part of it has gone");
    assertFalse(a.port.send(large));
  }

  @Test
  void nonsenseIsDropped() {
    Device a = device(1);
    Device b = device(2);
    for (int length = 0; length < 14; length++) {
      assertTrue(a.port.send(Packet.of(new byte[length])));
    }
    byte[] fromAll = Frames.plain(b.mac, MacAddress.BROADCAST, 60);
    assertTrue(a.port.send(Packet.of(fromAll)));
    assertEquals(0, b.heard());
    assertTrue(a.send(a.mac));
    assertEquals(0, b.heard(), "for where it came from");
    assertEquals(0, a.heard());
  }

  @Test
  void aCableJoinsTwoSwitches() {
    VirtualSwitch other = new VirtualSwitch("other");
    Device a = device(1);
    Device b = new Device(other, 2, PortOptions.PLAIN);
    try (Cable cable = Cable.between(lan.plug(PortOptions.PLAIN), other.plug(PortOptions.PLAIN))) {
      assertTrue(a.send(b.mac));
      assertTrue(b.send(a.mac));
      assertEquals(1, a.heard());
      assertEquals(1, b.heard());
      b.room = 0;
      assertFalse(a.send(b.mac));
      b.room = 1;
      b.port.roomToReceive();
      assertEquals(1, a.toldOfRoom);
    }
    assertTrue(a.send(b.mac));
    assertEquals(0, b.heard());
  }
}
