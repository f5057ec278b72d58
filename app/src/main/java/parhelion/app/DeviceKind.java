package parhelion.app;

import java.io.IOException;
import java.util.List;
import parhelion.toolstack.device.DeviceConfig;

/** How a device of one kind is made of what the user says, while the guest runs. */
interface DeviceKind {
  /**
   * Opens it.
   *
   * @param text as the value of the option of {@code run}
   * @param taken the names of the devices that there are
   */
  DeviceConfig open(String text, List<String> taken) throws IOException;
}
