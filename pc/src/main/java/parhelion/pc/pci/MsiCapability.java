package parhelion.pc.pci;

import parhelion.pc.Board;

/** Message-signalled interrupts, one vector with a 64-bit address (PCI 3.0, section 6.8.1). */
final class MsiCapability {
  private static final int ID = 0x05;
  private static final int CONTROL = 2;
  private static final int ADDRESS = 4;
  private static final int DATA = 12;
  private static final int ENABLE = 1;
  private static final int WIDE = 1 << 7;

  private final PciFunction function;
  private final Board board;
  private final int at;

  MsiCapability(PciFunction function, Board board) {
    this.function = function;
    this.board = board;
    at = function.capability(ID, new byte[12]);
    function.set(at + CONTROL, 2, WIDE);
    function.writable(at + CONTROL, 2, ENABLE);
    function.writable(at + ADDRESS, 4, ~3);
    function.writable(at + ADDRESS + 4, 4, -1);
    function.writable(at + DATA, 2, 0xffff);
    function.onWrite(at + CONTROL, 2, function::updateWire);
  }

  boolean isEnabled() {
    return (function.get(at + CONTROL, 2) & ENABLE) != 0;
  }

  void send() {
    if (function.isBusMaster()) {
      long low = Integer.toUnsignedLong(function.get(at + ADDRESS, 4));
      long high = (long) function.get(at + ADDRESS + 4, 4) << 32;
      board.message(high | low, function.get(at + DATA, 2));
    }
  }
}
