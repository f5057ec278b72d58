package parhelion.pc.acpi;

/**
 * How the four interrupt pins of PCI devices are wired: as on a PIIX board, to ISA's lines 10 and
 * 11, level-triggered, whichever interrupt controller serves those.
 */
public final class PciInterrupts {
  /** Slots of the bus. */
  public static final int SLOTS = 32;

  private static final int[] LINES = {10, 10, 11, 11};

  private PciInterrupts() {}

  /** Which of the four wires PIRQA to PIRQD pin 0 to 3 of the device in a slot is at. */
  public static int wire(int slot, int pin) {
    return slot - 1 + pin & 3;
  }

  /** The lines that the four wires lead to. */
  public static int[] lines() {
    return LINES.clone();
  }

  /** The line that a wire leads to, if software does not lead it elsewhere. */
  public static int line(int wire) {
    return LINES[wire];
  }
}
