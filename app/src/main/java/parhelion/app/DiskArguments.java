package parhelion.app;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import parhelion.media.disk.Disk;
import parhelion.media.disk.DiskException;
import parhelion.media.disk.DiskImages;
import parhelion.media.disk.DiskOptions;
import parhelion.media.disk.ImageFormat;
import parhelion.toolstack.UserError;
import parhelion.toolstack.device.BlockConfig;
import parhelion.toolstack.device.DeviceConfig;
import parhelion.toolstack.device.DiskBus;
import parhelion.toolstack.device.DiskName;
import picocli.CommandLine.Option;

/** Options for disks. */
final class DiskArguments {
  @Option(
      names = "--disk",
      paramLabel = "FILE[,WORD...]",
      description =
          "Give the guest an image as a disk, xvda, xvdb and so on; may be repeated. Words: ro;"
              + " snapshot (changes are thrown away in the end); cdrom; format=raw or qcow2;"
              + " sector=512 or 4096; name=xvdb; on a PC bus=virtio, ide, ahci or xen.")
  List<String> disks = List.of();

  @Option(names = "--snapshot", description = "Throw away in the end what is changed on any disk.")
  boolean snapshot;

  @Option(
      names = "--root",
      paramLabel = "DEVICE",
      description =
          "Boot from the root file system on that disk or partition, such as xvda or xvda1, or"
              + " UUID=... or LABEL=...")
  @Nullable String root;

  /** One {@code --disk}, taken apart. */
  record Request(
      String text,
      Path file,
      @Nullable String name,
      DiskOptions how,
      boolean readOnly,
      boolean cdrom,
      int sectorBytes,
      @Nullable DiskBus bus) {
    /** Takes an argument apart: what follows a comma is an option. */
    static Request of(String text, boolean snapshot) {
      String rest = text;
      String name = null;
      ImageFormat format = null;
      boolean readOnly = false;
      boolean cdrom = false;
      boolean throwAway = snapshot;
      int sector = Disk.SECTOR_BYTES;
      DiskBus bus = null;
      for (int comma = rest.lastIndexOf(','); comma >= 0; comma = rest.lastIndexOf(',')) {
        String word = rest.substring(comma + 1);
        String value = word.substring(word.indexOf('=') + 1);
        switch (word.startsWith("=") ? "" : word.split("=", 2)[0]) {
          case "ro" -> readOnly = true;
          case "cdrom" -> cdrom = true;
          case "snapshot" -> throwAway = true;
          case "format" -> {
            format = ImageFormat.of(value);
            if (format == null) {
              throw wrong(text, "format=" + value, "raw or qcow2");
            }
          }
          case "sector" -> {
            if (!value.equals("512") && !value.equals("4096")) {
              throw wrong(text, "sector=" + value, "512 or 4096");
            }
            sector = Integer.parseInt(value);
          }
          case "name" -> name = value;
          case "bus" -> {
            bus = DiskBus.of(value);
            if (bus == null) {
              throw wrong(text, "bus=" + value, "virtio, ide, ahci or xen");
            }
          }
          default ->
              throw new UserError(
                  "--disk "
                      + text
                      + ": '"
                      + word
                      + "' is none of ro, snapshot, cdrom, format=, sector=, name=, bus=");
        }
        rest = rest.substring(0, comma);
      }
      if (rest.isEmpty()) {
        throw new UserError("--disk " + text + ": names no file: give an image");
      }
      boolean changes = !readOnly && !cdrom;
      return new Request(
          text,
          Path.of(rest),
          name,
          new DiskOptions(format, !changes, changes && throwAway),
          !changes,
          cdrom,
          sector,
          bus);
    }

    private static UserError wrong(String text, String word, String right) {
      return new UserError("--disk " + text + ": " + word + " is not " + right);
    }

    DeviceConfig open(String chosenName) {
      try {
        return BlockConfig.of(
            chosenName, DiskImages.open(file, how), readOnly, cdrom, sectorBytes, bus);
      } catch (DiskException e) {
        throw new UserError("--disk " + e.getMessage(), e);
      }
    }
  }

  /**
   * Opens the disks, in the order of the command line: those without a name get the first that are
   * free.
   */
  List<DeviceConfig> open() throws IOException {
    List<Request> requests = new ArrayList<>();
    Set<String> taken = new HashSet<>();
    for (String text : disks) {
      Request request = Request.of(text, snapshot);
      requests.add(request);
      String name = request.name;
      if (name != null) {
        int unused = DiskName.number(name);
        if (!taken.add(name)) {
          throw new UserError("--disk " + text + ": another has that name already");
        }
      }
    }
    List<DeviceConfig> opened = new ArrayList<>();
    boolean done = false;
    try {
      int next = 0;
      for (Request request : requests) {
        String name = request.name;
        while (name == null) {
          String free = DiskName.of(next++);
          name = taken.add(free) ? free : null;
        }
        opened.add(request.open(name));
      }
      done = true;
      return opened;
    } finally {
      if (!done) {
        opened.forEach(DeviceConfig::close);
      }
    }
  }

  /** Opens a disk for a guest that runs. */
  static DeviceConfig attach(String text, List<String> taken) {
    Request request = Request.of(text, false);
    String name = request.name;
    for (int next = 0; name == null; next++) {
      String free = DiskName.of(next);
      name = taken.contains(free) ? null : free;
    }
    return request.open(name);
  }

  /** The words by which the guest finds its root; empty if it is none of ours to find. */
  String rootWords() {
    if (root == null) {
      return "";
    }
    boolean named = root.startsWith("/") || root.contains("=");
    return "root=" + (named ? root : "/dev/" + root) + " rw";
  }
}
