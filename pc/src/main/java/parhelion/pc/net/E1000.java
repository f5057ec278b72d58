package parhelion.pc.net;

import parhelion.media.net.MacAddress;
import parhelion.media.net.NetworkPort;
import parhelion.pc.Board;
import parhelion.pc.Registers;
import parhelion.pc.pci.PciFunction;
import parhelion.pc.pci.PciIdentity;

/**
 * Intel's 82540EM gigabit Ethernet card, which every operating system and boot ROM knows: its
 * registers, by memory and by a window of ports. {@link E1000Transmitter} and {@link E1000Receiver}
 * work on the two rings of descriptors.
 */
public final class E1000 implements Registers {
  private static final int CTRL_RESET = 1 << 26;
  private static final int CTRL_PHY_RESET = 1 << 31;
  private static final int CTRL_VLAN = 1 << 30;
  private static final int LINK_IS_UP = 0x8008_0783;
  private static final int PBA_DEFAULT = 0x0010_0030;
  private static final int ADDRESS_VALID = 1 << 31;
  private static final int RDTR_FLUSH = 1 << 31;
  private static final int WINDOW_BYTES = 64;

  private final PciFunction function;
  private final E1000Registers registers = new E1000Registers();
  private final E1000Eeprom eeprom;
  private final E1000Phy phy = new E1000Phy();
  private final E1000Interrupts interrupts;
  private final E1000Transmitter transmitter;
  private final E1000Receiver receiver;
  private int windowAddress;

  /** A card that is plugged into a network. */
  public E1000(Board board, String name, NetworkPort network, MacAddress mac) {
    function = new PciFunction(board, name, PciIdentity.of(0x8086, 0x100e, 3, 0x020000));
    function.interruptPin(1);
    function.memory(0, E1000Registers.BYTES, name, this);
    function.ports(1, WINDOW_BYTES, name + " window", new Window());
    eeprom = new E1000Eeprom(mac);
    interrupts = new E1000Interrupts(registers, board.timers(), function::intx);
    transmitter = new E1000Transmitter(board, registers, function.dma(), interrupts, network::send);
    receiver = new E1000Receiver(registers, function.dma(), interrupts);
    Inbox inbox = new Inbox(board, network, receiver::run, transmitter::run);
    receiver.connect(inbox);
    function.onReset(this::reset);
    reset();
  }

  /** What is plugged into the bus. */
  public PciFunction function() {
    return function;
  }

  private void reset() {
    registers.clear();
    transmitter.reset();
    receiver.reset();
    interrupts.reset();
    phy.reset();
    registers.set(E1000Register.STATUS, LINK_IS_UP);
    registers.set(E1000Register.PBA, PBA_DEFAULT);
    registers.set(E1000Register.VET, 0x8100);
    registers.set(E1000Register.RAL0, eeprom.word(0) | eeprom.word(1) << 16);
    registers.set(E1000Register.RAL0 + 4, eeprom.word(2) | ADDRESS_VALID);
  }

  /** Whether the card takes VLAN tags out of frames and puts them in. */
  static boolean handlesVlan(E1000Registers registers) {
    return (registers.get(E1000Register.CTRL) & CTRL_VLAN) != 0;
  }

  @Override
  public long read(long offset, int size) {
    int at = (int) offset & ~3;
    long low = Integer.toUnsignedLong(word(at));
    return size == 8 ? low | (long) word(at + 4) << 32 : low >>> 8 * (offset & 3);
  }

  private int word(int at) {
    if (at >= E1000Register.STATISTICS && at < E1000Register.STATISTICS_END) {
      int value = registers.get(at);
      registers.set(at, 0);
      return value;
    }
    return switch (at) {
      case E1000Register.CTRL_MIRROR -> registers.get(E1000Register.CTRL);
      case E1000Register.EECD -> eeprom.lines();
      case E1000Register.ICR -> interrupts.take();
      case E1000Register.IMS -> interrupts.mask();
      case E1000Register.ICS, E1000Register.IMC -> 0;
      default -> registers.get(at);
    };
  }

  /** Registers are written as whole words, as the manual asks of software. */
  @Override
  public void write(long offset, int size, long value) {
    if (size < 4 || (offset & 3) != 0) {
      return;
    }
    writeWord((int) offset, (int) value);
    if (size == 8) {
      writeWord((int) offset + 4, (int) (value >>> 32));
    }
  }

  private void writeWord(int at, int value) {
    switch (at) {
      case E1000Register.CTRL, E1000Register.CTRL_MIRROR -> control(value);
      case E1000Register.STATUS -> {}
      case E1000Register.EECD -> eeprom.setLines(value);
      case E1000Register.EERD -> registers.set(at, eeprom.read(value));
      case E1000Register.MDIC -> {
        registers.set(at, phy.access(value));
        interrupts.raise(
            E1000Phy.negotiates(value)
                ? E1000Interrupts.MDI_DONE | E1000Interrupts.LINK_CHANGE
                : E1000Interrupts.MDI_DONE);
      }
      case E1000Register.ICR -> interrupts.clear(value);
      case E1000Register.ICS -> interrupts.raise(value);
      case E1000Register.IMS -> interrupts.enable(value);
      case E1000Register.IMC -> interrupts.disable(value);
      case E1000Register.RCTL, E1000Register.RDT -> {
        registers.set(at, at == E1000Register.RDT ? value & 0xffff : value);
        receiver.changed();
      }
      case E1000Register.RDTR -> {
        registers.set(at, value & 0xffff);
        if ((value & RDTR_FLUSH) != 0) {
          interrupts.flushReceived();
        }
      }
      case E1000Register.TCTL, E1000Register.TDT -> {
        registers.set(at, at == E1000Register.TDT ? value & 0xffff : value);
        transmitter.run();
      }
      case E1000Register.RDBAL, E1000Register.TDBAL -> registers.set(at, value & ~15);
      case E1000Register.RDLEN, E1000Register.TDLEN -> registers.set(at, value & 0xf_ff80);
      case E1000Register.RDH, E1000Register.TDH -> registers.set(at, value & 0xffff);
      default -> {
        if (at < E1000Register.STATISTICS || at >= E1000Register.STATISTICS_END) {
          registers.set(at, value);
        }
      }
    }
  }

  private void control(int value) {
    if ((value & CTRL_RESET) != 0) {
      reset();
      return;
    }
    if ((value & CTRL_PHY_RESET) != 0) {
      phy.reset();
    }
    registers.set(E1000Register.CTRL, value & ~CTRL_PHY_RESET);
  }

  /** Two ports by which software reaches registers: an address and what is there. */
  private final class Window implements Registers {
    @Override
    public long read(long offset, int size) {
      if (offset == 0) {
        return Integer.toUnsignedLong(windowAddress);
      }
      boolean data = offset == 4 && windowAddress >= 0 && windowAddress < E1000Registers.BYTES;
      return data ? E1000.this.read(windowAddress, 4) : 0;
    }

    @Override
    public void write(long offset, int size, long value) {
      if (size != 4) {
        return;
      }
      if (offset == 0) {
        windowAddress = (int) value & ~3;
      } else if (offset == 4 && windowAddress >= 0 && windowAddress < E1000Registers.BYTES) {
        E1000.this.write(windowAddress, 4, value);
      }
    }
  }
}
