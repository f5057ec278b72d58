package parhelion.toolstack.device;

import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** What a PC's disk or CD-ROM is plugged into. */
public enum DiskBus {
  VIRTIO(List.of("virtio_pci", "virtio_blk")),
  IDE(List.of("ata_piix", "sd_mod", "sr_mod")),
  AHCI(List.of("ahci", "sd_mod", "sr_mod")),
  /** No bus: Xen's split driver, where a PC offers its interface. */
  XEN(List.of("xen-blkfront"));

  private final List<String> modules;

  DiskBus(List<String> modules) {
    this.modules = modules;
  }

  /** What a kernel needs for it. */
  List<String> modules() {
    return modules;
  }

  /** The bus of that name, or null. */
  public static @Nullable DiskBus of(String name) {
    for (DiskBus bus : values()) {
      if (bus.name().toLowerCase(Locale.ROOT).equals(name)) {
        return bus;
      }
    }
    return null;
  }
}
