package parhelion.app.image;

import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import parhelion.app.ExitStatus;
import parhelion.media.disk.DiskException;
import parhelion.media.disk.DiskImages;
import parhelion.media.disk.ImageFormat;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code parhelion image overlay}: a new image over another one. */
@Command(
    name = "overlay",
    mixinStandardHelpOptions = true,
    description = {
      "Creates a qcow2 image that begins as another image is, and takes only what is changed since.",
      "",
      "The other image must not change any more. Its path, if relative, is kept relative to the overlay."
    },
    sortOptions = false,
    exitCodeListHeading = "%nExit status:%n",
    exitCodeList = {"0:done", "1:it could not be done; one line says why", "2:wrong command line"},
    footerHeading = "%nExample:%n",
    footer = "  parhelion image overlay debian.qcow2 test1.qcow2")
final class OverlayCommand implements Callable<Integer> {
  @Option(
      names = "--backing-format",
      paramLabel = "raw|qcow2",
      converter = Sizes.Format.class,
      description = "What the other image is (default: what its first sector says).")
  @Nullable ImageFormat format;

  @Option(
      names = "--size",
      paramLabel = "SIZE",
      converter = Sizes.DiskSize.class,
      description = "The size of the disk, as 20G (default: that of the other image).")
  @Nullable Long sizeBytes;

  @Mixin NewImageOptions made = new NewImageOptions();

  @Parameters(index = "0", paramLabel = "BASE", description = "The image to begin with.")
  Path base = Path.of("");

  @Parameters(index = "1", paramLabel = "FILE", description = "The new image.")
  Path file = Path.of("");

  @Override
  public Integer call() throws DiskException {
    long size = sizeBytes == null ? 0 : sizeBytes;
    DiskImages.createOverlay(file, base, format, size, made.clusterBytes, made.force);
    return ExitStatus.OK;
  }
}
