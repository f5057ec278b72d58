package parhelion.toolstack.device;

import parhelion.backends.Frontend;
import parhelion.backends.xenbus.XenbusDevice;
import parhelion.backends.xenstore.XenstoreClient;
import parhelion.toolstack.image.ModuleSet;

/**
 * A device as the user asked for it, with what is behind it opened already: it only has to be
 * plugged in.
 */
public interface DeviceConfig {
  /**
   * Writes the device's directories and starts its backend.
   *
   * @param store dom0's view of the store
   * @param guest whose device it will be
   */
  XenbusDevice plug(XenstoreClient store, Frontend guest);

  /** The kernel modules that a guest needs to use the device. */
  default ModuleSet.Request modules() {
    return ModuleSet.Request.NONE;
  }
}
