package parhelion.pc.pci;

import java.util.function.IntConsumer;
import parhelion.pc.Board;

/**
 * The two bridges of the board: the 82441FX between CPU, memory and PCI, and function 0 of the
 * 82371SB (PIIX3), through which PCI reaches the ISA bus. Firmware finds out by the first what
 * board this is.
 */
public final class Bridges {
  /** Registers of the host bridge that say what the 16 KiB pieces from 0xc0000 on are: PAM. */
  public static final int PAM = 0x59;

  public static final int PAM_COUNT = 7;

  private static final int SMRAM = 0x72;
  private static final int PIRQ_ROUTES = 0x60;
  private static final int PIRQ_DISABLED = 0x80;
  private static final int ELIGIBLE_ROUTE_BITS = 0x8f;

  private Bridges() {}

  /** Leads the four wires to ISA interrupts through the ISA bridge, as firmware would. */
  public static void route(PciFunction isa, int[] lines) {
    for (int wire = 0; wire < PirqRouter.WIRES; wire++) {
      isa.write(PIRQ_ROUTES + wire, 1, lines[wire]);
    }
  }

  /**
   * The host bridge, for slot 0.
   *
   * @param onPam told of the index of each PAM register that the guest has written
   */
  public static PciFunction host(Board board, IntConsumer onPam) {
    PciFunction host =
        new PciFunction(board, "i440FX host bridge", PciIdentity.of(0x8086, 0x1237, 2, 0x060000));
    for (int i = 0; i < PAM_COUNT; i++) {
      int index = i;
      host.writable(PAM + i, 1, i == 0 ? 0x30 : 0x33);
      host.onWrite(PAM + i, 1, () -> onPam.accept(index));
    }
    host.set(SMRAM, 1, 0x02);
    host.writable(SMRAM, 1, 0x78);
    return host;
  }

  /** The ISA bridge, for function 0 of slot 1. */
  public static PciFunction isa(Board board, PirqRouter router) {
    PciFunction isa =
        new PciFunction(board, "PIIX3 ISA bridge", PciIdentity.of(0x8086, 0x7000, 0, 0x060100));
    for (int wire = 0; wire < PirqRouter.WIRES; wire++) {
      int index = wire;
      isa.set(PIRQ_ROUTES + wire, 1, PIRQ_DISABLED);
      isa.writable(PIRQ_ROUTES + wire, 1, ELIGIBLE_ROUTE_BITS);
      Runnable routed = () -> router.route(index, isa.get(PIRQ_ROUTES + index, 1));
      isa.onWrite(PIRQ_ROUTES + wire, 1, routed);
      isa.onReset(routed);
    }
    return isa;
  }
}
