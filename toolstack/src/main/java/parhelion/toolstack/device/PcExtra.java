package parhelion.toolstack.device;

import java.util.List;
import parhelion.backends.Frontend;
import parhelion.backends.xenbus.XenbusDevice;
import parhelion.backends.xenstore.XenstoreClient;
import parhelion.toolstack.UserError;
import parhelion.toolstack.image.ModuleSet;

/** A virtio device of a PC that has nothing of the host's behind it. */
public sealed interface PcExtra extends DeviceConfig {
  /** Random numbers of the host's. */
  record Rng() implements PcExtra {
    @Override
    public String name() {
      return "virtio-rng";
    }

    @Override
    public void plug(PcDevices pc) {
      pc.rng();
    }

    @Override
    public ModuleSet.Request pcModules(PcInterface offered) {
      return new ModuleSet.Request(List.of("virtio_pci", "virtio-rng"), List.of());
    }
  }

  /**
   * A balloon.
   *
   * @param mib how much memory the guest is to give up
   */
  record Balloon(int mib) implements PcExtra {
    @Override
    public String name() {
      return "virtio-balloon";
    }

    @Override
    public void plug(PcDevices pc) {
      pc.balloon(mib);
    }

    @Override
    public ModuleSet.Request pcModules(PcInterface offered) {
      return new ModuleSet.Request(List.of("virtio_pci", "virtio_balloon"), List.of());
    }
  }

  @Override
  default XenbusDevice plug(XenstoreClient store, Frontend guest) {
    throw new UserError("--" + name() + " is a device of a PC: add --mode full, or leave it out");
  }

  @Override
  default void close() {}
}
