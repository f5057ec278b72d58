package parhelion.app.image;

import org.jspecify.annotations.Nullable;
import parhelion.media.disk.ImageFormat;
import picocli.CommandLine.Option;

/** What an image is, for the commands that open one. */
final class FormatOption {
  @Option(
      names = "--format",
      paramLabel = "raw|qcow2",
      converter = Sizes.Format.class,
      description = "What the image is (default: what its first sector says).")
  @Nullable ImageFormat format;
}
