package parhelion.pc.pci;

import java.util.function.IntConsumer;
import parhelion.pc.Board;
import parhelion.pc.acpi.PowerManagement;

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

  private static final int POWER_BASE = 0x40;
  private static final int POWER_DEVICES = 0x58;
  private static final int POWER_SMI_DONE = 1 << 25;
  private static final int POWER_ENABLE = 0x80;

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

  /**
   * Function 3 of slot 1, power management of the 82371AB (PIIX4): by it, firmware finds the
   * board's timer. Its registers are at the ports that firmware gives them on such boards, and
   * nowhere else; there is no system management mode, as a bit says that firmware looks at.
   */
  public static PciFunction power(Board board) {
    PciFunction power =
        new PciFunction(board, "PIIX4 power", PciIdentity.of(0x8086, 0x7113, 3, 0x068000));
    power.set(POWER_BASE, 4, PowerManagement.PORTS | 1);
    power.writable(POWER_BASE, 4, 0xffc0);
    power.set(POWER_DEVICES, 4, POWER_SMI_DONE);
    power.writable(POWER_ENABLE, 1, 1);
    return power;
  }
}
