package parhelion.app;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import parhelion.toolstack.device.DeviceConfig;
import parhelion.toolstack.device.Share;
import parhelion.toolstack.device.ShareConfig;
import parhelion.toolstack.image.ModuleSet;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** The devices that a guest is given. */
final class DeviceOptions {
  @Option(
      names = "--share",
      paramLabel = "DIR:/PATH[:ro]",
      converter = ShareWord.class,
      description =
          "Let the guest see a directory of the host at /PATH; with ro it cannot change it. More in docs/shares.md.")
  List<Share> shares = List.of();

  /** Opens what is behind the devices, for one boot. */
  List<DeviceConfig> open() {
    List<DeviceConfig> devices = new ArrayList<>();
    for (int i = 0; i < shares.size(); i++) {
      devices.add(ShareConfig.open(shares.get(i), i));
    }
    return devices;
  }

  /** Finds what is wrong with them before anything takes time. */
  void check() {
    for (DeviceConfig device : open()) {
      if (device instanceof ShareConfig share) {
        share.tree().close();
      }
    }
  }

  /** The modules that the guest's kernel needs for them. */
  ModuleSet.Request modules() {
    return shares.isEmpty() ? ModuleSet.Request.NONE : ShareConfig.MODULES;
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
