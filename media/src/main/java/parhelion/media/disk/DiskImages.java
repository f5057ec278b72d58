package parhelion.media.disk;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;

/**
 * Opens and creates disk images. What is returned is locked until it is closed: one writer, or any
 * number of readers.
 */
public final class DiskImages {
  private DiskImages() {}

  /**
   * Opens an image.
   *
   * @throws DiskException if it cannot be opened or is in use; one line for the user
   */
  public static Disk open(Path path, DiskOptions options) throws DiskException {
    boolean readOnly = options.readOnly() || options.snapshot();
    HostFile file =
        HostFile.open(path, readOnly, readOnly ? HostFile.Lock.SHARED : HostFile.Lock.EXCLUSIVE);
    try {
      ImageFormat format = options.format() != null ? options.format() : probe(file);
      if (options.snapshot() || format != ImageFormat.RAW) {
        throw new DiskException(path + ": only raw images, not as snapshots, can be opened so far");
      }
      return RawDisk.of(file, options.format() == null);
    } catch (IOException e) {
      close(file);
      throw e instanceof DiskException told
          ? told
          : new DiskException(path + ": " + e.getMessage(), e);
    }
  }

  private static ImageFormat probe(ImageFile file) throws IOException {
    byte[] sector = new byte[ImageFormat.PROBE_BYTES];
    file.read(0, ByteBuffer.wrap(sector));
    return ImageFormat.probe(file.name(), sector);
  }

  private static void close(ImageFile file) {
    try {
      file.close();
    } catch (IOException e) {
      // There is an error to tell of already.
    }
  }
}
