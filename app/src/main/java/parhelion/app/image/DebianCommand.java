package parhelion.app.image;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import parhelion.app.ExitStatus;
import parhelion.app.ProgressLine;
import parhelion.media.disk.DiskCopy;
import parhelion.media.disk.ImageFormat;
import parhelion.toolstack.UserError;
import parhelion.toolstack.debian.DebianRoot;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.TypeConversionException;

/** {@code parhelion image debian}: a bootable Debian. */
@Command(
    name = "debian",
    mixinStandardHelpOptions = true,
    description = {
      "Makes an image with a small Debian, systemd included, on an ext4 file system: out of the"
          + " packages of this machine's apt sources, as an ordinary user. A guest configures"
          + " them.",
      "",
      "What was made is kept in the cache, so the next image of the same packages is only a copy."
    },
    sortOptions = false,
    exitCodeListHeading = "%nExit status:%n",
    exitCodeList = {"0:done", "1:it could not be done; one line says why", "2:wrong command line"},
    footerHeading = "%nExamples:%n",
    footer = {
      "  parhelion image debian --empty-password root.img",
      "  parhelion run --memory 512M --disk root.img,format=raw --root xvda",
      "  parhelion image debian --empty-password --boot-loader grub pc.img",
      "  parhelion run --mode full --bios seabios --memory 512M --disk pc.img,format=raw"
    })
final class DebianCommand implements Callable<Integer> {
  private static final int CLUSTER_BYTES = 64 << 10;
  private static final Pattern HASH = Pattern.compile("\\$[A-Za-z0-9./$,=_-]{8,200}");

  @Option(
      names = "--size",
      paramLabel = "SIZE",
      converter = Sizes.DiskSize.class,
      defaultValue = "2G",
      description = "The size of the disk (default: ${DEFAULT-VALUE}).")
  long sizeBytes;

  @Option(
      names = "--include",
      paramLabel = "PACKAGE,...",
      split = ",",
      description = "More packages, with what they depend on.")
  List<String> include = List.of();

  @Option(
      names = "--boot-loader",
      paramLabel = "grub|none",
      converter = BootLoaderWord.class,
      defaultValue = "none",
      description =
          "grub: the disk has a partition with the file system, a kernel (linux-image-amd64 if"
              + " --include names none) and GRUB, so that a PC's firmware starts it (default:"
              + " ${DEFAULT-VALUE}, the file system alone).")
  BootLoader bootLoader = BootLoader.NONE;

  @Option(names = "--empty-password", description = "Root logs in without a password.")
  boolean emptyPassword;

  @Option(
      names = "--password-hash",
      paramLabel = "HASH",
      description = "Root's password as mkpasswd or openssl passwd -6 prints it.")
  @Nullable String hash;

  @Option(
      names = "--format",
      paramLabel = "raw|qcow2",
      converter = Sizes.Format.class,
      defaultValue = "raw",
      description = "What the image is to be (default: ${DEFAULT-VALUE}).")
  ImageFormat format = ImageFormat.RAW;

  @Option(names = "--force", description = "Overwrite the file if it exists.")
  boolean force;

  @Parameters(index = "0", paramLabel = "FILE", description = "The new image.")
  Path file = Path.of("");

  /** What starts the disk. */
  enum BootLoader {
    NONE,
    GRUB
  }

  /** One of the words that the help text shows. */
  static final class BootLoaderWord implements ITypeConverter<BootLoader> {
    @Override
    public BootLoader convert(String text) {
      return switch (text) {
        case "grub" -> BootLoader.GRUB;
        case "none" -> BootLoader.NONE;
        default -> throw new TypeConversionException("'" + text + "' is not grub or none");
      };
    }
  }

  @Override
  public Integer call() throws IOException {
    if (emptyPassword && hash != null) {
      throw new UserError("--empty-password and --password-hash exclude each other: give one");
    }
    if (hash != null && !HASH.matcher(hash).matches()) {
      throw new UserError("--password-hash: is no hash: give what openssl passwd -6 prints");
    }
    if (Files.exists(file) && !force) {
      throw new UserError(file + ": exists: give another name, or --force");
    }
    String password = emptyPassword ? "" : hash == null ? "*" : hash;
    Path made =
        new DebianRoot(ProgressLine.forUser())
            .image(include, sizeBytes, password, bootLoader == BootLoader.GRUB);
    DiskCopy.convert(
        made, ImageFormat.RAW, file, format, CLUSTER_BYTES, force, (done, total) -> {});
    return ExitStatus.OK;
  }
}
