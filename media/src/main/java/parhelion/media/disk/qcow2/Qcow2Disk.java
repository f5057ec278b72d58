package parhelion.media.disk.qcow2;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Objects;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.locks.Lock;
import org.jspecify.annotations.Nullable;
import parhelion.media.disk.Disk;
import parhelion.media.disk.DiskException;
import parhelion.media.disk.ImageFile;

/**
 * A qcow2 image as a disk.
 *
 * <p>A request is cut at the borders of ranges ({@link RangeLocks}). Where all of its clusters can
 * be read or written where they are, it holds the range's lock shared, so that such requests go
 * side by side; else it has the range for itself, writes the data to new clusters, and then lets
 * the tables say so ({@link Metadata}).
 */
public final class Qcow2Disk implements Disk {
  private static final int PIECE_BYTES = 64 << 10;
  private static final int KEPT_PIECES = 8;

  private final ImageFile file;
  private final Header header;
  private final Geometry geometry;
  private final @Nullable Disk backing;
  private final Metadata metadata;
  private final RangeLocks ranges;
  private final Clusters clusters;
  private final ArrayBlockingQueue<ByteBuffer> pieces = new ArrayBlockingQueue<>(KEPT_PIECES);
  private volatile long sizeBytes;
  private final Object resizing = new Object();
  private boolean closed;

  private Qcow2Disk(ImageFile file, Header header, @Nullable Disk backing) throws IOException {
    this.file = file;
    this.header = header;
    this.geometry = header.geometry();
    this.backing = backing;
    this.metadata = new Metadata(file, header, OtherTables.of(file, header));
    this.ranges = new RangeLocks(geometry);
    this.clusters = new Clusters(file, header, backing, metadata);
    this.sizeBytes = header.sizeBytes() + SECTOR_BYTES - 1 & -SECTOR_BYTES;
  }

  /** Opens what a header calls its backing file. */
  public interface BackingOpener {
    /**
     * Opens it to be read.
     *
     * @param name as the header has it
     * @param format the word for its format, or null if the header has none
     */
    Disk open(String name, @Nullable String format) throws IOException;
  }

  /**
   * Opens an image. One that was not closed by a writer of lazy refcounts is repaired first, if it
   * is to be written. The disk owns the file and the backing disk from then on.
   */
  public static Qcow2Disk open(ImageFile file, BackingOpener opener) throws IOException {
    Header header = Header.read(file);
    if (!file.isReadOnly()) {
      header = WriteAccess.prepare(file, header);
    }
    String name = header.backingName();
    Disk backing = name == null ? null : opener.open(name, header.backingFormat());
    try {
      return new Qcow2Disk(file, header, backing);
    } catch (IOException | RuntimeException | Error e) {
      if (backing != null) {
        backing.close();
      }
      throw e;
    }
  }

  /** Opens an image over a backing disk that is there already, whatever its header says. */
  public static Qcow2Disk open(ImageFile file, Disk backing) throws IOException {
    return new Qcow2Disk(file, Header.read(file), backing);
  }

  @Override
  public long sizeBytes() {
    return sizeBytes;
  }

  @Override
  public boolean isReadOnly() {
    return file.isReadOnly();
  }

  @Override
  public void read(long offset, ByteBuffer into) throws IOException {
    checkRange(offset, into.remaining());
    int limit = into.limit();
    try {
      while (into.position() < limit) {
        int length = (int) Math.min(limit - into.position(), ranges.endOf(offset) - offset);
        into.limit(into.position() + length);
        Lock lock = ranges.of(offset).readLock();
        lock.lock();
        try {
          checkRange(offset, length);
          clusters.read(offset, into);
        } finally {
          lock.unlock();
        }
        offset += length;
      }
    } finally {
      into.limit(limit);
    }
  }

  @Override
  public void write(long offset, ByteBuffer from) throws IOException {
    checkWritable();
    checkRange(offset, from.remaining());
    int limit = from.limit();
    try {
      while (from.position() < limit) {
        int length = (int) Math.min(limit - from.position(), ranges.endOf(offset) - offset);
        from.limit(from.position() + length);
        writeRange(offset, from);
        offset += length;
      }
    } finally {
      from.limit(limit);
    }
  }

  private void writeRange(long offset, ByteBuffer from) throws IOException {
    long end = offset + from.remaining();
    Lock shared = ranges.of(offset).readLock();
    shared.lock();
    try {
      checkRange(offset, from.remaining());
      writeInPlace(offset, from);
    } finally {
      shared.unlock();
    }
    if (!from.hasRemaining()) {
      return;
    }
    metadata.throttle();
    Lock alone = ranges.of(offset).writeLock();
    alone.lock();
    try {
      checkRange(offset, (int) (end - offset));
      while (from.hasRemaining()) {
        writeInPlace(end - from.remaining(), from);
        if (from.hasRemaining()) {
          writeNew(end - from.remaining(), from);
        }
      }
    } finally {
      alone.unlock();
    }
  }

  /** Writes as much as there is up to the first cluster that cannot be written where it is. */
  private void writeInPlace(long offset, ByteBuffer from) throws IOException {
    Slice slice = clusters.slice(offset);
    int limit = from.limit();
    try {
      while (from.position() < limit) {
        int length = clusters.plainRun(slice, offset, limit - from.position(), true);
        if (length == 0) {
          return;
        }
        from.limit(from.position() + length);
        long host = metadata.hostOffset(clusters.entry(slice, offset), true);
        file.write(host + clusters.inCluster(offset), from);
        from.limit(limit);
        offset += length;
      }
    } finally {
      from.limit(limit);
    }
  }

  /** Writes some clusters that cannot be written where they are to new ones. */
  private void writeNew(long offset, ByteBuffer from) throws IOException {
    Slice slice = clusters.slice(offset);
    int limit = from.limit();
    int before = clusters.inCluster(offset);
    Allocation place = metadata.allocate(clusters.toPlace(slice, offset, from.remaining()));
    long host = place.cluster() << geometry.clusterBits();
    long room = ((long) place.count() << geometry.clusterBits()) - before;
    int length = (int) Math.min(from.remaining(), room);
    int mapped = 0;
    try {
      fill(slice, offset - before, host, before, place.fresh());
      from.limit(from.position() + length);
      file.write(host + before, from);
      int after = (int) (room - length);
      fill(slice, offset + length, host + before + length, after, place.fresh());
      long first = offset >>> geometry.clusterBits();
      while (mapped < place.count()) {
        long at = host + ((long) mapped << geometry.clusterBits());
        metadata.map(first + mapped, at | Entry.COPIED);
        mapped++;
      }
    } finally {
      from.limit(limit);
      if (mapped < place.count()) {
        metadata.giveBack(place.cluster() + mapped, place.count() - mapped);
      }
    }
  }

  /** Copies a part of a cluster that a write leaves as it was to where the cluster is to be. */
  private void fill(Slice slice, long offset, long host, int length, boolean fresh)
      throws IOException {
    if (length == 0 || fresh && clusters.readsAsZero(clusters.entry(slice, offset), offset)) {
      return;
    }
    ByteBuffer piece = pieces.poll();
    if (piece == null) {
      piece = ByteBuffer.allocateDirect(PIECE_BYTES);
    }
    for (int done = 0; done < length; done += piece.limit()) {
      piece.clear().limit(Math.min(PIECE_BYTES, length - done));
      clusters.read(offset + done, piece);
      file.write(host + done, piece.flip());
    }
    boolean ignored = pieces.offer(piece);
  }

  /** What a range of the disk is to be without its data. */
  private enum Clearing {
    /** Zeroes. */
    ZERO,
    /** Anything that was there. */
    DISCARD,
    /** What the backing disk says. */
    FORGET
  }

  @Override
  public void writeZeroes(long offset, long lengthBytes) throws IOException {
    clear(offset, lengthBytes, Clearing.ZERO);
  }

  @Override
  public void discard(long offset, long lengthBytes) throws IOException {
    clear(offset, lengthBytes, Clearing.DISCARD);
  }

  /** Forgets everything that this image has over its backing file. */
  public void forget() throws IOException {
    clear(0, sizeBytes, Clearing.FORGET);
  }

  private void clear(long offset, long lengthBytes, Clearing how) throws IOException {
    checkWritable();
    checkRange(offset, lengthBytes);
    long end = offset + lengthBytes;
    while (offset < end) {
      boolean whole =
          clusters.inCluster(offset) == 0
              && isClusterEnd(Math.min(end, clusters.clusterEnd(offset)));
      long next;
      if (whole) {
        long last = end == sizeBytes ? end : end - clusters.inCluster(end);
        next = Math.min(last, ranges.endOf(offset));
        if (how != Clearing.ZERO || canBeZero(offset)) {
          next = clearWhole(offset, next, last, how);
        } else {
          next = Math.min(next, clusters.clusterEnd(offset));
          writeZeroData(offset, (int) (next - offset));
        }
      } else {
        next = Math.min(end, clusters.clusterEnd(offset));
        if (how == Clearing.ZERO) {
          writeZeroData(offset, (int) (next - offset));
        }
      }
      offset = next;
    }
  }

  private boolean isClusterEnd(long offset) {
    return clusters.inCluster(offset) == 0 || offset == sizeBytes;
  }

  /** Whether an entry can say that a cluster is zero. */
  private boolean canBeZero(long offset) {
    return header.isVersion3() || clusters.absentReadsAsZero(offset);
  }

  /** Clears whole clusters of a range; returns how far it came, which may be past the range. */
  private long clearWhole(long from, long to, long end, Clearing how) throws IOException {
    boolean absentWillDo = how == Clearing.FORGET || clusters.absentReadsAsZero(from);
    if (absentWillDo && !metadata.hasTable(from >>> geometry.clusterBits())) {
      return Math.min(end, (from / geometry.l2Coverage() + 1) * geometry.l2Coverage());
    }
    metadata.throttle();
    Lock alone = ranges.of(from).writeLock();
    alone.lock();
    try {
      for (long at = from; at < to; at += geometry.clusterBytes()) {
        long old = clusters.entry(clusters.slice(at), at);
        boolean toAbsent = how == Clearing.FORGET || clusters.absentReadsAsZero(at);
        boolean asItIs =
            Entry.isAbsent(old) && (toAbsent || how == Clearing.DISCARD)
                || how != Clearing.FORGET && old == Entry.ZERO
                || !toAbsent && !header.isVersion3();
        if (!asItIs) {
          metadata.map(at >>> geometry.clusterBits(), toAbsent ? 0 : Entry.ZERO);
        }
      }
    } finally {
      alone.unlock();
    }
    return to;
  }

  private void writeZeroData(long offset, int length) throws IOException {
    Lock shared = ranges.of(offset).readLock();
    shared.lock();
    try {
      checkRange(offset, length);
      if (clusters.readsAsZero(
          clusters.entry(clusters.slice(offset), offset), offset - clusters.inCluster(offset))) {
        return;
      }
    } finally {
      shared.unlock();
    }
    ByteBuffer zeroes = ByteBuffer.allocate(Math.min(PIECE_BYTES, length));
    for (int done = 0; done < length; done += zeroes.limit()) {
      zeroes.clear().limit(Math.min(zeroes.capacity(), length - done));
      write(offset + done, zeroes);
    }
  }

  @Override
  public void resize(long newSizeBytes) throws IOException {
    checkWritable();
    synchronized (resizing) {
      long old = sizeBytes;
      checkSize(newSizeBytes, old);
      if (newSizeBytes > old) {
        grow(old, newSizeBytes);
      } else if (newSizeBytes < old) {
        sizeBytes = newSizeBytes;
        long from = geometry.roundUp(newSizeBytes);
        while (from < old) {
          from = clearWhole(from, Math.min(old, ranges.endOf(from)), old, Clearing.FORGET);
        }
        metadata.setSize(newSizeBytes, newSizeBytes);
        metadata.cutFile();
      }
    }
  }

  private void checkSize(long size, long old) throws IOException {
    if (size <= 0 || size % SECTOR_BYTES != 0) {
      throw new DiskException(
          file.name() + ": " + size + " bytes are not a whole number of sectors of 512");
    }
    if (geometry.l1EntriesFor(size) > Header.MAX_L1_BYTES / 8) {
      throw new DiskException(
          file.name()
              + ": cannot be so large with clusters of "
              + geometry.clusterBytes()
              + " bytes: convert it to one with larger clusters");
    }
    for (SnapshotTable.Snapshot each : SnapshotTable.read(file, header).snapshots()) {
      if (size < old || !header.isVersion3() || each.sizeBytes() < 0) {
        throw new DiskException(
            file.name()
                + ": has the snapshot "
                + each.name()
                + " of the old size: delete it first, as with qemu-img snapshot -d");
      }
    }
  }

  /** What was not there before is zero, whatever lies behind the old end here or below. */
  private void grow(long old, long size) throws IOException {
    metadata.setSize(old, size);
    sizeBytes = size;
    boolean done = false;
    try {
      long below = backing == null ? 0 : backing.sizeBytes();
      long zeroTo = Math.min(size, Math.max(geometry.roundUp(old), below));
      writeZeroes(old, zeroTo - old);
      metadata.setSize(size, size);
      done = true;
    } finally {
      if (!done) {
        sizeBytes = old;
      }
    }
  }

  @Override
  public long zeroesAt(long offset) throws IOException {
    long at = offset;
    while (at < sizeBytes) {
      long entry = peek(at);
      if (Entry.isAbsent(entry) && !clusters.absentReadsAsZero(at)) {
        Disk below = Objects.requireNonNull(backing);
        long end = Math.min(nextEntry(at), sizeBytes);
        long zeroes = below.sizeBytes() <= at ? end - at : below.zeroesAt(at);
        if (at + zeroes < Math.min(end, below.sizeBytes())) {
          return at + zeroes - offset;
        }
      } else if (!clusters.readsAsZero(entry, at)) {
        break;
      }
      at = nextEntry(at);
    }
    return Math.min(at, sizeBytes) - offset;
  }

  /**
   * How many bytes from an offset on are not in this image but in its backing file; 0 if the first
   * is here.
   */
  public long absentAt(long offset) throws IOException {
    long at = offset;
    while (at < sizeBytes && Entry.isAbsent(peek(at))) {
      at = nextEntry(at);
    }
    return Math.min(at, sizeBytes) - offset;
  }

  private long peek(long offset) throws IOException {
    Lock shared = ranges.of(offset).readLock();
    shared.lock();
    try {
      return clusters.entry(clusters.slice(offset), offset);
    } finally {
      shared.unlock();
    }
  }

  /** Where the next cluster begins that could be other than this one. */
  private long nextEntry(long offset) {
    return metadata.hasTable(offset >>> geometry.clusterBits())
        ? clusters.clusterEnd(offset)
        : (offset / geometry.l2Coverage() + 1) * geometry.l2Coverage();
  }

  /** Whether the cluster of an offset is here, as one of zeroes. */
  public boolean isZeroHere(long offset) throws IOException {
    long entry = peek(offset);
    return !Entry.isCompressed(entry) && Entry.isZero(entry);
  }

  /** The unit in which the image has its data. */
  public int clusterBytes() {
    return geometry.clusterBytes();
  }

  @Override
  public void flush() throws IOException {
    if (!file.isReadOnly()) {
      metadata.commit();
    }
  }

  @Override
  public void close() throws IOException {
    synchronized (resizing) {
      if (closed) {
        return;
      }
      closed = true;
    }
    try (Disk below = backing;
        ImageFile mine = file) {
      if (!mine.isReadOnly()) {
        metadata.commitAndFree();
      }
    }
  }

  private void checkWritable() throws DiskException {
    if (file.isReadOnly()) {
      throw new DiskException(file.name() + ": is open read-only");
    }
  }

  private void checkRange(long offset, long lengthBytes) throws DiskException {
    if (offset < 0 || lengthBytes < 0 || lengthBytes > sizeBytes - offset) {
      throw new DiskException(file.name() + ": a request goes past the end of the disk");
    }
  }

  @Override
  public String toString() {
    return file.name();
  }
}
