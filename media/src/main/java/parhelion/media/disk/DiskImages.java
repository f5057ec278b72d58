package parhelion.media.disk;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import parhelion.media.disk.qcow2.CheckReport;
import parhelion.media.disk.qcow2.Qcow2Create;
import parhelion.media.disk.qcow2.Qcow2Disk;
import parhelion.media.disk.qcow2.Qcow2Info;
import parhelion.media.disk.qcow2.RefcountCheck;

/**
 * Opens, creates and examines disk images. What is opened is locked until it is closed: by one
 * writer, or by any number of readers; so are the backing files below it, by readers.
 */
public final class DiskImages {
  /** Small, since a snapshot's writes are mostly small and its tables need not last. */
  private static final int SNAPSHOT_CLUSTER_BYTES = 16 << 10;

  private DiskImages() {}

  /**
   * Opens an image.
   *
   * @throws DiskException if it cannot be opened or is in use; one line for the user
   */
  public static Disk open(Path path, DiskOptions options) throws DiskException {
    boolean snapshot = options.snapshot() && !options.readOnly();
    try {
      Disk disk = BackingChain.open(path, options.format(), options.readOnly() || snapshot);
      return snapshot ? snapshotOf(disk) : disk;
    } catch (IOException e) {
      throw told(path, e);
    }
  }

  /**
   * A disk that begins as another one is, and whose changes are in a temporary file that vanishes
   * when it is closed, or this process ends. It owns the other, which it only reads.
   */
  public static Disk snapshotOf(Disk base) throws DiskException {
    ImageFile file = null;
    try {
      file = HostFile.temporary(temporaryDirectory());
      Qcow2Create.write(file, base.sizeBytes(), SNAPSHOT_CLUSTER_BYTES, null, null);
      return Qcow2Disk.open(file, base);
    } catch (IOException e) {
      if (file != null) {
        BackingChain.closeQuietly(file);
      }
      BackingChain.closeQuietly(base);
      throw told(temporaryDirectory(), e);
    }
  }

  /** Where large temporary files go: $TMPDIR, or /var/tmp, which is rather on a disk than /tmp. */
  private static Path temporaryDirectory() {
    String named = System.getenv("TMPDIR");
    if (named != null && !named.isEmpty()) {
      return Path.of(named);
    }
    Path usual = Path.of("/var/tmp");
    return Files.isWritable(usual) ? usual : Path.of(System.getProperty("java.io.tmpdir"));
  }

  /**
   * Creates an empty image.
   *
   * @param sizeBytes of the disk, a multiple of 512
   * @param clusterBytes of a qcow2 image
   * @param replace whether a file that exists may be overwritten
   */
  public static void create(
      Path path, ImageFormat format, long sizeBytes, int clusterBytes, boolean replace)
      throws DiskException {
    try (HostFile file = HostFile.create(path, replace)) {
      try {
        if (format == ImageFormat.QCOW2) {
          Qcow2Create.write(file, sizeBytes, clusterBytes, null, null);
        } else {
          RawDisk.of(file, false).resize(sizeBytes);
        }
      } catch (IOException e) {
        Files.deleteIfExists(path);
        throw e;
      }
    } catch (IOException e) {
      throw told(path, e);
    }
  }

  /**
   * Creates an image that begins as another one is, and has only what differs from it.
   *
   * @param backing the other image; its path gets into the header relative to the overlay's
   *     directory, if it is given as a relative one
   * @param format the other image's format, null to find out
   * @param sizeBytes of the disk; 0 for the other's
   */
  public static void createOverlay(
      Path path,
      Path backing,
      @Nullable ImageFormat format,
      long sizeBytes,
      int clusterBytes,
      boolean replace)
      throws DiskException {
    try {
      long size;
      ImageFormat is;
      try (Disk disk = BackingChain.open(backing, format, true)) {
        size = sizeBytes == 0 ? disk.sizeBytes() : sizeBytes;
        is = disk instanceof Qcow2Disk ? ImageFormat.QCOW2 : ImageFormat.RAW;
        if (Files.exists(path) && Files.isSameFile(path, backing)) {
          throw new DiskException(path + ": cannot be its own backing file: choose another name");
        }
        try (HostFile file = HostFile.create(path, replace)) {
          String name = nameFor(path, backing);
          try {
            Qcow2Create.write(file, size, clusterBytes, name, is.word());
          } catch (IOException e) {
            Files.deleteIfExists(path);
            throw e;
          }
        }
      }
    } catch (IOException e) {
      throw told(path, e);
    }
  }

  private static String nameFor(Path overlay, Path backing) throws IOException {
    if (backing.isAbsolute()) {
      return backing.toString();
    }
    Path directory = overlay.toAbsolutePath().getParent();
    return directory == null
        ? backing.toAbsolutePath().toString()
        : directory.toRealPath().relativize(realSibling(backing)).toString();
  }

  /** The path without links in its directories; a link at its end stays. */
  private static Path realSibling(Path path) throws IOException {
    Path absolute = path.toAbsolutePath();
    Path directory = absolute.getParent();
    return directory == null ? absolute : directory.toRealPath().resolve(absolute.getFileName());
  }

  /**
   * What an image is.
   *
   * @param fileBytes the length of the file
   * @param hostBytes how much of it is not holes
   * @param qcow2 what its header says, or null if it is raw
   * @param backing where its backing file is, or null
   */
  public record Info(
      Path path,
      ImageFormat format,
      long sizeBytes,
      long fileBytes,
      long hostBytes,
      @Nullable Qcow2Info qcow2,
      @Nullable Path backing) {}

  /** Reads what an image is, even if someone else is writing it. */
  public static Info info(Path path, @Nullable ImageFormat format) throws DiskException {
    try (HostFile file = HostFile.open(path, true, HostFile.Lock.NONE)) {
      ImageFormat is = format != null ? format : BackingChain.probe(file);
      long bytes = file.sizeBytes();
      if (is == ImageFormat.RAW) {
        long size = RawDisk.of(file, false).sizeBytes();
        return new Info(path, is, size, bytes, file.hostBytes(), null, null);
      }
      Qcow2Info qcow2 = Qcow2Info.read(file);
      String name = qcow2.backingName();
      Path backing = name == null ? null : BackingChain.resolve(path, name);
      return new Info(path, is, qcow2.sizeBytes(), bytes, file.hostBytes(), qcow2, backing);
    } catch (IOException e) {
      throw told(path, e);
    }
  }

  /**
   * Checks a qcow2 image, whatever state it is in.
   *
   * @param repair whether to repair what can be
   */
  public static CheckReport check(Path path, boolean repair, CheckReport.Progress progress)
      throws DiskException {
    HostFile.Lock lock = repair ? HostFile.Lock.EXCLUSIVE : HostFile.Lock.SHARED;
    try (HostFile file = HostFile.open(path, !repair, lock)) {
      if (BackingChain.probe(file) == ImageFormat.RAW) {
        throw new DiskException(path + ": is a raw image, in which there is nothing to check");
      }
      return RefcountCheck.run(file, repair, progress);
    } catch (IOException e) {
      throw told(path, e);
    }
  }

  private static DiskException told(Path path, IOException e) {
    return e instanceof DiskException one
        ? one
        : new DiskException(path + ": " + e.getMessage(), e);
  }
}
