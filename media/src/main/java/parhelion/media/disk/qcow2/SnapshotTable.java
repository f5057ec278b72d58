package parhelion.media.disk.qcow2;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import parhelion.media.disk.ImageFile;

/** The table of internal snapshots: read, so that nothing of them is ever overwritten. */
final class SnapshotTable {
  private static final int FIXED_BYTES = 40;
  private static final int MAX_EXTRA_BYTES = 1024;
  private static final int MAX_TABLE_BYTES = 64 << 20;
  private static final int MAX_L1_ENTRIES = Header.MAX_L1_BYTES / 8;

  /**
   * A snapshot.
   *
   * @param sizeBytes of the disk then; -1 if the table does not say
   */
  record Snapshot(
      String id, String name, long seconds, long l1Offset, int l1Entries, long sizeBytes) {}

  private final List<Snapshot> snapshots = new ArrayList<>();
  private long bytes;

  private SnapshotTable() {}

  /** Reads the table of an image. */
  static SnapshotTable read(ImageFile file, Header header) throws IOException {
    SnapshotTable table = new SnapshotTable();
    long at = header.snapshotsOffset();
    if (header.snapshots() > 0 && at >= file.sizeBytes()) {
      throw Tables.damaged(file, "the snapshot table is past the end of the file");
    }
    for (int i = 0; i < header.snapshots(); i++) {
      at += table.readOne(file, at, header);
      table.bytes = at - header.snapshotsOffset();
      if (table.bytes > MAX_TABLE_BYTES) {
        throw Tables.damaged(file, "the snapshot table is too long");
      }
    }
    return table;
  }

  private int readOne(ImageFile file, long at, Header header) throws IOException {
    ByteBuffer fixed = ByteBuffer.allocate(FIXED_BYTES);
    file.read(at, fixed);
    long l1Offset = fixed.getLong(0);
    int l1Entries = fixed.getInt(8);
    int idBytes = fixed.getShort(12) & 0xffff;
    int nameBytes = fixed.getShort(14) & 0xffff;
    int extraBytes = fixed.getInt(36);
    if (extraBytes < 0
        || extraBytes > MAX_EXTRA_BYTES
        || l1Entries < 0
        || l1Entries > MAX_L1_ENTRIES
        || l1Offset < 0
        || l1Offset >= Geometry.MAX_HOST_BYTES
        || (l1Offset & header.geometry().clusterBytes() - 1) != 0) {
      throw Tables.damaged(file, "the snapshot at " + at);
    }
    ByteBuffer rest = ByteBuffer.allocate(extraBytes + idBytes + nameBytes);
    file.read(at + FIXED_BYTES, rest);
    long size = extraBytes >= 16 ? rest.getLong(8) : -1;
    String id = new String(rest.array(), extraBytes, idBytes, StandardCharsets.UTF_8);
    String name = new String(rest.array(), extraBytes + idBytes, nameBytes, StandardCharsets.UTF_8);
    snapshots.add(
        new Snapshot(
            id,
            name.replaceAll("\\p{Cntrl}", "?"),
            fixed.getInt(16) & 0xffff_ffffL,
            l1Offset,
            l1Entries,
            size));
    return FIXED_BYTES + rest.capacity() + 7 & ~7;
  }

  List<Snapshot> snapshots() {
    return snapshots;
  }

  /** The length of the table. */
  long bytes() {
    return bytes;
  }
}
