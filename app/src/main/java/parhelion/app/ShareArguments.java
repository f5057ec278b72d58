package parhelion.app;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import parhelion.toolstack.UserError;
import parhelion.toolstack.device.DeviceConfig;
import parhelion.toolstack.device.RootConfig;
import parhelion.toolstack.device.Share;
import parhelion.toolstack.device.ShareConfig;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** Options for directories of the host. */
final class ShareArguments {
  @Option(
      names = "--share",
      paramLabel = "DIR:/PATH[:ro]",
      converter = ShareWord.class,
      description =
          "Let the guest see a directory of the host at /PATH; with ro it cannot change it. More in"
              + " docs/shares.md.")
  List<Share> shares = List.of();

  @Option(
      names = "--rootfs",
      paramLabel = "DIR|TAR|IMAGE",
      description =
          "Run in a directory, a tar ball or a container image archive as the root; changes are"
              + " thrown away. With --cmd its shell runs that, else the image's entry point,"
              + " /sbin/init or a shell.")
  @Nullable Path rootfs;

  @Option(
      names = "--workdir",
      paramLabel = "PATH",
      description =
          "Where in the guest the command or the shell begins (default: the first share, else the"
              + " image's).")
  @Nullable String workdir;

  private @Nullable RootConfig root;

  boolean isEmpty() {
    return shares.isEmpty() && rootfs == null;
  }

  /** Opens the directories, and adds their devices. */
  void open(List<DeviceConfig> devices) {
    Path source = rootfs;
    if (source != null) {
      RootConfig opened = RootConfig.open(source);
      root = opened;
      devices.add(opened);
    }
    for (int i = 0; i < shares.size(); i++) {
      devices.add(ShareConfig.open(shares.get(i), i));
    }
  }

  /** Opens a directory for a guest that runs. */
  static DeviceConfig attach(String text, List<String> taken) {
    Share share;
    try {
      share = Share.parse(text);
    } catch (IllegalArgumentException e) {
      throw new UserError("--share: " + e.getMessage(), e);
    }
    int number = 0;
    while (taken.contains(ShareConfig.tag(number))) {
      number++;
    }
    return ShareConfig.open(share, number);
  }

  /** What is to be run, for its exit status: the user's command, or an image's entry point. */
  @Nullable String command(@Nullable String cmd) {
    RootConfig opened = root;
    boolean entryPoint = cmd == null && opened != null && opened.hasEntryPoint();
    return entryPoint ? "true" : cmd;
  }

  /**
   * What the guest's first process is told, by the names of files: see GuestSetup.
   *
   * @param xen whether the guest reaches directories by Xen's split driver, or by virtio
   */
  Map<String, String> texts(@Nullable String cmd, boolean xen) {
    String transport = xen ? Share.XEN : Share.VIRTIO;
    Map<String, String> texts = new HashMap<>();
    StringBuilder lines = new StringBuilder();
    for (int i = 0; i < shares.size(); i++) {
      lines.append(shares.get(i).mountLine(i, transport)).append('\n');
    }
    if (!shares.isEmpty()) {
      texts.put("etc/shares", lines.toString());
    }
    String first = shares.isEmpty() ? null : shares.getFirst().guestPath();
    String directory = workdir != null ? workdir : first;
    RootConfig opened = root;
    if (opened != null) {
      texts.putAll(opened.texts(cmd, directory, transport));
    } else if (directory != null) {
      texts.put("etc/directory", directory + '\n');
    }
    return texts;
  }

  /** A share as the user writes it. */
  static final class ShareWord implements ITypeConverter<Share> {
    @Override
    public Share convert(String text) {
      try {
        return Share.parse(text);
      } catch (IllegalArgumentException e) {
        throw new TypeConversionException(e.getMessage());
      }
    }
  }
}
