package parhelion.app;

import java.util.List;
import java.util.Map;
import parhelion.toolstack.device.DeviceConfig;
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
          "Let the guest see a directory of the host at /PATH; with ro it cannot change it. More in docs/shares.md.")
  List<Share> shares = List.of();

  boolean isEmpty() {
    return shares.isEmpty();
  }

  /** Opens the directories, and adds their devices. */
  void open(List<DeviceConfig> devices) {
    for (int i = 0; i < shares.size(); i++) {
      devices.add(ShareConfig.open(shares.get(i), i));
    }
  }

  /** What the guest's first process is told, by the names of files: see GuestSetup. */
  Map<String, String> texts() {
    if (shares.isEmpty()) {
      return Map.of();
    }
    StringBuilder lines = new StringBuilder();
    for (int i = 0; i < shares.size(); i++) {
      lines.append(shares.get(i).mountLine(i)).append('\n');
    }
    String directory = shares.getFirst().guestPath() + '\n';
    return Map.of("etc/shares", lines.toString(), "etc/directory", directory);
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
