package parhelion.media.disk.qcow2;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import parhelion.media.disk.ImageFile;

/**
 * What an image says of itself.
 *
 * @param version 2 or 3
 * @param sizeBytes of the disk
 * @param backingName the backing file as the header names it, or null
 * @param backingFormat the word for its format, or null
 * @param compression of the clusters that are compressed: zlib or zstd
 * @param refcountBits the width of a refcount
 * @param dirty its refcounts may be wrong
 * @param corrupt a program marked it as damaged
 */
public record Qcow2Info(
    int version,
    long sizeBytes,
    int clusterBytes,
    @Nullable String backingName,
    @Nullable String backingFormat,
    String compression,
    int refcountBits,
    boolean lazyRefcounts,
    boolean dirty,
    boolean corrupt,
    List<Snapshot> snapshots) {

  /**
   * An internal snapshot.
   *
   * @param seconds when it was made, since 1970
   */
  public record Snapshot(String id, String name, long seconds) {}

  /** Reads it from an image's file. */
  public static Qcow2Info read(ImageFile file) throws IOException {
    Header header = Header.read(file);
    List<Snapshot> snapshots = new ArrayList<>();
    for (SnapshotTable.Snapshot each : SnapshotTable.read(file, header).snapshots()) {
      snapshots.add(new Snapshot(each.id(), each.name(), each.seconds()));
    }
    return new Qcow2Info(
        header.version(),
        header.sizeBytes(),
        header.geometry().clusterBytes(),
        header.backingName(),
        header.backingFormat(),
        header.compressionType() == 1 ? "zstd" : "zlib",
        1 << header.geometry().refcountOrder(),
        (header.compatible() & Feature.LAZY_REFCOUNTS) != 0,
        header.has(Feature.DIRTY),
        header.has(Feature.CORRUPT),
        List.copyOf(snapshots));
  }
}
