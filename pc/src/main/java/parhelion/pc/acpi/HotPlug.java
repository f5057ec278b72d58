package parhelion.pc.acpi;

import java.util.function.IntConsumer;
import parhelion.pc.Board;
import parhelion.pc.Registers;

/**
 * Hot plug of PCI cards by ACPI (ACPI 6.4, 5.6.6 and 6.3): general-purpose event 1 has the
 * operating system run a method of the DSDT's, which asks the registers here what has come to which
 * slots, and what is to go; and a card goes when the slot's ejection method is run. On the
 * machine's thread.
 */
public final class HotPlug implements Registers {
  /** Three registers of 32 bits, a bit for each slot: come, to go, let go. */
  public static final int PORT = 0x630;

  static final int PORTS = 12;
  static final int GO = 4;
  static final int EJECT = 8;

  /** The event. */
  static final int EVENT = 1;

  /** Slots that cards can come to and go from: those before them have the board's own devices. */
  public static final int FIRST_SLOT = 3;

  private final PowerManagement power;
  private final IntConsumer eject;
  private int come;
  private int toGo;

  /**
   * Places the registers.
   *
   * @param eject is told of each slot whose card software has let go of
   */
  public HotPlug(Board board, PowerManagement power, IntConsumer eject) {
    this.power = power;
    this.eject = eject;
    Board.Mapping unused = board.mapPorts(PORT, PORTS, "PCI hot plug", this);
  }

  /** A card has come to a slot, or has gone without being let go of. */
  public void changed(int slot) {
    come |= 1 << slot;
    power.raise(EVENT);
  }

  /** Asks software to let go of the card in a slot. */
  public void letGo(int slot) {
    toGo |= 1 << slot;
    power.raise(EVENT);
  }

  @Override
  public long read(long offset, int size) {
    int value = 0;
    if (size == 4 && offset == 0) {
      value = come;
      come = 0;
    } else if (size == 4 && offset == GO) {
      value = toGo;
      toGo = 0;
    }
    return Integer.toUnsignedLong(value);
  }

  @Override
  public void write(long offset, int size, long value) {
    if (size != 4 || offset != EJECT) {
      return;
    }
    for (int slot = FIRST_SLOT; slot < PciInterrupts.SLOTS; slot++) {
      if ((value >>> slot & 1) != 0) {
        come &= ~(1 << slot);
        toGo &= ~(1 << slot);
        eject.accept(slot);
      }
    }
  }
}
