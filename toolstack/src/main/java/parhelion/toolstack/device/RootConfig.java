package parhelion.toolstack.device;

import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import parhelion.backends.Frontend;
import parhelion.backends.xenbus.XenbusDevice;
import parhelion.backends.xenstore.XenstoreClient;
import parhelion.media.rootfs.LayerCache;
import parhelion.media.rootfs.RootFileSystem;
import parhelion.toolstack.UserError;
import parhelion.toolstack.image.CacheDirectory;
import parhelion.toolstack.image.ModuleSet;

/**
 * A root file system that a guest runs in, served by 9P: a directory, a tar ball or an image
 * archive, none of which is changed.
 */
public final class RootConfig implements DeviceConfig {
  private static final String TAG = "rootfs";

  /** For mount options, where the root is not to be mounted: it came with the initramfs. */
  static final String HERE = "here";

  /** Beyond the numbers of shares. */
  private static final int NUMBER = 1000;

  private final Path source;
  private final RootFileSystem root;
  private final ShareConfig share;

  private RootConfig(Path source, RootFileSystem root) {
    this.source = source;
    this.root = root;
    share = new ShareConfig(null, TAG, NUMBER, root.tree());
  }

  /** Opens what the user named. */
  public static RootConfig open(Path source) {
    return new RootConfig(source, openTree(source));
  }

  /** The same, for whoever serves it otherwise. */
  static RootFileSystem openTree(Path source) {
    LayerCache cache = new LayerCache(CacheDirectory.ofUser().resolve("rootfs"));
    try {
      return RootFileSystem.open(source, cache);
    } catch (IOException e) {
      throw new UserError(
          "--rootfs "
              + source
              + ": "
              + e.getMessage()
              + ": give a directory, a tar archive, or an image as docker save or OCI have it",
          e);
    }
  }

  /**
   * What the first process is told, by the names of files in the initramfs.
   *
   * @param command for the root's shell, or null for what the image or the root is for
   * @param directory where to begin, or null for the image's choice
   * @param transport how the guest reaches it, as {@link Share#mountLine} has it
   */
  public Map<String, String> texts(
      @Nullable String command, @Nullable String directory, String transport) {
    Map<String, String> texts = new HashMap<>();
    texts.put("etc/rootfs", Share.options(transport, "cache=loose") + "\n");
    try {
      RootProgram program = RootProgram.of(root, command, directory);
      if (program.isInit()) {
        texts.put("etc/rootfs-init", program.argv().getFirst() + "\n");
      } else {
        texts.put("etc/rootfs-run", program.script());
      }
    } catch (IOException e) {
      throw new UserError("--rootfs " + source + ": " + e.getMessage() + ": give another", e);
    }
    return texts;
  }

  /** Whether something is run whose exit status matters, though the user gave no command. */
  public boolean hasEntryPoint() {
    return !root.config().command().isEmpty();
  }

  @Override
  public String name() {
    return TAG;
  }

  @Override
  public ModuleSet.Request modules() {
    return share.modules();
  }

  @Override
  public void plug(PcDevices pc) {
    share.plug(pc);
  }

  @Override
  public boolean isSplit(PcInterface offered) {
    return share.isSplit(offered);
  }

  @Override
  public ModuleSet.Request pcModules(PcInterface offered) {
    return share.pcModules(offered);
  }

  @Override
  public XenbusDevice plug(XenstoreClient store, Frontend guest) {
    return share.plug(store, guest);
  }

  @Override
  public void close() {
    share.close();
  }
}
