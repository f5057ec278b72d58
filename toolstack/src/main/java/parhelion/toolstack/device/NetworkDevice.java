package parhelion.toolstack.device;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import parhelion.backends.Frontend;
import parhelion.backends.net.VifDriver;
import parhelion.backends.xenbus.XenbusAddress;
import parhelion.backends.xenbus.XenbusDevice;
import parhelion.backends.xenstore.XenstoreClient;
import parhelion.media.net.MacAddress;
import parhelion.media.net.NetworkPort;
import parhelion.toolstack.UserError;
import parhelion.toolstack.image.ModuleSet;

/**
 * A network device.
 *
 * @param devid its number, from 0: the guest's eth0 is the lowest
 * @param mac its address
 * @param mtu the largest packet that its network carries, in bytes, for guests that ask
 * @param network what it is plugged into; it owns that
 * @param model what it is on a PC; null for what is usual there
 */
public record NetworkDevice(
    int devid, MacAddress mac, int mtu, NetworkPort network, @Nullable CardModel model)
    implements DeviceConfig {
  /** What a guest's kernel needs for one; Debian's have the rest built in or load it on demand. */
  public static final ModuleSet.Request MODULES =
      new ModuleSet.Request(List.of("xen-netfront"), List.of("af_packet", "ipv6"));

  /** Every network carries packets of so many bytes. */
  public static final int DEFAULT_MTU = 1500;

  /** The least that IPv4 can work with, and the most that a packet can be. */
  public static final int MIN_MTU = 68;

  public static final int MAX_MTU = 65535;

  /** On a PC, what is usual there. */
  public NetworkDevice(int devid, MacAddress mac, int mtu, NetworkPort network) {
    this(devid, mac, mtu, network, null);
  }

  @Override
  public void plug(PcDevices pc) {
    pc.card(model(pc.offered()), network, mac, mtu);
  }

  /** The card that it is on a PC which offers no interface; null for none. */
  public @Nullable CardModel emulated() {
    CardModel found = model(PcInterface.NONE);
    return found == CardModel.XEN ? null : found;
  }

  private CardModel model(PcInterface offered) {
    if (model != null) {
      return model;
    }
    return offered == PcInterface.XEN ? CardModel.XEN : CardModel.VIRTIO;
  }

  @Override
  public boolean isSplit(PcInterface offered) {
    boolean split = model(offered) == CardModel.XEN;
    if (split && offered != PcInterface.XEN) {
      throw new UserError(name() + ": model=xen is there with --interface xen only");
    }
    return split;
  }

  @Override
  public ModuleSet.Request pcModules(PcInterface offered) {
    return new ModuleSet.Request(model(offered).modules(), MODULES.atHand());
  }

  /** As Linux calls it, if it is the only kind of network device that the guest has. */
  @Override
  public String name() {
    return name(devid);
  }

  /** The name of the device with that number. */
  public static String name(int devid) {
    return "eth" + devid;
  }

  @Override
  public void close() {
    network.close();
  }

  @Override
  public ModuleSet.Request modules() {
    return MODULES;
  }

  @Override
  public XenbusDevice plug(XenstoreClient store, Frontend guest) {
    Map<String, String> both = new LinkedHashMap<>();
    both.put("handle", Integer.toString(devid));
    both.put("mac", mac.toString());
    both.put("mtu", Integer.toString(mtu));
    return XenbusDevice.plug(
        store,
        new XenbusAddress("vif", guest.domid(), devid),
        both,
        both,
        new VifDriver(guest, network));
  }
}
