package parhelion.media.disk.qcow2;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.TreeSet;
import parhelion.media.disk.DiskException;
import parhelion.media.disk.ImageFile;

/**
 * How often each host cluster is referred to, and with that, which are free. The refcount table is
 * in memory, the blocks that it names are cached by slices. What changes here reaches the file by
 * {@link Metadata#commit}. Called with the metadata's lock held.
 */
final class Refcounts {
  private final ImageFile file;
  private final Geometry geometry;
  private final ClusterSet tables;
  private final SliceCache cache;
  private long[] table;
  private long tableOffset;
  private final TreeSet<Integer> newBlocks = new TreeSet<>();

  /** Told of clusters of an old refcount table, which are free once it is not used any more. */
  private final LongList released = new LongList();

  /** A write of the header failed: nobody knows which table it names. */
  private boolean unknownTable;

  /** No cluster below is free. */
  private long hint = 1;

  /** The file has never held anything from this cluster on. */
  private volatile long end;

  /**
   * Reads the table; not that of a file that is only read, as it may be wrong there.
   *
   * @param tables of the clusters of metadata, to which those of refcounts are added
   */
  Refcounts(ImageFile file, Header header, ClusterSet tables, int cacheSlices) throws IOException {
    this.file = file;
    this.geometry = header.geometry();
    this.tables = tables;
    this.cache = new SliceCache(cacheSlices);
    this.tableOffset = header.refcountTableOffset();
    this.end = geometry.clustersFor(file.sizeBytes());
    if (file.isReadOnly()) {
      this.table = new long[0];
      return;
    }
    int clusters = header.refcountTableClusters();
    if (tableOffset >>> geometry.clusterBits() > end - clusters) {
      throw Tables.damaged(file, "the refcount table is past the end of the file");
    }
    this.table = Tables.read(file, tableOffset, clusters << geometry.clusterBits() - 3);
    addTables(tableOffset, clusters);
    for (int i = 0; i < table.length; i++) {
      long offset = table[i];
      if (offset != 0 && (!isCluster(offset) || !tables.add(offset >>> geometry.clusterBits()))) {
        throw Tables.damaged(file, "refcount block " + i + " is at " + offset);
      }
    }
  }

  private boolean isCluster(long offset) {
    return offset > 0
        && (offset & geometry.clusterBytes() - 1) == 0
        && offset >>> geometry.clusterBits() < end;
  }

  private void addTables(long offset, long clusters) {
    for (long i = 0; i < clusters; i++) {
      boolean ignored = tables.add((offset >>> geometry.clusterBits()) + i);
    }
  }

  /** The number of the first cluster that the file has never held. Any thread may ask. */
  long end() {
    return end;
  }

  /** A cluster's refcount. */
  long get(long cluster) throws IOException {
    return hasBlock(cluster) ? refcount(slice(cluster), cluster) : 0;
  }

  private boolean hasBlock(long cluster) {
    long block = cluster >>> geometry.blockBits();
    return block < table.length && table[(int) block] != 0;
  }

  /** Sets a cluster's refcount; its block exists. */
  private void set(long cluster, long count) throws IOException {
    Slice slice = slice(cluster);
    put(slice.bytes, (int) (cluster & (1L << geometry.refcountSliceBits()) - 1), count);
    cache.markDirty(slice);
  }

  /** Sets a cluster's refcount, with a block made if there is none: for repairs. */
  void repair(long cluster, long count) throws IOException {
    if (!hasBlock(cluster)) {
      if (count == 0) {
        return;
      }
      throw Tables.damaged(file, "refcounts are missing");
    }
    set(cluster, count);
    hint = Math.min(hint, cluster);
  }

  private Slice slice(long cluster) throws IOException {
    long number = cluster >>> geometry.refcountSliceBits();
    Slice slice = cache.get(number);
    if (slice == null) {
      slice = new Slice(number, new byte[geometry.sliceBytes()]);
      file.read(place(number), ByteBuffer.wrap(slice.bytes));
      cache.add(slice);
    }
    return slice;
  }

  private long place(long slice) {
    int bits = geometry.clusterBits() - geometry.sliceBits();
    return table[(int) (slice >>> bits)] + ((slice & (1L << bits) - 1) << geometry.sliceBits());
  }

  private long refcount(Slice slice, long cluster) {
    int index = (int) (cluster & (1L << geometry.refcountSliceBits()) - 1);
    return get(slice.bytes, index, geometry.refcountOrder());
  }

  /** A refcount out of a block. Widths below a byte begin at its low bits. */
  static long get(byte[] block, int index, int order) {
    if (order < 3) {
      int width = 1 << order;
      int bit = index << order;
      return block[bit >>> 3] >>> (bit & 7) & (1 << width) - 1;
    }
    int bytes = 1 << order - 3;
    long value = 0;
    for (int i = 0; i < bytes; i++) {
      value = value << 8 | block[index * bytes + i] & 0xff;
    }
    return value;
  }

  private void put(byte[] block, int index, long value) {
    put(block, index, geometry.refcountOrder(), value);
  }

  /** Puts a refcount into a block. */
  static void put(byte[] block, int index, int order, long value) {
    if (order < 3) {
      int bit = index << order;
      int mask = (1 << (1 << order)) - 1 << (bit & 7);
      block[bit >>> 3] = (byte) (block[bit >>> 3] & ~mask | (int) value << (bit & 7));
      return;
    }
    int bytes = 1 << order - 3;
    for (int i = bytes - 1; i >= 0; i--) {
      block[index * bytes + i] = (byte) value;
      value >>>= 8;
    }
  }

  /** Takes free clusters: as many in a row as there are where the first one is, at most so many. */
  Allocation allocate(int most) throws IOException {
    long first = nextFree(hint);
    long oldEnd = end;
    int count = 0;
    while (count < most && isFree(first + count)) {
      set(first + count, 1);
      count++;
    }
    hint = first + count;
    end = Math.max(end, hint);
    return new Allocation(first, count, first >= oldEnd);
  }

  /** Takes free clusters, all in a row. */
  Allocation allocateTogether(int count) throws IOException {
    long first = nextFree(hint);
    for (int run = 0; run < count; ) {
      if (isFree(first + run)) {
        run++;
      } else {
        first = nextFree(first + run + 1);
        run = 0;
      }
    }
    long oldEnd = end;
    for (int i = 0; i < count; i++) {
      set(first + i, 1);
    }
    end = Math.max(end, first + count);
    return new Allocation(first, count, first >= oldEnd);
  }

  private long nextFree(long from) throws IOException {
    long cluster = from;
    while (!isFree(cluster)) {
      cluster++;
    }
    return cluster;
  }

  /** Whether a cluster has no refcount; makes the block for its refcount if there is none. */
  private boolean isFree(long cluster) throws IOException {
    checkUsable();
    if (!hasBlock(cluster)) {
      createBlock(cluster);
    }
    return refcount(slice(cluster), cluster) == 0 && !tables.contains(cluster);
  }

  /** Throws if what the header says is not known for sure. */
  void checkUsable() throws DiskException {
    if (unknownTable) {
      throw new DiskException(file.name() + ": its header could not be written: open it again");
    }
  }

  /** Makes the block in which this cluster's refcount is to be: at the cluster itself. */
  private void createBlock(long cluster) throws IOException {
    if (cluster << geometry.clusterBits() >= Geometry.MAX_HOST_BYTES) {
      throw new DiskException(file.name() + ": is as large as an image can be");
    }
    long block = cluster >>> geometry.blockBits();
    if (block >= table.length) {
      growTable(cluster);
      return;
    }
    long offset = cluster << geometry.clusterBits();
    Tables.writeZeroes(file, offset, geometry.clusterBytes());
    table[(int) block] = offset;
    boolean ignored = tables.add(cluster);
    set(cluster, 1);
    newBlocks.add((int) block);
    end = Math.max(end, cluster + 1);
  }

  /**
   * Makes a larger table, for a cluster past all that the old one can describe. It is written right
   * here, behind the cluster, with the blocks that describe it and themselves, before the header
   * names it.
   */
  private void growTable(long cluster) throws IOException {
    int perCluster = geometry.clusterBytes() >>> 3;
    long firstBlock = cluster >>> geometry.blockBits();
    long tableClusters;
    long blocks = 1;
    while (true) {
      long entries = Math.max(firstBlock + blocks, table.length + (table.length >>> 1));
      tableClusters = (entries + perCluster - 1) / perCluster;
      long last = cluster + tableClusters + blocks - 1;
      long needed = (last >>> geometry.blockBits()) - firstBlock + 1;
      if (needed == blocks) {
        break;
      }
      blocks = needed;
    }
    if (tableClusters << geometry.clusterBits() > Header.MAX_REFCOUNT_TABLE_BYTES) {
      throw new DiskException(
          file.name()
              + ": is as large as an image with such clusters can be: convert it to one with larger"
              + " clusters");
    }
    long[] larger = Arrays.copyOf(table, (int) tableClusters * perCluster);
    long used = cluster + tableClusters + blocks;
    for (int i = 0; i < blocks; i++) {
      long at = cluster + tableClusters + i;
      byte[] block = new byte[geometry.clusterBytes()];
      long from = firstBlock + i << geometry.blockBits();
      for (long c = Math.max(from, cluster); c < used && c < from + refcountsPerBlock(); c++) {
        put(block, (int) (c - from), 1);
      }
      file.write(at << geometry.clusterBits(), ByteBuffer.wrap(block));
      larger[(int) firstBlock + i] = at << geometry.clusterBits();
    }
    install(larger, cluster, (int) tableClusters);
    addTables(cluster << geometry.clusterBits(), tableClusters + blocks);
    end = Math.max(end, used);
  }

  private long refcountsPerBlock() {
    return 1L << geometry.blockBits();
  }

  private void install(long[] larger, long cluster, int clusters) throws IOException {
    long offset = cluster << geometry.clusterBits();
    Tables.write(file, offset, larger);
    file.force();
    unknownTable = true;
    ByteBuffer fields = ByteBuffer.allocate(12).putLong(offset).putInt(clusters).flip();
    file.write(Header.AT_REFCOUNT_TABLE, fields);
    file.force();
    unknownTable = false;
    long old = tableOffset >>> geometry.clusterBits();
    for (long i = 0; i < geometry.clustersFor(8L * table.length); i++) {
      released.add(old + i);
    }
    table = larger;
    tableOffset = offset;
    // They are in the new table already.
    newBlocks.clear();
  }

  /**
   * Gives clusters back at once: nothing in the file refers to them. What cannot be given back
   * stays taken, which does no harm.
   */
  void giveBack(long cluster, int count) {
    try {
      for (int i = 0; i < count; i++) {
        set(cluster + i, 0);
      }
      hint = Math.min(hint, cluster);
    } catch (IOException e) {
      // A leak, which a check finds.
    }
  }

  /** Counts one reference less; true if that was the last one. */
  boolean release(long cluster) throws IOException {
    if (!hasBlock(cluster)) {
      return false;
    }
    long count = refcount(slice(cluster), cluster);
    if (count == 0) {
      return false;
    }
    set(cluster, count - 1);
    if (count == 1) {
      hint = Math.min(hint, cluster);
    }
    return count == 1;
  }

  /** Takes the clusters of refcount tables that are not used any more. */
  void takeReleased(LongList into) {
    into.addAll(released);
    released.clear();
  }

  int dirtyCount() {
    return cache.dirtyCount();
  }

  boolean isDirty() {
    return cache.dirtyCount() > 0 || !newBlocks.isEmpty();
  }

  List<SliceCache.Copy> takeDirty() {
    return cache.takeDirty(this::place);
  }

  /** Entries of the table that are not in the file yet: pairs of offset in the file and value. */
  LongList takeNewBlocks() {
    LongList pairs = new LongList();
    for (int block : newBlocks) {
      pairs.add(tableOffset + 8L * block);
      pairs.add(table[block]);
    }
    newBlocks.clear();
    return pairs;
  }

  void failed(List<SliceCache.Copy> slices, LongList blocks) {
    cache.failed(slices);
    for (int i = 0; i < blocks.size(); i += 2) {
      int block = (int) ((blocks.get(i) - tableOffset) >>> 3);
      if (block >= 0 && block < table.length && table[block] == blocks.get(i + 1)) {
        newBlocks.add(block);
      }
    }
  }

  /** The number after the last cluster that is referred to; at least {@code from}. */
  long lastUsed(long from) throws IOException {
    long cluster = end;
    while (cluster > from && get(cluster - 1) == 0) {
      cluster--;
    }
    return cluster;
  }

  /** The file was cut there. */
  void cut(long newEnd) {
    end = newEnd;
    hint = Math.min(hint, newEnd);
  }
}
