package parhelion.media.disk;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import parhelion.media.disk.qcow2.Qcow2Disk;

/**
 * An image with the backing files below it, as it is opened from the top down. A header names its
 * backing file and that file's format. Where the format is missing, the file is looked at; but what
 * was only found to be qcow2 then names no further file, as its header could be the work of a guest
 * that had it for a raw disk.
 */
final class BackingChain {
  private static final int MOST_FILES = 64;

  private final Set<Path> files = new HashSet<>();

  private BackingChain() {}

  /** Opens an image and all that is below it. */
  static Disk open(Path path, @Nullable ImageFormat format, boolean readOnly) throws IOException {
    return new BackingChain().openNext(path, format, readOnly, false);
  }

  private Disk openNext(
      Path path, @Nullable ImageFormat format, boolean readOnly, boolean guessedBacking)
      throws IOException {
    HostFile file =
        HostFile.open(path, readOnly, readOnly ? HostFile.Lock.SHARED : HostFile.Lock.EXCLUSIVE);
    try {
      if (!files.add(path.toRealPath())) {
        throw new DiskException(path + ": is its own backing file: restore it from a copy");
      }
      if (files.size() > MOST_FILES) {
        throw new DiskException(
            path + ": has more than " + MOST_FILES + " files above it: commit some of them");
      }
      ImageFormat is = format != null ? format : probe(file);
      if (is == ImageFormat.RAW) {
        return RawDisk.of(file, format == null);
      }
      return Qcow2Disk.open(
          file,
          (name, word) -> {
            if (guessedBacking) {
              throw new DiskException(
                  path
                      + ": is a backing file of which nobody says that it is qcow2, and has a backing"
                      + " file itself: say so, as with qemu-img rebase -u -F qcow2");
            }
            ImageFormat below = word == null ? null : known(path, word);
            return openNext(resolve(path, name), below, true, below == null);
          });
    } catch (IOException | RuntimeException | Error e) {
      closeQuietly(file);
      throw e;
    }
  }

  private static ImageFormat known(Path path, String word) throws DiskException {
    ImageFormat format = ImageFormat.of(word);
    if (format == null) {
      throw new DiskException(
          path
              + ": its backing file is of format "
              + word.strip()
              + ": only raw and qcow2 will do");
    }
    return format;
  }

  /** What a header's name of a backing file means: relative to the image's own directory. */
  static Path resolve(Path image, String name) throws DiskException {
    String local = name.startsWith("file:") ? name.substring("file:".length()) : name;
    if (local.startsWith("json:") || local.startsWith("nbd:") || local.contains("://")) {
      throw new DiskException(
          image + ": its backing file " + name + " is not a file of this machine: copy it here");
    }
    try {
      return image.toAbsolutePath().resolveSibling(local).normalize();
    } catch (InvalidPathException e) {
      throw new DiskException(image + ": the name of its backing file makes no sense", e);
    }
  }

  /** What a file is, by its first sector. */
  static ImageFormat probe(ImageFile file) throws IOException {
    byte[] sector = new byte[ImageFormat.PROBE_BYTES];
    file.read(0, ByteBuffer.wrap(sector));
    return ImageFormat.probe(file.name(), sector);
  }

  static void closeQuietly(AutoCloseable file) {
    try {
      file.close();
    } catch (Exception e) {
      // There is an error to tell of already.
    }
  }
}
