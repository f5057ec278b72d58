package parhelion.media.disk.qcow2;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.TreeSet;
import parhelion.media.disk.DiskException;
import parhelion.media.disk.ImageFile;

/**
 * Where each cluster of the disk is: the L1 table, in memory, and the L2 tables that it names,
 * cached by slices. What changes here reaches the file by {@link Metadata#commit}. {@link #cached}
 * may be called by any thread, all else with the metadata's lock held.
 */
final class L2Tables {
  private static final int L1_PIECE_ENTRIES = 512 / 8;

  private final ImageFile file;
  private final Geometry geometry;
  private final ClusterSet tables;
  private final Refcounts refcounts;
  private final SliceCache cache;
  private final Slice absent;
  private final TreeSet<Integer> dirtyPieces = new TreeSet<>();
  private long l1Offset;
  private long[] l1;
  private boolean unknownTable;

  L2Tables(ImageFile file, Header header, ClusterSet tables, Refcounts refcounts, int cacheSlices)
      throws IOException {
    this.file = file;
    this.geometry = header.geometry();
    this.tables = tables;
    this.refcounts = refcounts;
    this.cache = new SliceCache(cacheSlices);
    this.absent = new Slice(-1, new byte[geometry.sliceBytes()]);
    this.l1Offset = header.l1Offset();
    long bytes = 8L * header.l1Entries();
    if (bytes > 0 && l1Offset > geometry.roundUp(file.sizeBytes()) - bytes) {
      throw Tables.damaged(file, "the L1 table is past the end of the file");
    }
    this.l1 = Tables.read(file, l1Offset, header.l1Entries());
    addTables(l1Offset, geometry.clustersFor(bytes));
    for (long entry : l1) {
      long offset = Entry.offset(entry);
      if (offset != 0) {
        // One that is there twice, or not aligned, is found when it is used, or by a check.
        boolean ignored = tables.add(offset >>> geometry.clusterBits());
      }
    }
  }

  private void addTables(long offset, long clusters) {
    for (long i = 0; i < clusters; i++) {
      boolean ignored = tables.add((offset >>> geometry.clusterBits()) + i);
    }
  }

  /** The slice that has a cluster's entry, if it is in memory; else null. */
  @org.jspecify.annotations.Nullable
  Slice cached(long cluster) {
    return cache.get(cluster >>> geometry.l2SliceBits());
  }

  /** The slice that has a cluster's entry; where there is no table, one that is all zero. */
  Slice slice(long cluster) throws IOException {
    long number = cluster >>> geometry.l2SliceBits();
    Slice slice = cache.get(number);
    if (slice != null) {
      return slice;
    }
    long table = table(cluster);
    if (table == 0) {
      return absent;
    }
    slice = new Slice(number, new byte[geometry.sliceBytes()]);
    file.read(place(number), ByteBuffer.wrap(slice.bytes));
    return cache.add(slice);
  }

  boolean hasTable(long cluster) {
    return Entry.offset(l1[(int) (cluster >>> geometry.l2Bits())]) != 0;
  }

  /** The offset of the table for a cluster, checked; 0 if there is none. */
  private long table(long cluster) throws IOException {
    int index = (int) (cluster >>> geometry.l2Bits());
    long offset = Entry.offset(l1[index]);
    if ((offset & geometry.clusterBytes() - 1) != 0
        || offset >>> geometry.clusterBits() >= refcounts.end()) {
      throw Tables.damaged(file, "L2 table " + index + " is at " + offset);
    }
    return offset;
  }

  private long place(long slice) {
    int bits = geometry.l2Bits() - geometry.l2SliceBits();
    return Entry.offset(l1[(int) (slice >>> bits)])
        + ((slice & (1L << bits) - 1) << geometry.sliceBits());
  }

  /** Index of a cluster's entry in its slice. */
  int indexInSlice(long cluster) {
    return (int) (cluster & (1L << geometry.l2SliceBits()) - 1);
  }

  /** Sets a cluster's entry, in a table of its own. */
  void set(long cluster, long entry, LongList released) throws IOException {
    int index = (int) (cluster >>> geometry.l2Bits());
    long table = table(cluster);
    if (table == 0 || !Entry.isCopied(l1[index])) {
      ownTable(index, table);
      if (table != 0) {
        released.add(table >>> geometry.clusterBits());
      }
    }
    Slice slice = slice(cluster);
    slice.entry(indexInSlice(cluster), entry);
    cache.markDirty(slice);
  }

  /** A new table, empty or a copy of one that a snapshot has too. */
  private void ownTable(int index, long old) throws IOException {
    checkUsable();
    long cluster = refcounts.allocate(1).cluster();
    long offset = cluster << geometry.clusterBits();
    try {
      if (old == 0) {
        Tables.writeZeroes(file, offset, geometry.clusterBytes());
      } else {
        Tables.copy(file, old, offset, geometry.clusterBytes());
      }
    } catch (IOException e) {
      refcounts.giveBack(cluster, 1);
      throw e;
    }
    boolean ignored = tables.add(cluster);
    l1[index] = offset | Entry.COPIED;
    dirtyPieces.add(index / L1_PIECE_ENTRIES);
  }

  int l1Entries() {
    return l1.length;
  }

  /**
   * Makes the L1 table larger: a new one is written and flushed; the header names it once it is
   * written with what this returns.
   */
  Allocation growL1(int entries) throws IOException {
    checkUsable();
    Allocation place = refcounts.allocateTogether((int) geometry.clustersFor(8L * entries));
    long offset = place.cluster() << geometry.clusterBits();
    try {
      long[] whole = Arrays.copyOf(l1, (int) ((long) place.count() << geometry.clusterBits() - 3));
      Tables.write(file, offset, whole);
    } catch (IOException e) {
      refcounts.giveBack(place.cluster(), place.count());
      throw e;
    }
    return place;
  }

  /** The header is about to be written, or is. */
  void headerInDoubt(boolean doubt) {
    unknownTable = doubt;
  }

  /** The header names the larger table now. */
  void useL1(Allocation place, int entries, LongList released) {
    long oldClusters = geometry.clustersFor(8L * l1.length);
    for (long i = 0; i < oldClusters; i++) {
      released.add((l1Offset >>> geometry.clusterBits()) + i);
    }
    l1 = Arrays.copyOf(l1, entries);
    l1Offset = place.cluster() << geometry.clusterBits();
    addTables(l1Offset, place.count());
  }

  void checkUsable() throws DiskException {
    if (unknownTable) {
      throw new DiskException(file.name() + ": its header could not be written: open it again");
    }
  }

  int dirtyCount() {
    return cache.dirtyCount();
  }

  boolean isDirty() {
    return cache.dirtyCount() > 0 || !dirtyPieces.isEmpty();
  }

  List<SliceCache.Copy> takeDirty() {
    return cache.takeDirty(this::place);
  }

  void failed(List<SliceCache.Copy> slices) {
    cache.failed(slices);
  }

  /** A part of the L1 table as it is now. */
  record L1Piece(int number, long offset, byte[] bytes) {}

  List<L1Piece> takeDirtyL1() {
    List<L1Piece> pieces = dirtyPieces.stream().map(this::piece).toList();
    dirtyPieces.clear();
    return pieces;
  }

  private L1Piece piece(int number) {
    int from = number * L1_PIECE_ENTRIES;
    int count = Math.min(L1_PIECE_ENTRIES, l1.length - from);
    ByteBuffer bytes = ByteBuffer.allocate(8 * count);
    for (int i = 0; i < count; i++) {
      bytes.putLong(l1[from + i]);
    }
    return new L1Piece(number, l1Offset + 8L * from, bytes.array());
  }

  void failedL1(List<L1Piece> pieces) {
    pieces.forEach(piece -> dirtyPieces.add(piece.number));
  }
}
