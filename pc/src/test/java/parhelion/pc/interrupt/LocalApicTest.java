package parhelion.pc.interrupt;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import parhelion.pc.FakeBoard;

/** A local APIC, by the SDM's chapter on it. */
final class LocalApicTest {
  private static final int SVR = 0xf0;
  private static final int TPR = 0x80;
  private static final int PPR = 0xa0;
  private static final int LVT_TIMER = 0x320;

  private final FakeBoard board = new FakeBoard(4096);
  private final Wires wires = new Wires();
  private final LocalApic apic = new LocalApic(3, wires, board);

  private static final class Wires implements LocalApic.Wires {
    final List<ApicMessage> sent = new ArrayList<>();
    final List<Integer> ends = new ArrayList<>();
    final List<String> calls = new ArrayList<>();
    int priority;

    @Override
    public void changed() {}

    @Override
    public void nmi() {
      calls.add("nmi");
    }

    @Override
    public void init() {
      calls.add("init");
    }

    @Override
    public void startUp(int vector) {
      calls.add("start " + vector);
    }

    @Override
    public void send(LocalApic from, ApicMessage message) {
      sent.add(message);
    }

    @Override
    public void endOfInterrupt(int vector) {
      ends.add(vector);
    }

    @Override
    public int taskPriorityClass() {
      return priority;
    }

    @Override
    public void taskPriorityClass(int priorityClass) {
      priority = priorityClass;
    }
  }

  @BeforeEach
  void enable() {
    apic.write(SVR, 0x1ff);
  }

  @Test
  void theHighestVectorIsServedFirstAndItsClassHoldsTheOthers() {
    apic.accept(0x31, false);
    apic.accept(0x52, false);
    apic.accept(0x55, false);
    assertEquals(0x55, apic.acknowledge());
    assertEquals(0x50, apic.read(PPR));
    assertFalse(apic.hasInterrupt(), "0x52 is of the same class");
    assertEquals(1 << 0x55 - 0x40, apic.read(0x100 + 0x20));
    apic.write(LocalApic.EOI, 0);
    assertEquals(0x52, apic.acknowledge());
    apic.write(LocalApic.EOI, 0);
    assertTrue(apic.hasInterrupt());
    assertEquals(0x31, apic.acknowledge());
  }

  @Test
  void theTaskPriorityHoldsBackItsClassAndLower() {
    apic.accept(0x41, false);
    apic.write(TPR, 0x45);
    assertEquals(4, wires.priority, "CR8 is the same register");
    assertEquals(0x45, apic.read(TPR));
    assertFalse(apic.hasInterrupt());
    apic.write(TPR, 0x3f);
    assertTrue(apic.hasInterrupt());
  }

  @Test
  void onlyLevelTriggeredInterruptsAreReportedWhenServed() {
    apic.accept(0x60, true);
    assertEquals(0x60, apic.acknowledge());
    apic.accept(0x70, false);
    assertEquals(0x70, apic.acknowledge());
    apic.write(LocalApic.EOI, 0);
    assertEquals(List.of(), wires.ends);
    apic.write(LocalApic.EOI, 0);
    assertEquals(List.of(0x60), wires.ends);
  }

  @Test
  void aDisabledOneTakesNothingAndMasksItsEntries() {
    apic.write(LVT_TIMER, 0x40);
    apic.write(SVR, 0xff);
    assertEquals(0x10040, apic.read(LVT_TIMER));
    apic.accept(0x41, false);
    apic.write(SVR, 0x1ff);
    assertFalse(apic.hasInterrupt());
  }

  @Test
  void aVectorBelow16IsAnErrorWithAnInterruptOfItsOwn() {
    apic.write(0x370, 0x44);
    apic.accept(0xf, false);
    assertTrue(apic.hasInterrupt());
    assertEquals(0x44, apic.acknowledge());
    apic.write(0x280, 0);
    assertEquals(1 << 6, apic.read(0x280));
  }

  @Test
  void theTimerFiresOnceAfterItsCountTimesItsDivisor() {
    apic.write(0x3e0, 3); // by 16
    apic.write(LVT_TIMER, 0x40);
    apic.write(0x380, 100);
    board.advance(800);
    assertEquals(50, apic.read(0x390));
    assertFalse(apic.hasInterrupt());
    board.advance(800);
    assertEquals(0x40, apic.acknowledge());
    apic.write(LocalApic.EOI, 0);
    board.advance(100_000);
    assertFalse(apic.hasInterrupt());
    assertEquals(0, apic.read(0x390));
  }

  @Test
  void aPeriodicTimerFiresAgainAndAgain() {
    apic.write(0x3e0, 0xb); // by 1
    apic.write(LVT_TIMER, 0x20040);
    apic.write(0x380, 1_000_000);
    for (int i = 0; i < 3; i++) {
      board.advance(1_000_000);
      assertTrue(apic.hasInterrupt(), "period " + i);
      assertEquals(0x40, apic.acknowledge());
      apic.write(LocalApic.EOI, 0);
    }
    apic.write(0x380, 0);
    board.advance(10_000_000);
    assertFalse(apic.hasInterrupt());
  }

  @Test
  void aDeadlineFiresOnceAndOnlyInItsMode() {
    apic.deadline(500);
    assertEquals(0, apic.deadline(), "not in this mode");
    apic.write(LVT_TIMER, 0x40040);
    apic.deadline(500);
    assertEquals(500, apic.deadline());
    board.advance(499);
    assertFalse(apic.hasInterrupt());
    board.advance(1);
    assertTrue(apic.hasInterrupt());
    assertEquals(0, apic.deadline());
    apic.deadline(1);
    board.advance(1);
    apic.write(LVT_TIMER, 0x40);
    assertEquals(0, apic.deadline());
  }

  @Test
  void messagesFindTheirDestinations() {
    assertTrue(apic.isAddressed(message(3, false)));
    assertTrue(apic.isAddressed(message(0xff, false)));
    assertFalse(apic.isAddressed(message(4, false)));
    apic.write(0xd0, 0x0800_0000);
    assertTrue(apic.isAddressed(message(0x18, true)));
    assertFalse(apic.isAddressed(message(0x17, true)));
    apic.write(0xe0, 0x0fff_ffff); // clusters
    apic.write(0xd0, 0x2400_0000);
    assertTrue(apic.isAddressed(message(0x26, true)));
    assertFalse(apic.isAddressed(message(0x36, true)));
    apic.mode(true, true);
    assertTrue(apic.isAddressed(message(-1, false)));
    assertFalse(apic.isAddressed(message(0xff, false)), "a number like others here");
    assertTrue(apic.isAddressed(message(8, true)), "bit 3 of cluster 0");
    assertFalse(apic.isAddressed(message(0x1_0008, true)));
  }

  private static ApicMessage message(int destination, boolean logical) {
    return new ApicMessage(destination, logical, ApicMessage.FIXED, 0x40, false, false);
  }

  @Test
  void commandsAreSent() {
    apic.write(0x310, 7 << 24);
    apic.write(LocalApic.ICR, 0x4500);
    apic.write(LocalApic.ICR, 0x8500); // INIT level de-assert
    apic.write(LocalApic.ICR, 0x4608);
    apic.write(LocalApic.ICR, 0xc_0040);
    apic.write(LocalApic.ICR, 0x4_0041);
    assertEquals(
        List.of(
            new ApicMessage(7, false, ApicMessage.INIT, 0, false, false),
            new ApicMessage(7, false, ApicMessage.START_UP, 8, false, false),
            new ApicMessage(0xff, false, ApicMessage.FIXED, 0x40, false, true),
            new ApicMessage(3, false, ApicMessage.FIXED, 0x41, false, false)),
        wires.sent);
    for (ApicMessage message : wires.sent) {
      apic.receive(message);
    }
    assertEquals(List.of("init", "start 8"), wires.calls);
  }

  @Test
  void x2apicRegistersAreCheckedAsTheyAreWritten() {
    apic.mode(true, true);
    assertEquals(3, apic.readMsr(LocalApic.ID));
    assertEquals(8, apic.readMsr(0xd0));
    assertFalse(apic.writeMsr(LocalApic.EOI, 1));
    assertTrue(apic.writeMsr(LocalApic.EOI, 0));
    assertFalse(apic.writeMsr(LocalApic.ID, 0));
    assertFalse(apic.writeMsr(TPR, 1L << 32));
    assertTrue(apic.writeMsr(0x3f0, 0x77));
    assertEquals(0x77, apic.acknowledge(), "an interrupt to itself");
    assertTrue(apic.writeMsr(LocalApic.ICR, 0x1234_5678_0000_0041L));
    assertEquals(0x1234_5678, wires.sent.getLast().destination());
  }

  @Test
  void theLocalInterruptsBecomeWhatTheirEntriesSay() {
    assertFalse(apic.acceptsExternal());
    apic.write(LocalApic.lvtOffset(0), 0x700);
    assertTrue(apic.acceptsExternal());
    apic.write(LocalApic.lvtOffset(1), 0x400);
    apic.localInterrupt(1);
    assertEquals(List.of("nmi"), wires.calls);
    apic.write(LocalApic.lvtOffset(0), 0x33);
    apic.localInterrupt(0);
    assertEquals(0x33, apic.acknowledge());
  }
}
