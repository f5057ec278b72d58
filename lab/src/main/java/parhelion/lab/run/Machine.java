package parhelion.lab.run;

import java.util.List;
import org.jspecify.annotations.Nullable;
import parhelion.lab.result.Technique;
import parhelion.lab.workload.Need;
import parhelion.toolstack.device.CardModel;
import parhelion.toolstack.device.DiskBus;
import parhelion.toolstack.device.PcInterface;

/**
 * What a technique's guests are made of: by which devices they have what is behind them, the same
 * image and the same network for all.
 *
 * @param offered whose interface the PC offers, or null for a Xen PV domain
 * @param bare whether the PC has no hardware but processors (PVH)
 * @param console the kernel's name for it
 * @param diskDrivers the kernel modules that its disk needs
 * @param cardDrivers those of its network card
 */
record Machine(
    Technique technique,
    @Nullable PcInterface offered,
    boolean bare,
    DiskBus bus,
    CardModel card,
    String console,
    List<String> diskDrivers,
    List<String> cardDrivers) {
  private static final String SERIAL = "ttyS0";
  private static final String XEN_CONSOLE = "hvc0";
  private static final List<Machine> ALL =
      List.of(
          new Machine(
              Technique.FULL,
              PcInterface.NONE,
              false,
              DiskBus.AHCI,
              CardModel.E1000,
              SERIAL,
              List.of("ahci", "sd_mod"),
              List.of("e1000")),
          new Machine(
              Technique.FULL_XEN,
              PcInterface.XEN,
              false,
              DiskBus.XEN,
              CardModel.XEN,
              SERIAL,
              List.of("xen-blkfront"),
              List.of("xen-netfront")),
          new Machine(
              Technique.FULL_VIRTIO,
              PcInterface.KVM,
              false,
              DiskBus.VIRTIO,
              CardModel.VIRTIO,
              SERIAL,
              List.of("virtio_pci", "virtio_blk"),
              List.of("virtio_pci", "virtio_net")),
          new Machine(
              Technique.PVH,
              PcInterface.XEN,
              true,
              DiskBus.XEN,
              CardModel.XEN,
              XEN_CONSOLE,
              List.of("xen-blkfront"),
              List.of("xen-netfront")),
          new Machine(
              Technique.PARA,
              null,
              false,
              DiskBus.XEN,
              CardModel.XEN,
              XEN_CONSOLE,
              List.of("xen-blkfront"),
              List.of("xen-netfront")));

  /** Those that have a kernel, in their order within a round. */
  static List<Machine> all() {
    return ALL;
  }

  static Machine of(Technique technique) {
    for (Machine machine : ALL) {
      if (machine.technique == technique) {
        return machine;
      }
    }
    throw new IllegalArgumentException(technique.id + " has no kernel, or cannot be run");
  }

  /** Whether it is a PC. */
  boolean isPc() {
    return offered != null;
  }

  /** What a kernel must have for a workload's device; empty where it needs none. */
  List<String> drivers(Need need) {
    return switch (need) {
      case DISK -> diskDrivers;
      case NETWORK -> cardDrivers;
      default -> List.of();
    };
  }
}
