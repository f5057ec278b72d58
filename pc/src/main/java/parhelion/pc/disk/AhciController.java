package parhelion.pc.disk;

import parhelion.pc.Board;
import parhelion.pc.Registers;
import parhelion.pc.pci.PciFunction;
import parhelion.pc.pci.PciIdentity;

/**
 * A SATA controller by AHCI 1.3.1, as the ICH9 has: six ports, 32 commands each, native queueing.
 * Its registers are in one range of memory, a port's ({@link AhciPort}) behind the controller's.
 */
public final class AhciController implements Registers {
  /** How many ports there are. */
  public static final int PORTS = 6;

  private static final int ABAR = 5;
  private static final int ABAR_BYTES = 4096;
  private static final int CAPABILITIES = 0x00;
  private static final int CONTROL = 0x04;
  private static final int STATUS = 0x08;
  private static final int IMPLEMENTED = 0x0c;
  private static final int VERSION = 0x10;
  private static final int FIRST_PORT = 0x100;
  private static final int PORT_BYTES = 0x80;

  private static final int CONTROL_RESET = 1;
  private static final int CONTROL_INTERRUPTS = 2;
  private static final int CONTROL_AHCI = 1 << 31;

  /** 64-bit addresses, queueing, command list override, 6 Gbit/s, AHCI only, 32 slots. */
  private static final int CAPABLE = 0xc134_1f00 | PORTS - 1;

  private static final int VERSION_1_3_1 = 0x1_0301;

  private final PciFunction function;
  private final AhciPort[] ports = new AhciPort[PORTS];
  private boolean interruptsOn;
  private int status;

  /** A controller without drives. */
  public AhciController(Board board) {
    function = new PciFunction(board, "AHCI", PciIdentity.of(0x8086, 0x2922, 2, 0x010601));
    function.interruptPin(1);
    function.msi();
    function.memory(ABAR, ABAR_BYTES, "AHCI", this);
    for (int i = 0; i < PORTS; i++) {
      ports[i] = new AhciPort(function.dma(), this::update);
    }
    function.onReset(this::reset);
  }

  /** What is plugged into the bus. */
  public PciFunction function() {
    return function;
  }

  /** Plugs a disk in, one made for a serial cable; before the machine starts. */
  public void plug(int port, AtaDisk disk) {
    ports[port].plug(disk);
  }

  /** Plugs a CD-ROM drive in; before the machine starts. */
  public void plug(int port, AtapiCdrom drive) {
    ports[port].plug(drive);
  }

  /** Whether a port is taken. */
  public boolean has(int port) {
    return ports[port].has();
  }

  private void reset() {
    for (AhciPort port : ports) {
      port.reset();
    }
    interruptsOn = false;
    status = 0;
    function.interrupt(false);
  }

  /** Brings the interrupt to what the ports say: each adds its bit while it has a reason. */
  private void update() {
    for (int i = 0; i < PORTS; i++) {
      if (ports[i].interrupts()) {
        status |= 1 << i;
      }
    }
    function.interrupt(interruptsOn && status != 0);
  }

  @Override
  public long read(long offset, int size) {
    if (size == 8) {
      return Integer.toUnsignedLong(word((int) offset)) | (long) word((int) offset + 4) << 32;
    }
    return Integer.toUnsignedLong(word((int) offset & ~3)) >>> 8 * (offset & 3);
  }

  private int word(int at) {
    if (at >= FIRST_PORT) {
      int port = (at - FIRST_PORT) / PORT_BYTES;
      return port < PORTS ? ports[port].read((at - FIRST_PORT) % PORT_BYTES) : 0;
    }
    return switch (at) {
      case CAPABILITIES -> CAPABLE;
      case CONTROL -> CONTROL_AHCI | (interruptsOn ? CONTROL_INTERRUPTS : 0);
      case STATUS -> status;
      case IMPLEMENTED -> (1 << PORTS) - 1;
      case VERSION -> VERSION_1_3_1;
      default -> 0;
    };
  }

  /** Registers are written as whole words, as the specification has it. */
  @Override
  public void write(long offset, int size, long value) {
    int at = (int) offset;
    if (size == 8) {
      write(offset, 4, value & 0xffff_ffffL);
      write(offset + 4, 4, value >>> 32);
      return;
    }
    if (size != 4 || (at & 3) != 0) {
      return;
    }
    int v = (int) value;
    if (at >= FIRST_PORT) {
      int port = (at - FIRST_PORT) / PORT_BYTES;
      if (port < PORTS) {
        ports[port].write((at - FIRST_PORT) % PORT_BYTES, v);
      }
    } else if (at == CONTROL) {
      if ((v & CONTROL_RESET) != 0) {
        reset();
      } else {
        interruptsOn = (v & CONTROL_INTERRUPTS) != 0;
        update();
      }
    } else if (at == STATUS) {
      status &= ~v;
      function.interrupt(false); // what is still to be told of is told again
      update();
    }
  }
}
