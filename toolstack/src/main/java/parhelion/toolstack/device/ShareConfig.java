package parhelion.toolstack.device;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
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
 * @param share what the user asked for, or null for what only the first process mounts
 * @param tag by which the guest names it in its mount command
 * @param number the device's, other than those of the guest's other shares
 * @param tree the files; closed with this
 */
public record ShareConfig(@Nullable Share share, String tag, int number, FileTree tree)
    implements DeviceConfig {
  /** With the arguments tag, options and place. A guest takes a moment to know a new device. */
  private static final String MOUNT =
      """
      mkdir -p "$3" || exit 1
      tries=50
      until problem=$(mount -t 9p -o "$2" "$1" "$3" 2>&1); do
        case $(cat /proc/filesystems) in
          *9p*) ;;
          *)
            echo 'the kernel has no 9p: run it with --share, or --package linux-image-amd64 --modules 9pnet_xen,9p' >&2
            exit 1
            ;;
        esac
        [ $((tries -= 1)) != 0 ] || { echo "$problem" >&2; exit 1; }
        sleep 0.1
      done
      """;

  /** Nothing, if it is not mounted. */
  private static final String UNMOUNT =
      """
      while read -r tag rest; do
        [ "$tag" != "$1" ] || exec umount "$3"
      done </proc/mounts
      """;

  /** What a guest's kernel needs to mount a share. */
  public static final ModuleSet.Request MODULES =
      new ModuleSet.Request(List.of("9pnet_xen", "9p"), List.of());

  /** Opens the directory of a share that the user asked for. */
  public static ShareConfig open(Share share, int number) {
    Path directory = share.directory();
    try {
      FileTree tree = HostTree.open(directory, share.owners(), share.readOnly());
      return new ShareConfig(share, tag(number), number, tree);
    } catch (IOException e) {
      throw new UserError(
          "--share " + directory + ": " + e.getMessage() + ": give a directory of this host", e);
    }
  }

  @Override
  public String name() {
    return tag;
  }

  /** The tag, and name, of the share with that number. */
  public static String tag(int number) {
    return "share" + number;
  }

  @Override
  public List<String> placing() {
    return share == null ? List.of() : command(MOUNT, share);
  }

  @Override
  public List<String> displacing() {
    return share == null ? List.of() : command(UNMOUNT, share);
  }

  private List<String> command(String script, Share mounted) {
    return List.of("sh", "-c", script, "sh", tag, mounted.options(), mounted.guestPath());
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
  public void plug(PcDevices pc) {
    pc.share(tag, tree);
  }

  @Override
  public boolean isSplit(PcInterface offered) {
    return offered == PcInterface.XEN;
  }

  @Override
  public ModuleSet.Request pcModules(PcInterface offered) {
    if (isSplit(offered)) {
      return MODULES;
    }
    return new ModuleSet.Request(List.of("virtio_pci", "9pnet_virtio", "9p"), List.of());
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
