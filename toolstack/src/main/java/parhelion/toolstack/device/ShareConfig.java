package parhelion.toolstack.device;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import parhelion.backends.Frontend;
import parhelion.backends.ninep.NinePDriver;
import parhelion.backends.xenbus.XenbusAddress;
import parhelion.backends.xenbus.XenbusDevice;
import parhelion.backends.xenstore.XenstoreClient;
import parhelion.media.share.FileTree;
import parhelion.media.share.HostTree;
import parhelion.toolstack.UserError;
import parhelion.toolstack.image.ModuleSet;

/**
 * Files that a guest mounts by 9P, as device {@code 9pfs}.
 *
 * @param tag by which the guest names it in its mount command
 * @param number the device's, other than those of the guest's other shares
 * @param tree the files; closed with this
 */
public record ShareConfig(String tag, int number, FileTree tree) implements DeviceConfig {
  /** What a guest's kernel needs to mount a share. */
  public static final ModuleSet.Request MODULES =
      new ModuleSet.Request(List.of("9pnet_xen", "9p"), List.of());

  /** Opens the directory of a share that the user asked for. */
  public static ShareConfig open(Share share, int number) {
    Path directory = share.directory();
    try {
      return new ShareConfig(
          share.tag(number), number, HostTree.open(directory, share.owners(), share.readOnly()));
    } catch (IOException e) {
      throw new UserError(
          "--share " + directory + ": " + e.getMessage() + ": give a directory of this host", e);
    }
  }

  @Override
  public String name() {
    return tag;
  }

  @Override
  public void close() {
    tree.close();
  }

  @Override
  public ModuleSet.Request modules() {
    return MODULES;
  }

  @Override
  public XenbusDevice plug(XenstoreClient store, Frontend guest) {
    return XenbusDevice.plug(
        store,
        new XenbusAddress("9pfs", guest.domid(), number),
        Map.of("security_model", "none"),
        Map.of("tag", tag),
        new NinePDriver(guest, tree));
  }
}
