package parhelion.app.image;

import java.nio.file.Path;
import java.util.concurrent.Callable;
import parhelion.app.ExitStatus;
import parhelion.media.disk.DiskException;
import parhelion.media.disk.DiskImages;
import parhelion.media.disk.ImageFormat;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code parhelion image create}: a new, empty image. */
@Command(
    name = "create",
    mixinStandardHelpOptions = true,
    description = "Creates an empty image. It takes little space until something is written.",
    sortOptions = false,
    exitCodeListHeading = "%nExit status:%n",
    exitCodeList = {"0:done", "1:it could not be done; one line says why", "2:wrong command line"},
    footerHeading = "%nExamples:%n",
    footer = {
      "  parhelion image create data.qcow2 20G",
      "  parhelion image create --format raw data.img 512M"
    })
final class CreateCommand implements Callable<Integer> {
  @Option(
      names = "--format",
      paramLabel = "raw|qcow2",
      converter = Sizes.Format.class,
      defaultValue = "qcow2",
      description = "What the image is to be (default: ${DEFAULT-VALUE}).")
  ImageFormat format = ImageFormat.QCOW2;

  @Mixin NewImageOptions made = new NewImageOptions();

  @Parameters(index = "0", paramLabel = "FILE", description = "The new image.")
  Path file = Path.of("");

  @Parameters(
      index = "1",
      paramLabel = "SIZE",
      converter = Sizes.DiskSize.class,
      description = "The size of the disk, as 512M or 20G.")
  long sizeBytes;

  @Override
  public Integer call() throws DiskException {
    DiskImages.create(file, format, sizeBytes, made.clusterBytes, made.force);
    return ExitStatus.OK;
  }
}
