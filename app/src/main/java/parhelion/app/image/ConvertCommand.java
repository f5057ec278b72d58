package parhelion.app.image;

import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import parhelion.app.ExitStatus;
import parhelion.app.ProgressLine;
import parhelion.media.disk.DiskCopy;
import parhelion.media.disk.ImageFormat;
import parhelion.toolstack.image.Progress;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code parhelion image convert}: a copy in another format. */
@Command(
    name = "convert",
    mixinStandardHelpOptions = true,
    description = {
      "Copies an image, with all that it takes from backing files, into a new one.",
      "",
      "Zeroes take no space in the new image. Snapshots within a qcow2 image are not copied."
    },
    sortOptions = false,
    exitCodeListHeading = "%nExit status:%n",
    exitCodeList = {"0:done", "1:it could not be done; one line says why", "2:wrong command line"},
    footerHeading = "%nExamples:%n",
    footer = {
      "  parhelion image convert debian.qcow2 --to raw debian.img",
      "  parhelion image convert --from raw disk.img disk.qcow2"
    })
final class ConvertCommand implements Callable<Integer> {
  @Option(
      names = "--from",
      paramLabel = "raw|qcow2",
      converter = Sizes.Format.class,
      description = "What the image is (default: what its first sector says).")
  @Nullable ImageFormat from;

  @Option(
      names = "--to",
      paramLabel = "raw|qcow2",
      converter = Sizes.Format.class,
      defaultValue = "qcow2",
      description = "What the new image is to be (default: ${DEFAULT-VALUE}).")
  ImageFormat to = ImageFormat.QCOW2;

  @Mixin NewImageOptions made = new NewImageOptions();

  @Parameters(index = "0", paramLabel = "IMAGE", description = "The image to copy.")
  Path source = Path.of("");

  @Parameters(index = "1", paramLabel = "FILE", description = "The new image.")
  Path target = Path.of("");

  @Override
  public Integer call() throws IOException {
    Progress progress = ProgressLine.forUser();
    DiskCopy.convert(
        source,
        from,
        target,
        to,
        made.clusterBytes,
        made.force,
        (done, total) -> progress.update("converting " + source.getFileName(), done, total));
    return ExitStatus.OK;
  }
}
