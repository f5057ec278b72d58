package parhelion.bench;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;

/**
 * What a disk does: Parhelion's paravirtual one and QEMU's virtio-blk under TCG, on one raw image.
 * Run by {@code bench/disk}.
 */
public final class DiskComparison {
  private static final int MIB = 1 << 20;
  private static final int IMAGE_MIB = 256;

  private DiskComparison() {}

  /** Arguments: the launcher, the program, runs, seconds for each row. */
  public static void main(String[] args) throws IOException, InterruptedException {
    withImage(
        (image, file) ->
            new DeviceComparison(
                    DeviceComparison.CLOUD,
                    Path.of(args[1]),
                    "/dev/[xv][vd]?* " + args[3],
                    5,
                    List.of("xen-blkfront", "virtio_pci", "virtio_blk"),
                    List.of("--disk", image + ",format=raw"),
                    List.of("-drive", "file=" + image + ",format=raw,if=virtio,cache=writeback"),
                    "")
                // What a run has left to be written is not to slow down the next one.
                .run(Path.of(args[0]), Integer.parseInt(args[2]), () -> file.force(true)));
  }

  /** Something that is done with an image in a file that is open. */
  interface Use {
    void of(Path image, FileChannel file) throws IOException, InterruptedException;
  }

  /** Makes an image, which is there as long as it is used. */
  static void withImage(Use use) throws IOException, InterruptedException {
    Path image = Files.createTempFile("parhelion-bench", ".img");
    try (FileChannel file = FileChannel.open(image, StandardOpenOption.WRITE)) {
      fill(file);
      use.of(image, file);
    } finally {
      Files.delete(image);
    }
  }

  /** Every block is there already: who comes first would have to find room for them. */
  private static void fill(FileChannel file) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocateDirect(MIB);
    for (int i = 0; i < IMAGE_MIB; i++) {
      bytes.clear();
      while (bytes.hasRemaining()) {
        file.write(bytes);
      }
    }
  }
}
