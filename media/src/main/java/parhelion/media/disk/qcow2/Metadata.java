package parhelion.media.disk.qcow2;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import parhelion.media.disk.DiskException;
import parhelion.media.disk.ImageFile;

/**
 * The tables of an image that is written, and the order in which they reach the file.
 *
 * <p>Data go to the file at once, tables stay in memory until {@link #commit}. That writes first
 * the refcounts of what was allocated, then, after a flush, the L2 and L1 entries that refer to it,
 * and only after another flush is free what these do not refer to any more. So whenever the process
 * or the host stops, every entry in the file refers to data that are there and counted; clusters
 * that are counted and not referred to can be left over, and a check frees them.
 *
 * <p>Locks, in this order: a range of the disk ({@link RangeLocks}), {@link #commitLock}, {@link
 * #lock}. No data are read or written with {@link #lock} held, nor does a commit hold it while it
 * writes; the loading of a slice does.
 */
final class Metadata {
  /** Cached tables: so much of each kind. */
  private static final int CACHE_BYTES = 8 << 20;

  private static final int MOST_RELEASED = 1 << 16;

  private final ImageFile file;
  private final Geometry geometry;
  private final ClusterSet tables;
  private final int mostDirty;
  private final ReentrantLock lock = new ReentrantLock();
  private final ReentrantLock commitLock = new ReentrantLock();
  private final Refcounts refcounts;
  private final L2Tables l2;

  /** Clusters that are referred to once less as soon as the entries of now are in the file. */
  private LongList released = new LongList();

  /** The same for clusters of tables that have been replaced. */
  private LongList releasedTables = new LongList();

  /** Commits that were asked for, and the last request that has been served. */
  private long requested;

  private long served;

  /**
   * Reads the tables.
   *
   * @param tables clusters of other metadata, which are not to be taken for free
   */
  Metadata(ImageFile file, Header header, ClusterSet tables) throws IOException {
    this.file = file;
    this.geometry = header.geometry();
    this.tables = tables;
    int slices = CACHE_BYTES / geometry.sliceBytes();
    this.mostDirty = slices / 2;
    this.refcounts = new Refcounts(file, header, tables, slices);
    this.l2 = new L2Tables(file, header, tables, refcounts, slices);
  }

  /** The slice with a cluster's L2 entry. */
  Slice slice(long cluster) throws IOException {
    Slice slice = l2.cached(cluster);
    if (slice != null) {
      return slice;
    }
    lock.lock();
    try {
      return l2.slice(cluster);
    } finally {
      lock.unlock();
    }
  }

  int indexInSlice(long cluster) {
    return l2.indexInSlice(cluster);
  }

  /**
   * The host offset of a plain entry; checked, so that a damaged entry cannot lead out of the file
   * nor, if it is to be written, into a table.
   */
  long hostOffset(long entry, boolean toWrite) throws DiskException {
    long offset = Entry.offset(entry);
    long cluster = offset >>> geometry.clusterBits();
    if ((offset & geometry.clusterBytes() - 1) != 0
        || cluster >= refcounts.end()
        || toWrite && (cluster == 0 || tables.contains(cluster))) {
      throw Tables.damaged(file, "data are said to be at " + offset);
    }
    return offset;
  }

  /** Whether there is an L2 table for a cluster; without one, none around it says anything. */
  boolean hasTable(long cluster) {
    lock.lock();
    try {
      return l2.hasTable(cluster);
    } finally {
      lock.unlock();
    }
  }

  /** Takes free clusters in a row, one at least. */
  Allocation allocate(int most) throws IOException {
    lock.lock();
    try {
      return refcounts.allocate(most);
    } finally {
      lock.unlock();
    }
  }

  /** Gives back what was allocated and not mapped. */
  void giveBack(long cluster, int count) {
    lock.lock();
    try {
      refcounts.giveBack(cluster, count);
    } finally {
      lock.unlock();
    }
  }

  /**
   * Lets the disk's cluster be what the entry says; what it was before is released. The caller has
   * the cluster's range for itself.
   */
  void map(long cluster, long entry) throws IOException {
    lock.lock();
    try {
      long old = l2.slice(cluster).entry(l2.indexInSlice(cluster));
      l2.set(cluster, entry, releasedTables);
      release(old);
    } finally {
      lock.unlock();
    }
  }

  private void release(long old) {
    if (Entry.isCompressed(old)) {
      long from = Entry.compressedOffset(old, geometry);
      long last = from + Entry.compressedBytes(old, geometry) - 1;
      for (long c = from >>> geometry.clusterBits(); c <= last >>> geometry.clusterBits(); c++) {
        releaseData(c);
      }
    } else if (Entry.offset(old) != 0) {
      releaseData(Entry.offset(old) >>> geometry.clusterBits());
    }
  }

  /** Not so what a damaged entry calls data and is a table. */
  private void releaseData(long cluster) {
    if (cluster != 0 && !tables.contains(cluster)) {
      released.add(cluster);
    }
  }

  /** Commits if much waits for it; before a change, with no lock held but a range's. */
  void throttle() throws IOException {
    if (isCrowded()) {
      commit();
    }
  }

  private boolean isCrowded() {
    lock.lock();
    try {
      return l2.dirtyCount() > mostDirty
          || refcounts.dirtyCount() > mostDirty
          || released.size() > MOST_RELEASED;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Returns once all that was written and mapped before is on stable storage. Requests that wait
   * for one another are served by one commit.
   */
  void commit() throws IOException {
    long mine;
    lock.lock();
    try {
      mine = ++requested;
    } finally {
      lock.unlock();
    }
    commitLock.lock();
    try {
      if (served < mine) {
        commitAll();
      }
    } finally {
      commitLock.unlock();
    }
  }

  /** All that a commit writes, as it was at one moment. */
  private record Batch(
      long request,
      List<SliceCache.Copy> refcounts,
      LongList newBlocks,
      List<SliceCache.Copy> entries,
      List<L2Tables.L1Piece> l1,
      LongList released,
      LongList releasedTables) {}

  private Batch take() throws IOException {
    lock.lock();
    try {
      refcounts.checkUsable();
      l2.checkUsable();
      refcounts.takeReleased(releasedTables);
      Batch batch =
          new Batch(
              requested,
              refcounts.takeDirty(),
              refcounts.takeNewBlocks(),
              l2.takeDirty(),
              l2.takeDirtyL1(),
              released,
              releasedTables);
      released = new LongList();
      releasedTables = new LongList();
      return batch;
    } finally {
      lock.unlock();
    }
  }

  private void commitAll() throws IOException {
    Batch batch = take();
    try {
      write(batch.refcounts);
      if (batch.newBlocks.size() > 0) {
        file.force();
        for (int i = 0; i < batch.newBlocks.size(); i += 2) {
          ByteBuffer entry = ByteBuffer.allocate(8).putLong(batch.newBlocks.get(i + 1)).flip();
          file.write(batch.newBlocks.get(i), entry);
        }
      }
      file.force();
      if (!batch.entries.isEmpty() || !batch.l1.isEmpty()) {
        write(batch.entries);
        for (L2Tables.L1Piece piece : batch.l1) {
          file.write(piece.offset(), ByteBuffer.wrap(piece.bytes()));
        }
        file.force();
      }
    } catch (IOException e) {
      takeBack(batch);
      throw e;
    }
    served = batch.request;
    lock.lock();
    try {
      SliceCache.arrived(batch.refcounts);
      SliceCache.arrived(batch.entries);
      for (int i = 0; i < batch.releasedTables.size(); i++) {
        long cluster = batch.releasedTables.get(i);
        tables.remove(cluster);
        boolean ignored = refcounts.release(cluster);
      }
    } finally {
      lock.unlock();
    }
    free(batch.released);
  }

  private void write(List<SliceCache.Copy> slices) throws IOException {
    for (SliceCache.Copy copy : slices) {
      file.write(copy.offset(), ByteBuffer.wrap(copy.bytes()));
    }
  }

  private void takeBack(Batch batch) {
    lock.lock();
    try {
      refcounts.failed(batch.refcounts, batch.newBlocks);
      l2.failed(batch.entries);
      l2.failedL1(batch.l1);
      batch.released.addAll(released);
      released = batch.released;
      batch.releasedTables.addAll(releasedTables);
      releasedTables = batch.releasedTables;
    } finally {
      lock.unlock();
    }
  }

  /** Nothing in the file refers to these any more: their space is the host's, and then ours. */
  private void free(LongList clusters) throws IOException {
    LongList sorted = clusters.sorted();
    for (int i = 0; i < sorted.size(); ) {
      int run = 1;
      while (i + run < sorted.size() && sorted.get(i + run) == sorted.get(i) + run) {
        run++;
      }
      free(sorted.get(i), run);
      i += run;
    }
  }

  private void free(long cluster, int count) throws IOException {
    boolean last = true;
    lock.lock();
    try {
      for (int i = 0; i < count; i++) {
        last &= refcounts.get(cluster + i) == 1 && !tables.contains(cluster + i);
      }
    } finally {
      lock.unlock();
    }
    if (last) {
      // Nobody can have allocated them before they are released below.
      boolean ignored =
          file.punchHole(cluster << geometry.clusterBits(), (long) count << geometry.clusterBits());
    }
    lock.lock();
    try {
      for (int i = 0; i < count; i++) {
        if (!tables.contains(cluster + i)) {
          boolean ignored = refcounts.release(cluster + i);
        }
      }
    } finally {
      lock.unlock();
    }
  }

  /** Commits until nothing is left over, not even clusters that are free since. */
  void commitAndFree() throws IOException {
    commit();
    lock.lock();
    boolean more;
    try {
      more = refcounts.isDirty() || l2.isDirty();
    } finally {
      lock.unlock();
    }
    if (more) {
      commit();
    }
  }

  /**
   * Sets the disk's size in the header, once everything written before is on stable storage.
   *
   * @param roomBytes the size that the L1 table is to have room for, at least {@code sizeBytes}
   */
  void setSize(long sizeBytes, long roomBytes) throws IOException {
    commit();
    commitLock.lock();
    lock.lock();
    try {
      l2.checkUsable();
      int entries = (int) geometry.l1EntriesFor(roomBytes);
      if (entries > l2.l1Entries()) {
        growTo(sizeBytes, entries);
      } else {
        file.write(Header.AT_SIZE, ByteBuffer.allocate(8).putLong(sizeBytes).flip());
        file.force();
      }
    } finally {
      lock.unlock();
      commitLock.unlock();
    }
  }

  private void growTo(long sizeBytes, int entries) throws IOException {
    Allocation place = l2.growL1(entries);
    // Its refcounts before the header refers to it.
    List<SliceCache.Copy> dirty = refcounts.takeDirty();
    LongList blocks = refcounts.takeNewBlocks();
    try {
      write(dirty);
      file.force();
      for (int i = 0; i < blocks.size(); i += 2) {
        file.write(blocks.get(i), ByteBuffer.allocate(8).putLong(blocks.get(i + 1)).flip());
      }
      file.force();
    } catch (IOException e) {
      refcounts.failed(dirty, blocks);
      refcounts.giveBack(place.cluster(), place.count());
      throw e;
    }
    SliceCache.arrived(dirty);
    l2.headerInDoubt(true);
    // Size, encryption, L1 size and offset lie in a row.
    ByteBuffer fields = ByteBuffer.allocate(24);
    fields.putLong(sizeBytes).putInt(0).putInt(entries);
    fields.putLong(place.cluster() << geometry.clusterBits());
    file.write(Header.AT_SIZE, fields.flip());
    file.force();
    l2.headerInDoubt(false);
    l2.useL1(place, entries, releasedTables);
  }

  /** Cuts off what is free at the end of the file. */
  void cutFile() throws IOException {
    commitAndFree();
    lock.lock();
    try {
      if (!refcounts.isDirty()) {
        long end = refcounts.lastUsed(1);
        if (end < refcounts.end()) {
          file.truncate(end << geometry.clusterBits());
          refcounts.cut(end);
        }
      }
    } finally {
      lock.unlock();
    }
  }
}
