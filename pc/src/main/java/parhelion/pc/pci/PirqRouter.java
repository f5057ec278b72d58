package parhelion.pc.pci;

import parhelion.pc.Board;
import parhelion.pc.InterruptLine;

/**
 * Brings the interrupt pins of PCI functions to the interrupt controllers. The four wires that pins
 * are joined on, PIRQA to PIRQD, each reach an input of the I/O APIC of their own, {@link
 * #FIRST_GSI} and on; and the ISA interrupt, if any, that the ISA bridge's route registers name. A
 * system that uses one of the two masks the other.
 */
public final class PirqRouter {
  /** The global interrupt of PIRQA. */
  public static final int FIRST_GSI = 16;

  /** How many wires there are. */
  public static final int WIRES = 4;

  private static final int DISABLED = 0x80;
  private static final int ISA_INTERRUPTS = 16;

  /** By ISA interrupt, and by wire. */
  private final InterruptLine[] isaLines = new InterruptLine[ISA_INTERRUPTS];

  private final InterruptLine[] pciLines = new InterruptLine[WIRES];

  /** By wire: how many pins pull at it. */
  private final int[] pulls = new int[WIRES];

  private final int[] routes = {DISABLED, DISABLED, DISABLED, DISABLED};
  private final boolean[] raised = new boolean[ISA_INTERRUPTS];

  public PirqRouter(Board board) {
    for (int irq = 0; irq < ISA_INTERRUPTS; irq++) {
      isaLines[irq] = board.line(irq);
    }
    for (int wire = 0; wire < WIRES; wire++) {
      pciLines[wire] = board.line(FIRST_GSI + wire);
    }
  }

  /** The wire of pin 1 to 4 of a slot: neighbours start with different ones. */
  public static int wireOf(int slot, int pin) {
    return pin - 1 + slot - 1 & WIRES - 1;
  }

  /** The line of a slot's pin; of pin 0, nothing. Its holder sets it to what it is not. */
  InterruptLine wire(int slot, int pin) {
    if (pin == 0) {
      return isRaised -> {};
    }
    int wire = wireOf(slot, pin);
    return isRaised -> pull(wire, isRaised ? 1 : -1);
  }

  private void pull(int wire, int change) {
    boolean before = pulls[wire] > 0;
    pulls[wire] += change;
    boolean now = pulls[wire] > 0;
    if (before != now) {
      pciLines[wire].set(now);
      update();
    }
  }

  /** Sets a route register: an ISA interrupt, or bit 7 for none. */
  void route(int wire, int register) {
    routes[wire] = register;
    update();
  }

  private void update() {
    for (int irq = 0; irq < ISA_INTERRUPTS; irq++) {
      boolean now = false;
      for (int wire = 0; wire < WIRES; wire++) {
        boolean routed = (routes[wire] & DISABLED) == 0 && (routes[wire] & 15) == irq;
        now |= routed && pulls[wire] > 0;
      }
      if (now != raised[irq]) {
        raised[irq] = now;
        isaLines[irq].set(now);
      }
    }
  }
}
