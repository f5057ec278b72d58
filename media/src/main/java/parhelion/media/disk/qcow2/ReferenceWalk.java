package parhelion.media.disk.qcow2;

import java.io.IOException;
import java.nio.ByteBuffer;
import parhelion.media.disk.ImageFile;

/**
 * Follows every reference of an image and counts, for each host cluster, how often it is referred
 * to. An L2 table that several snapshots share is read once.
 */
final class ReferenceWalk {
  private static final long MAX_SNAPSHOT_L1_BYTES = 256L << 20;
  private static final int MAX_BITMAP_TABLE_ENTRIES = 8 << 20;

  final CountTable counts = new CountTable();

  /** Clusters of metadata: what is data as well is damaged. */
  final ClusterSet tables = new ClusterSet();

  final LongList activeL2 = new LongList();
  final long[] refcountTable;

  private final ImageFile file;
  private final Header header;
  private final Geometry geometry;
  private final Findings findings;
  private final CheckReport.Progress progress;
  private final long end;

  ReferenceWalk(ImageFile file, Header header, Findings findings, CheckReport.Progress progress)
      throws IOException {
    this.file = file;
    this.header = header;
    this.geometry = header.geometry();
    this.findings = findings;
    this.progress = progress;
    this.end = geometry.clustersFor(file.sizeBytes());
    long tableBytes = (long) header.refcountTableClusters() << geometry.clusterBits();
    if (header.refcountTableOffset() > (end << geometry.clusterBits()) - tableBytes) {
      throw Tables.damaged(file, "the refcount table is past the end of the file");
    }
    this.refcountTable = Tables.read(file, header.refcountTableOffset(), (int) (tableBytes / 8));
  }

  void run() throws IOException {
    table("the header", 0, geometry.clusterBytes());
    table(
        "the refcount table",
        header.refcountTableOffset(),
        (long) header.refcountTableClusters() << geometry.clusterBits());
    for (int i = 0; i < refcountTable.length; i++) {
      if (refcountTable[i] != 0
          && !table("refcount block " + i, refcountTable[i], geometry.clusterBytes())) {
        refcountTable[i] = 0;
        findings.incomplete = true;
      }
    }
    LongList all = new LongList();
    l1("the L1 table", header.l1Offset(), header.l1Entries(), all, activeL2);
    snapshots(all);
    bitmaps();
    l2Tables(all.sorted());
  }

  /** Counts the clusters of a table; false if it cannot be where it is said to be. */
  private boolean table(String what, long offset, long bytes) {
    if (!isWithin(offset, bytes)) {
      findings.damagedTable(what + " is at " + offset);
      return false;
    }
    boolean fine = true;
    for (long at = offset; at < offset + bytes; at += geometry.clusterBytes()) {
      long cluster = at >>> geometry.clusterBits();
      counts.add(cluster, 1);
      fine &= tables.add(cluster);
    }
    if (!fine) {
      findings.damagedTable(what + " at " + offset + " overlaps another table");
    }
    return fine;
  }

  private boolean isWithin(long offset, long bytes) {
    return offset >= 0
        && (offset & geometry.clusterBytes() - 1) == 0
        && offset <= (end << geometry.clusterBits()) - bytes;
  }

  private void l1(String what, long offset, int entries, LongList all, LongList mine)
      throws IOException {
    if (entries == 0 || !table(what, offset, 8L * entries)) {
      return;
    }
    long[] l1 = Tables.read(file, offset, entries);
    for (int i = 0; i < entries; i++) {
      long table = Entry.offset(l1[i]);
      if (table != 0 && !isWithin(table, geometry.clusterBytes())) {
        findings.damagedTable("entry " + i + " of " + what + " is " + table);
      } else if (table != 0) {
        mine.add(table);
        all.add(table);
      }
    }
    LongList sorted = mine.sorted();
    for (int i = 1; i < sorted.size(); i++) {
      if (sorted.get(i) == sorted.get(i - 1)) {
        findings.damagedTable(what + " has the L2 table at " + sorted.get(i) + " more than once");
      }
    }
  }

  private void snapshots(LongList all) throws IOException {
    SnapshotTable table;
    try {
      table = SnapshotTable.read(file, header);
    } catch (IOException e) {
      findings.damagedTable(String.valueOf(e.getMessage()));
      return;
    }
    if (!table.snapshots().isEmpty()) {
      boolean ignored = table("the snapshot table", header.snapshotsOffset(), table.bytes());
    }
    long bytes = 0;
    for (SnapshotTable.Snapshot each : table.snapshots()) {
      bytes += 8L * each.l1Entries();
      if (bytes > MAX_SNAPSHOT_L1_BYTES) {
        findings.damagedTable("the tables of snapshots take more than 256 MiB");
        return;
      }
      String what = "the L1 table of snapshot " + each.id();
      l1(what, each.l1Offset(), each.l1Entries(), all, new LongList());
    }
  }

  private void bitmaps() throws IOException {
    Header.Bitmaps bitmaps = header.bitmaps();
    if (bitmaps == null || (header.autoclear() & Feature.BITMAPS) == 0) {
      return;
    }
    if (!table("the bitmap directory", bitmaps.directoryOffset(), bitmaps.directoryBytes())) {
      return;
    }
    ByteBuffer directory = ByteBuffer.allocate((int) bitmaps.directoryBytes());
    file.read(bitmaps.directoryOffset(), directory);
    int at = 0;
    for (int i = 0; i < bitmaps.count(); i++) {
      if (at + 24 > directory.capacity()) {
        findings.damagedTable("the bitmap directory is cut off");
        return;
      }
      bitmap(i, directory.getLong(at), directory.getInt(at + 8));
      long next = at + 24L + (directory.getShort(at + 18) & 0xffff);
      next += directory.getInt(at + 20) & 0xffff_ffffL;
      at = (int) Math.min(next + 7 & ~7L, directory.capacity());
    }
  }

  private void bitmap(int number, long offset, int entries) throws IOException {
    String what = "the table of bitmap " + number;
    if (entries < 0 || entries > MAX_BITMAP_TABLE_ENTRIES) {
      findings.damagedTable(what + " is too long");
    } else if (table(what, offset, 8L * entries)) {
      for (long entry : Tables.read(file, offset, entries)) {
        long data = Entry.offset(entry);
        if (data != 0) {
          boolean ignored = table("a piece of bitmap " + number, data, geometry.clusterBytes());
        }
      }
    }
  }

  /** Reads each L2 table once; what it refers to counts as often as it is referred to itself. */
  private void l2Tables(LongList sorted) throws IOException {
    for (int i = 0; i < sorted.size(); ) {
      long offset = sorted.get(i);
      int references = 1;
      while (i + references < sorted.size() && sorted.get(i + references) == offset) {
        references++;
      }
      long cluster = offset >>> geometry.clusterBits();
      counts.add(cluster, references);
      if (!tables.add(cluster)) {
        findings.damagedTable("the L2 table at " + offset + " overlaps another table");
        counts.add(cluster, -references);
      }
      i += references;
    }
    LongList active = activeL2.sorted();
    int nextActive = 0;
    for (int i = 0; i < sorted.size(); ) {
      long offset = sorted.get(i);
      int references = 1;
      while (i + references < sorted.size() && sorted.get(i + references) == offset) {
        references++;
      }
      while (nextActive < active.size() && active.get(nextActive) < offset) {
        nextActive++;
      }
      boolean isActive = nextActive < active.size() && active.get(nextActive) == offset;
      l2Table(offset, references, isActive);
      i += references;
      progress.update(i, sorted.size());
    }
  }

  private void l2Table(long offset, int references, boolean active) throws IOException {
    long[] table = Tables.read(file, offset, geometry.clusterBytes() >>> 3);
    for (int i = 0; i < table.length; i++) {
      long entry = table[i];
      if (Entry.isCompressed(entry)) {
        findings.compressed += active ? 1 : 0;
        findings.allocated += active ? 1 : 0;
        compressed(offset, i, entry, references);
      } else if (Entry.offset(entry) != 0) {
        findings.allocated += active ? 1 : 0;
        data(offset, i, Entry.offset(entry), references);
      }
    }
  }

  private void compressed(long table, int index, long entry, int references) {
    long from = Entry.compressedOffset(entry, geometry);
    long last = from + Entry.compressedBytes(entry, geometry) - 1;
    for (long c = from >>> geometry.clusterBits(); c <= last >>> geometry.clusterBits(); c++) {
      if (c < end) {
        data(table, index, c << geometry.clusterBits(), references);
      } else if (c == from >>> geometry.clusterBits()) {
        damagedData(table, index, "is past the end of the file");
      }
    }
  }

  private void data(long table, int index, long offset, int references) {
    if (!isWithin(offset, geometry.clusterBytes())) {
      damagedData(table, index, "is at " + offset);
    } else if (tables.contains(offset >>> geometry.clusterBits())) {
      damagedData(table, index, "at " + offset + " is in a table");
    } else {
      counts.add(offset >>> geometry.clusterBits(), references);
    }
  }

  private void damagedData(long table, int index, String what) {
    findings.corruption("cluster " + index + " of the L2 table at " + table + " " + what);
  }
}
