package parhelion.app.image;

import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import parhelion.app.ExitStatus;
import parhelion.media.disk.Disk;
import parhelion.media.disk.DiskImages;
import parhelion.media.disk.DiskOptions;
import parhelion.toolstack.UserError;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.TypeConversionException;

/** {@code parhelion image resize}: a larger or smaller disk. */
@Command(
    name = "resize",
    mixinStandardHelpOptions = true,
    description = {
      "Makes the disk in an image larger or smaller. What is added reads as zeroes.",
      "",
      "Partitions and file systems are the guest's: grow them afterwards, shrink them before."
    },
    sortOptions = false,
    exitCodeListHeading = "%nExit status:%n",
    exitCodeList = {"0:done", "1:it could not be done; one line says why", "2:wrong command line"},
    footerHeading = "%nExamples:%n",
    footer = {
      "  parhelion image resize data.qcow2 40G",
      "  parhelion image resize data.qcow2 +10G",
      "  parhelion image resize --shrink data.qcow2 10G"
    })
final class ResizeCommand implements Callable<Integer> {
  @Mixin FormatOption opened = new FormatOption();

  @Option(names = "--shrink", description = "Let it become smaller; what was there is lost.")
  boolean shrink;

  @Parameters(index = "0", paramLabel = "FILE", description = "The image.")
  Path file = Path.of("");

  @Parameters(
      index = "1",
      paramLabel = "[+]SIZE",
      converter = NewSize.class,
      description = "The new size, as 40G; with +, how much is added.")
  @Nullable NewSize size;

  @Override
  public Integer call() throws IOException {
    try (Disk disk = DiskImages.open(file, DiskOptions.WRITABLE.withFormat(opened.format))) {
      long old = disk.sizeBytes();
      long bytes = size == null ? old : size.of(old);
      if (bytes < old && !shrink) {
        throw new UserError(
            file
                + ": is of "
                + Sizes.show(old)
                + ": give --shrink if what is beyond "
                + Sizes.show(bytes)
                + " may be lost");
      }
      disk.resize(bytes);
    }
    return ExitStatus.OK;
  }

  /** A size, or how much more. */
  static final class NewSize implements ITypeConverter<NewSize> {
    private final long bytes;
    private final boolean more;

    /** For picocli. */
    NewSize() {
      this(0, false);
    }

    private NewSize(long bytes, boolean more) {
      this.bytes = bytes;
      this.more = more;
    }

    @Override
    public NewSize convert(String text) {
      boolean plus = text.startsWith("+");
      long value = Sizes.parse(plus ? text.substring(1) : text);
      if (value % 512 != 0) {
        throw new TypeConversionException("'" + text + "' is not a multiple of 512 bytes");
      }
      return new NewSize(value, plus);
    }

    long of(long old) {
      return more ? old + bytes : bytes;
    }
  }
}
