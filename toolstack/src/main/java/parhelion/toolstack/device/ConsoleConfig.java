package parhelion.toolstack.device;

import java.util.List;
import java.util.Map;
import parhelion.backends.Frontend;
import parhelion.backends.console.ConsoleDriver;
import parhelion.backends.console.ConsoleEnd;
import parhelion.backends.xenbus.XenbusAddress;
import parhelion.backends.xenbus.XenbusDevice;
import parhelion.backends.xenstore.XenstoreClient;
import parhelion.toolstack.image.ModuleSet;

/**
 * A second or later console; of a PC that has only a serial line, by virtio.
 *
 * @param devid 1 to {@link #LAST}; Linux makes hvc1 and so on of them in the order of numbers, and
 *     of those that are plugged in later in that order; of a PC's by virtio, hvc0 and so on
 * @param end what is behind it, opened already
 */
public record ConsoleConfig(int devid, ConsoleEnd end) implements DeviceConfig {
  public static final String KIND = "console";

  /** Linux has eight hvc lines, the main console's among them. */
  public static final int LAST = 7;

  public ConsoleConfig {
    if (devid < 1 || devid > LAST) {
      throw new IllegalArgumentException("console " + devid);
    }
  }

  @Override
  public String name() {
    return name(devid);
  }

  @Override
  public void plug(PcDevices pc) {
    pc.console(end);
  }

  @Override
  public ModuleSet.Request pcModules(PcInterface offered) {
    return isSplit(offered)
        ? modules()
        : new ModuleSet.Request(List.of("virtio_pci", "virtio_console"), List.of());
  }

  @Override
  public boolean isSplit(PcInterface offered) {
    return offered == PcInterface.XEN;
  }

  @Override
  public String whereabouts() {
    return end.isNamedByHost() ? end.where() : "";
  }

  /** What the user calls a console. */
  public static String name(int devid) {
    return KIND + devid;
  }

  @Override
  public XenbusDevice plug(XenstoreClient store, Frontend guest) {
    return XenbusDevice.plug(
        store,
        new XenbusAddress(KIND, guest.domid(), devid),
        Map.of(),
        Map.of(
            "type", "xenconsoled", "output", end.where(), "protocol", "vt100", "tty", end.where()),
        new ConsoleDriver(guest, end));
  }

  @Override
  public void close() {
    end.close();
  }
}
