package parhelion.media.disk.qcow2;

import java.io.IOException;
import parhelion.media.disk.ImageFile;

/** The clusters of metadata that a writer does not touch: the header's and the snapshots'. */
final class OtherTables {
  private static final long MAX_SNAPSHOT_L1_BYTES = 256L << 20;

  private OtherTables() {}

  static ClusterSet of(ImageFile file, Header header) throws IOException {
    ClusterSet set = new ClusterSet();
    if (file.isReadOnly()) {
      return set;
    }
    Geometry geometry = header.geometry();
    add(set, geometry, 0, geometry.clusterBytes());
    SnapshotTable table = SnapshotTable.read(file, header);
    add(set, geometry, header.snapshotsOffset(), table.bytes());
    long bytes = 0;
    for (SnapshotTable.Snapshot each : table.snapshots()) {
      bytes += 8L * each.l1Entries();
      if (bytes > MAX_SNAPSHOT_L1_BYTES) {
        throw Tables.damaged(file, "the tables of snapshots take more than 256 MiB");
      }
      add(set, geometry, each.l1Offset(), 8L * each.l1Entries());
    }
    return set;
  }

  private static void add(ClusterSet set, Geometry geometry, long offset, long bytes) {
    for (long at = 0; at < bytes; at += geometry.clusterBytes()) {
      boolean ignored = set.add(offset + at >>> geometry.clusterBits());
    }
  }
}
