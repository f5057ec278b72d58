package parhelion.toolstack.device;

import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** What a PC's network card is. */
public enum CardModel {
  VIRTIO(List.of("virtio_pci", "virtio_net")),
  E1000(List.of("e1000")),
  /** No card: Xen's split driver, where a PC offers its interface. */
  XEN(List.of("xen-netfront"));

  private final List<String> modules;

  CardModel(List<String> modules) {
    this.modules = modules;
  }

  /** What a kernel needs for it. */
  List<String> modules() {
    return modules;
  }

  /** The model of that name, or null. */
  public static @Nullable CardModel of(String name) {
    for (CardModel model : values()) {
      if (model.name().toLowerCase(Locale.ROOT).equals(name)) {
        return model;
      }
    }
    return null;
  }
}
