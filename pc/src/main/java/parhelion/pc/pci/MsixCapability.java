package parhelion.pc.pci;

import parhelion.pc.Board;
import parhelion.pc.Registers;

/**
 * MSI-X: a table of vectors, each with an address, data and a mask, and the bits of those that wait
 * for their mask to go (PCI 3.0, section 6.8.2). Table and bits share a page.
 */
public final class MsixCapability implements Registers {
  /** A vector that drivers set where they want none. */
  public static final int NO_VECTOR = 0xffff;

  private static final int ID = 0x11;
  private static final int CONTROL = 2;
  private static final int ENABLE = 1 << 15;
  private static final int MASK_ALL = 1 << 14;
  private static final int ENTRY_BYTES = 16;
  private static final int PENDING_OFFSET = 2048;
  private static final int MAX_VECTORS = 64;
  private static final int PAGE_BYTES = 4096;

  private final PciFunction function;
  private final Board board;
  private final int at;

  /** Words of the table, four to an entry: address, its upper half, data, mask. */
  private final int[] table;

  private long pending;

  MsixCapability(PciFunction function, Board board, int barIndex, int vectors) {
    if (vectors < 1 || vectors > MAX_VECTORS) {
      throw new IllegalArgumentException(vectors + " vectors");
    }
    this.function = function;
    this.board = board;
    table = new int[4 * vectors];
    at = function.capability(ID, new byte[10]);
    function.set(at + CONTROL, 2, vectors - 1);
    function.set(at + 4, 4, barIndex);
    function.set(at + 8, 4, PENDING_OFFSET | barIndex);
    function.writable(at + CONTROL, 2, ENABLE | MASK_ALL);
    function.onWrite(at + CONTROL, 2, this::controlChanged);
    function.memory(barIndex, PAGE_BYTES, function.name() + " MSI-X", this);
    function.onReset(this::reset);
    reset();
  }

  private void reset() {
    pending = 0;
    for (int i = 0; i < table.length; i++) {
      table[i] = i % 4 == 3 ? 1 : 0;
    }
  }

  /** How many vectors there are. */
  public int vectors() {
    return table.length / 4;
  }

  /** Whether the guest has chosen these interrupts over the wire. */
  public boolean isEnabled() {
    return (function.get(at + CONTROL, 2) & ENABLE) != 0;
  }

  /** Sends a vector's message, or keeps it while it is masked. */
  public void send(int vector) {
    if (vector < 0 || vector >= vectors()) {
      return;
    }
    boolean maskedAll = (function.get(at + CONTROL, 2) & MASK_ALL) != 0;
    if (maskedAll || (table[4 * vector + 3] & 1) != 0) {
      pending |= 1L << vector;
      return;
    }
    pending &= ~(1L << vector);
    if (function.isBusMaster()) {
      long address = Integer.toUnsignedLong(table[4 * vector]) | (long) table[4 * vector + 1] << 32;
      board.message(address, table[4 * vector + 2]);
    }
  }

  private void controlChanged() {
    function.updateWire();
    if (isEnabled()) {
      for (int vector = 0; vector < vectors(); vector++) {
        resend(vector);
      }
    }
  }

  private void resend(int vector) {
    if ((pending >>> vector & 1) != 0) {
      send(vector);
    }
  }

  @Override
  public long read(long offset, int size) {
    if (size == 8) {
      return Integer.toUnsignedLong(word(offset)) | (long) word(offset + 4) << 32;
    }
    return Integer.toUnsignedLong(word(offset) >>> 8 * (int) (offset & 3));
  }

  private int word(long offset) {
    if (offset >= PENDING_OFFSET) {
      long index = offset - PENDING_OFFSET;
      return index < 4 ? (int) pending : index < 8 ? (int) (pending >>> 32) : 0;
    }
    int index = (int) (offset >> 2);
    return index < table.length ? table[index] : 0;
  }

  /** Only whole words are written, as the specification asks of software. */
  @Override
  public void write(long offset, int size, long value) {
    if (size < 4 || offset + size > (long) vectors() * ENTRY_BYTES) {
      return;
    }
    int index = (int) (offset >> 2);
    table[index] = (int) value;
    if (size == 8 && index + 1 < table.length) {
      table[index + 1] = (int) (value >>> 32);
    }
    if (isEnabled()) {
      resend(index / 4);
    }
  }
}
