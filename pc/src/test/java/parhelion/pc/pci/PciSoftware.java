package parhelion.pc.pci;

import parhelion.pc.FakeBoard;

/** What a driver does to PCI functions: by mechanism one. */
public final class PciSoftware {
  private final FakeBoard board;

  public PciSoftware(FakeBoard board) {
    this.board = board;
  }

  private void address(int slot, int function, int offset) {
    board.out(0xcf8, 4, 1 << 31 | slot << 11 | function << 8 | offset & 0xfc);
  }

  public int read(int slot, int function, int offset, int size) {
    address(slot, function, offset);
    return board.in(0xcfc + (offset & 3), size);
  }

  public void write(int slot, int function, int offset, int size, int value) {
    address(slot, function, offset);
    board.out(0xcfc + (offset & 3), size, value);
  }

  /** Offset of the capability with an id after {@code after}, 0 for the first; 0 if none is. */
  public int capability(int slot, int function, int id, int after) {
    int at = read(slot, function, after == 0 ? 0x34 : after + 1, 1);
    while (at != 0 && read(slot, function, at, 1) != id) {
      at = read(slot, function, at + 1, 1);
    }
    return at;
  }

  /** Lets a function answer at ports and in memory, and master the bus. */
  public void enable(int slot, int function) {
    write(slot, function, 4, 2, 7);
  }
}
