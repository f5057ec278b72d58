package parhelion.pc.pci;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;
import parhelion.pc.FakeBoard;
import parhelion.pc.Registers;

/** The bus as PCI 3.0 describes it to software. */
final class PciTest {
  private final FakeBoard board = new FakeBoard(1 << 20);
  private final PirqRouter router = new PirqRouter(board);
  private int resets;
  private final PciBus bus = new PciBus(board, router, () -> resets++);
  private final PciSoftware pci = new PciSoftware(board);
  private final PciFunction card =
      new PciFunction(board, "card", PciIdentity.of(0x1234, 0x5678, 3, 0x020000));

  /** Registers that answer with their offset. */
  private static final Registers OFFSETS =
      new Registers() {
        @Override
        public long read(long offset, int size) {
          return offset;
        }

        @Override
        public void write(long offset, int size, long value) {
          // Nothing to be set.
        }
      };

  @Test
  void anEmptySlotReadsAsOnesAndAFunctionAsItself() {
    bus.plug(3, 0, card);
    assertEquals(-1, pci.read(4, 0, 0, 4));
    assertEquals(0x5678_1234, pci.read(3, 0, 0, 4));
    assertEquals(0x5678, pci.read(3, 0, 2, 2));
    assertEquals(0x0200_0003, pci.read(3, 0, 8, 4));
    assertEquals(0x1100_1af4, pci.read(3, 0, 0x2c, 4));
    board.out(0xcf8, 4, 3 << 11);
    assertEquals(-1, board.in(0xcfc, 4), "without the enable bit nothing answers");
    board.out(0xcf8, 4, 1 << 31 | 1 << 16 | 3 << 11);
    assertEquals(-1, board.in(0xcfc, 4), "there is no bus 1");
  }

  @Test
  void readOnlyRegistersTakeNoWrite() {
    bus.plug(3, 0, card);
    pci.write(3, 0, 0, 4, 0);
    pci.write(3, 0, 8, 4, 0);
    pci.write(3, 0, 0x3c, 1, 11);
    assertEquals(0x5678_1234, pci.read(3, 0, 0, 4));
    assertEquals(0x0200_0003, pci.read(3, 0, 8, 4));
    assertEquals(11, pci.read(3, 0, 0x3c, 1));
  }

  @Test
  void baseAddressesTellTheirSizeAndMove() {
    card.ports(0, 32, "card ports", OFFSETS);
    card.memory(1, 0x2000, "card memory", OFFSETS);
    card.memory64(2, 0x10000, "card far memory", OFFSETS);
    bus.plug(3, 0, card);
    for (int bar = 0x10; bar < 0x28; bar += 4) {
      pci.write(3, 0, bar, 4, -1);
    }
    assertEquals(~31 | 1, pci.read(3, 0, 0x10, 4));
    assertEquals(-0x2000, pci.read(3, 0, 0x14, 4));
    assertEquals(-0x10000 | 0xc, pci.read(3, 0, 0x18, 4));
    assertEquals(-1, pci.read(3, 0, 0x1c, 4));
    assertEquals(0, pci.read(3, 0, 0x20, 4), "there is no such base address");
    pci.write(3, 0, 0x10, 4, 0xc020);
    pci.write(3, 0, 0x14, 4, 0xe000_2000);
    pci.write(3, 0, 0x18, 4, 0);
    pci.write(3, 0, 0x1c, 4, 0x40);
    assertNull(board.deviceAt(0xc020), "not before the command register says so");
    pci.write(3, 0, 4, 2, 1);
    assertEquals(4, board.in(0xc024, 4));
    assertNull(board.deviceInMemory(0xe000_2000L));
    pci.write(3, 0, 4, 2, 3);
    assertEquals(0x1ff0, board.load(0xe000_3ff0L, 4));
    assertEquals(0xfff0, board.load(0x40_0000_fff0L, 4));
    pci.write(3, 0, 0x10, 4, 0xd000);
    assertNull(board.deviceAt(0xc020));
    assertEquals(4, board.in(0xd004, 4));
    pci.write(3, 0, 4, 2, 0);
    assertNull(board.deviceAt(0xd000));
  }

  @Test
  void aRangeThatWouldReachBeyondItsSpaceAnswersNowhere() {
    card.ports(0, 32, "card ports", OFFSETS);
    card.memory64(2, 0x10000, "card far memory", OFFSETS);
    bus.plug(3, 0, card);
    pci.enable(3, 0);
    pci.write(3, 0, 0x10, 4, 0x1_0000);
    pci.write(3, 0, 0x18, 4, -1);
    pci.write(3, 0, 0x1c, 4, -1);
    assertNull(board.deviceAt(0));
    assertNull(board.deviceInMemory(-0x10000L));
  }

  @Test
  void anExpansionRomIsReadOnceItIsEnabled() {
    card.rom(new byte[] {0x55, (byte) 0xaa, 1});
    bus.plug(3, 0, card);
    pci.write(3, 0, 0x30, 4, -2);
    assertEquals(-4096, pci.read(3, 0, 0x30, 4));
    pci.write(3, 0, 4, 2, 2);
    pci.write(3, 0, 0x30, 4, 0xf000_0000);
    assertNull(board.deviceInMemory(0xf000_0000L));
    pci.write(3, 0, 0x30, 4, 0xf000_0001);
    board.store(0xf000_0000L, 4, 0);
    assertEquals(0xff01_aa55L, board.load(0xf000_0000L, 4));
  }

  @Test
  void aPinReachesTheIoApicAndTheIsaInterruptOfItsRoute() {
    bus.plug(1, 0, Bridges.isa(board, router));
    card.interruptPin(1);
    bus.plug(3, 0, card);
    PciFunction other = new PciFunction(board, "other", PciIdentity.of(1, 2, 0, 0));
    other.interruptPin(3);
    bus.plug(5, 0, other);
    assertEquals(0x80, pci.read(1, 0, 0x62, 1), "PIRQC has no route at first");
    card.intx(true);
    assertTrue(board.isRaised(16 + 2));
    assertFalse(board.isRaised(11));
    pci.write(1, 0, 0x62, 1, 11);
    assertTrue(board.isRaised(11));
    other.intx(true);
    card.intx(false);
    assertTrue(board.isRaised(11), "the other one pulls at the same wire");
    other.intx(false);
    assertFalse(board.isRaised(11));
    assertFalse(board.isRaised(18));
  }

  @Test
  void theCommandRegisterDisablesAPinAndStatusStillTells() {
    card.interruptPin(1);
    bus.plug(3, 0, card);
    card.intx(true);
    assertEquals(8, pci.read(3, 0, 6, 2) & 8);
    pci.write(3, 0, 4, 2, 0x400);
    assertFalse(board.isRaised(18));
    assertEquals(8, pci.read(3, 0, 6, 2) & 8);
    pci.write(3, 0, 4, 2, 0);
    assertTrue(board.isRaised(18));
  }

  @Test
  void messageInterruptsAreSentOnceEachAndTheWireStaysDown() {
    card.interruptPin(1);
    card.msi();
    bus.plug(3, 0, card);
    int at = pci.capability(3, 0, 5, 0);
    pci.write(3, 0, 4, 2, 4);
    pci.write(3, 0, at + 4, 4, 0xfee0_1000);
    pci.write(3, 0, at + 12, 2, 0x4041);
    pci.write(3, 0, at + 2, 2, 1);
    card.interrupt(true);
    card.interrupt(true);
    card.interrupt(false);
    card.interrupt(true);
    assertEquals(0, board.rises(18));
    FakeBoard.Message message = new FakeBoard.Message(0xfee0_1000L, 0x4041);
    assertEquals(List.of(message, message), board.messages);
  }

  @Test
  void aMaskedVectorWaitsForItsMaskToGo() {
    MsixCapability msix = card.msix(1, 3);
    bus.plug(3, 0, card);
    int at = pci.capability(3, 0, 0x11, 0);
    assertEquals(2, pci.read(3, 0, at + 2, 2));
    assertEquals(1, pci.read(3, 0, at + 4, 4));
    long table = 0xe000_0000L;
    pci.write(3, 0, 0x14, 4, (int) table);
    pci.enable(3, 0);
    pci.write(3, 0, at + 2, 2, 0x8000);
    board.store(table + 16, 4, 0xfee0_0000L);
    board.store(table + 24, 4, 0x55);
    msix.send(1);
    msix.send(7);
    assertEquals(List.of(), board.messages);
    assertEquals(2, board.load(table + 2048, 4));
    board.store(table + 28, 4, 0);
    assertEquals(List.of(new FakeBoard.Message(0xfee0_0000L, 0x55)), board.messages);
    assertEquals(0, board.load(table + 2048, 4));
    pci.write(3, 0, at + 2, 2, 0xc000);
    msix.send(1);
    pci.write(3, 0, at + 2, 2, 0x8000);
    assertEquals(2, board.messages.size());
  }

  @Test
  void memoryIsOutOfReachUntilTheGuestAllowsBusMastering() {
    bus.plug(3, 0, card);
    byte[] data = new byte[4];
    assertFalse(card.dma().read(0, data, 0, 4));
    assertNull(card.dma().view(0, 4));
    pci.write(3, 0, 4, 2, 4);
    assertTrue(card.dma().read(0, data, 0, 4));
    assertFalse(card.dma().read(-1, data, 0, 4));
  }

  @Test
  void aResetPutsEverythingBack() {
    card.ports(0, 32, "card ports", OFFSETS);
    card.interruptPin(1);
    bus.plug(3, 0, card);
    PciFunction second = new PciFunction(board, "second", PciIdentity.of(1, 2, 0, 0));
    bus.plug(3, 1, second);
    pci.write(3, 0, 0x10, 4, 0xc000);
    pci.enable(3, 0);
    card.intx(true);
    bus.reset();
    assertNull(board.deviceAt(0xc000));
    assertFalse(board.isRaised(18));
    assertEquals(0, pci.read(3, 0, 4, 2));
    assertEquals(1, pci.read(3, 0, 0x10, 4));
    assertEquals(0x80, pci.read(3, 0, 0xe, 1), "it still has two functions");
  }

  @Test
  void theResetControlRegisterResetsTheMachineOnItsRisingBit() {
    board.out(0xcf9, 1, 2);
    assertEquals(0, resets);
    board.out(0xcf9, 1, 6);
    assertEquals(1, resets);
    assertEquals(0, board.in(0xcf8, 4), "that was no access to the address register");
  }

  @Test
  void addressesAreAssignedWithoutOverlapForMachinesWithoutFirmware() {
    card.ports(0, 32, "a", OFFSETS);
    card.memory(1, 0x1000, "b", OFFSETS);
    PciFunction second = new PciFunction(board, "second", PciIdentity.of(1, 2, 0, 0));
    second.ports(0, 64, "c", OFFSETS);
    second.memory64(2, 1 << 24, "d", OFFSETS);
    bus.plug(2, 0, card);
    bus.plug(3, 0, second);
    bus.assignAddresses(new int[] {10, 10, 11, 11});
    assertEquals("a", board.deviceAt(0xc000));
    assertEquals("c", board.deviceAt(0xc040));
    assertEquals("b", board.deviceInMemory(0xe000_0000L));
    assertEquals("d", board.deviceInMemory(0xe100_0000L));
    assertFalse(card.isBusMaster());
  }

  @Test
  void theHostBridgeIsTheOneThatFirmwareKnows() {
    List<Integer> told = new java.util.ArrayList<>();
    PciFunction host = Bridges.host(board, told::add);
    bus.plug(0, 0, host);
    assertEquals(0x1237_8086, pci.read(0, 0, 0, 4));
    assertEquals(0x1100_1af4, pci.read(0, 0, 0x2c, 4));
    pci.write(0, 0, 0x5a, 1, 0xff);
    assertEquals(0x33, pci.read(0, 0, 0x5a, 1));
    assertEquals(List.of(1), told);
  }
}
