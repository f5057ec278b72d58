package parhelion.toolstack.hvm;

import parhelion.pc.Board;
import parhelion.pc.Registers;
import parhelion.pc.pci.PciBus;
import parhelion.pc.pci.PciFunction;
import parhelion.pc.pci.PciIdentity;
import parhelion.toolstack.device.PcDevices;

/**
 * Xen's platform device (docs/misc/hvm-emulated-unplug.pandoc of Xen): a PCI function that says
 * that Xen's drivers have a place here, with a range of addresses at which nothing is, for frames
 * that guests want somewhere; and the ports by which software that has those drivers has the
 * emulated disks and network cards taken away. On the machine's thread.
 */
final class PlatformDevice {
  private static final int FIXED_PORTS = 0x10;
  private static final int MAGIC = 0x49d2;
  private static final int PROTOCOL = 1;
  private static final int ALL_DISKS = 1;
  private static final int ALL_CARDS = 2;

  /** All disks but the first. */
  private static final int OTHER_DISKS = 4;

  private static final int IO_BYTES = 256;
  private static final int MEMORY_BYTES = 16 << 20;

  private PlatformDevice() {}

  static void plug(Board board, PcDevices devices) {
    PciBus bus = devices.bus();
    PciFunction function =
        new PciFunction(
            board, "Xen platform", new PciIdentity(0x5853, 0x0001, 1, 0xff8000, 0x5853, 0x0001));
    function.ports(0, IO_BYTES, "Xen platform", empty());
    function.memory(1, MEMORY_BYTES, "Xen platform", empty());
    function.interruptPin(1);
    int unused = bus.plug(function);
    Board.Mapping fixed = board.mapPorts(FIXED_PORTS, 4, "Xen unplug", new FixedPorts(devices));
  }

  private static Registers empty() {
    return new Registers() {
      @Override
      public long read(long offset, int size) {
        return 0;
      }

      @Override
      public void write(long offset, int size, long value) {}
    };
  }

  /** Ports 10h to 13h. */
  private static final class FixedPorts implements Registers {
    private final PcDevices devices;

    FixedPorts(PcDevices devices) {
      this.devices = devices;
    }

    @Override
    public long read(long offset, int size) {
      if (offset == 0 && size == 2) {
        return MAGIC;
      }
      return offset == 2 && size == 1 ? PROTOCOL : 0xffff_ffffL;
    }

    /** A word at the first port unplugs; the others are who asks, and its messages. */
    @Override
    public void write(long offset, int size, long value) {
      if (offset != 0 || size != 2) {
        return;
      }
      if ((value & (ALL_DISKS | OTHER_DISKS)) != 0) {
        devices.unplugDisks((value & ALL_DISKS) == 0);
      }
      if ((value & ALL_CARDS) != 0) {
        devices.unplugCards();
      }
    }
  }
}
