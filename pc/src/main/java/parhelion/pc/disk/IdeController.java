package parhelion.pc.disk;

import parhelion.pc.Board;
import parhelion.pc.Board.Mapping;
import parhelion.pc.Registers;
import parhelion.pc.pci.PciFunction;
import parhelion.pc.pci.PciIdentity;

/**
 * The IDE function of the 82371SB (PIIX3): two channels at the ports and interrupts that they have
 * had since the PC/AT, and a bus master for each.
 */
public final class IdeController {
  private static final int[] COMMAND_PORTS = {0x1f0, 0x170};
  private static final int[] CONTROL_PORTS = {0x3f6, 0x376};
  private static final int[] INTERRUPTS = {14, 15};
  private static final int TIMING = 0x40;
  private static final int DECODE_ENABLE = 0x8000;
  private static final int BUS_MASTER_BAR = 4;
  private static final int BUS_MASTER_BYTES = 8;

  private final PciFunction function;
  private final IdeChannel[] channels = new IdeChannel[2];

  /** A controller without drives. */
  public IdeController(Board board) {
    function = new PciFunction(board, "PIIX3 IDE", PciIdentity.of(0x8086, 0x7010, 0, 0x010180));
    IdeBusMaster[] masters = new IdeBusMaster[2];
    for (int i = 0; i < 2; i++) {
      masters[i] = new IdeBusMaster(function.dma());
      channels[i] = new IdeChannel(board.line(INTERRUPTS[i]), masters[i]);
      // On from the start, for systems that no firmware starts.
      function.set(TIMING + 2 * i, 2, DECODE_ENABLE);
      function.writable(TIMING + 2 * i, 2, 0xffff);
      String name = "IDE channel " + i;
      Mapping unused =
          board.mapPorts(COMMAND_PORTS[i], 8, name, decoded(i, IdePorts.commandBlock(channels[i])));
      unused =
          board.mapPorts(
              CONTROL_PORTS[i],
              1,
              name + " control",
              decoded(i, IdePorts.controlBlock(channels[i])));
    }
    function.ports(
        BUS_MASTER_BAR,
        2 * BUS_MASTER_BYTES,
        "IDE bus master",
        new Registers() {
          @Override
          public long read(long offset, int size) {
            return masters[offset < BUS_MASTER_BYTES ? 0 : 1].read(offset % BUS_MASTER_BYTES, size);
          }

          @Override
          public void write(long offset, int size, long value) {
            masters[offset < BUS_MASTER_BYTES ? 0 : 1].write(
                offset % BUS_MASTER_BYTES, size, value);
          }
        });
    function.onReset(
        () -> {
          for (int i = 0; i < 2; i++) {
            channels[i].reset();
            masters[i].reset();
          }
        });
  }

  /** The registers of a channel while its decoding is enabled. */
  private Registers decoded(int channel, Registers registers) {
    return new Registers() {
      private boolean isOn() {
        return (function.get(TIMING + 2 * channel, 2) & DECODE_ENABLE) != 0;
      }

      @Override
      public long read(long offset, int size) {
        return isOn() ? registers.read(offset, size) : -1;
      }

      @Override
      public void write(long offset, int size, long value) {
        if (isOn()) {
          registers.write(offset, size, value);
        }
      }
    };
  }

  /** What is plugged into the bus: function 1 of the ISA bridge's slot. */
  public PciFunction function() {
    return function;
  }

  /** Whether a place is taken, 0 to 3: primary master and slave, secondary master and slave. */
  public boolean has(int place) {
    return channels[place / 2].has(place % 2);
  }

  /** Takes what is in a place away, while the machine runs. */
  public void unplug(int place) {
    channels[place / 2].unplug(place % 2);
  }

  /** Plugs a disk in; before the machine starts. */
  public void plug(int place, AtaDisk disk) {
    channels[place / 2].plug(place % 2, disk);
  }

  /** Plugs a CD-ROM drive in; before the machine starts. */
  public void plug(int place, AtapiCdrom drive) {
    channels[place / 2].plug(place % 2, drive);
  }
}
