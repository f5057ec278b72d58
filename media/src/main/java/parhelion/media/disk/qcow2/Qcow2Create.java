package parhelion.media.disk.qcow2;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;
import parhelion.media.disk.DiskException;
import parhelion.media.disk.ImageFile;

/** Writes a new, empty image: header, refcounts and an L1 table, and no L2 table yet. */
public final class Qcow2Create {
  /** 2^16 bytes. */
  public static final int DEFAULT_CLUSTER_BYTES = 64 << 10;

  private static final int VERSION = 3;
  private static final int REFCOUNT_ORDER = 4;

  private Qcow2Create() {}

  /**
   * Writes an image into an empty file, and flushes it.
   *
   * @param sizeBytes of the disk, a multiple of 512
   * @param clusterBytes a power of two from 512 to 2 MiB
   * @param backingName the backing file, as the header is to have it; or null
   * @param backingFormat the word for its format, if there is one
   */
  public static void write(
      ImageFile file,
      long sizeBytes,
      int clusterBytes,
      @Nullable String backingName,
      @Nullable String backingFormat)
      throws IOException {
    Geometry geometry = new Geometry(Integer.numberOfTrailingZeros(clusterBytes), REFCOUNT_ORDER);
    check(file, sizeBytes, clusterBytes, geometry);
    int l1Entries = (int) geometry.l1EntriesFor(sizeBytes);
    long l1Clusters = geometry.clustersFor(8L * l1Entries);
    long blocks = 1;
    long tableClusters;
    long all;
    while (true) {
      tableClusters = geometry.clustersFor(8 * blocks);
      all = 1 + tableClusters + blocks + l1Clusters;
      long needed = (all - 1 >>> geometry.blockBits()) + 1;
      if (needed <= blocks) {
        break;
      }
      blocks = needed;
    }
    long firstBlock = 1 + tableClusters << geometry.clusterBits();
    long[] table = new long[(int) tableClusters * clusterBytes >>> 3];
    for (int i = 0; i < blocks; i++) {
      table[i] = firstBlock + ((long) i << geometry.clusterBits());
      byte[] block = new byte[clusterBytes];
      long first = (long) i << geometry.blockBits();
      for (long c = first; c < all && c < first + (1L << geometry.blockBits()); c++) {
        Refcounts.put(block, (int) (c - first), REFCOUNT_ORDER, 1);
      }
      file.write(table[i], ByteBuffer.wrap(block));
    }
    Tables.write(file, clusterBytes, table);
    long l1Offset = 1 + tableClusters + blocks << geometry.clusterBits();
    Tables.writeZeroes(file, l1Offset, l1Clusters << geometry.clusterBits());
    ByteBuffer header = ByteBuffer.allocate(clusterBytes);
    fields(header, sizeBytes, geometry, l1Entries, l1Offset, (int) tableClusters);
    backing(file, header, backingName, backingFormat);
    file.write(0, header.clear());
    file.force();
  }

  private static void check(ImageFile file, long sizeBytes, int clusterBytes, Geometry geometry)
      throws DiskException {
    if (Integer.bitCount(clusterBytes) != 1
        || geometry.clusterBits() < Geometry.MIN_CLUSTER_BITS
        || geometry.clusterBits() > Geometry.MAX_CLUSTER_BITS) {
      throw new DiskException(
          file.name() + ": the cluster size has to be a power of two from 512 to 2M");
    }
    if (sizeBytes <= 0 || sizeBytes % 512 != 0) {
      throw new DiskException(
          file.name() + ": " + sizeBytes + " bytes are not a whole number of sectors of 512");
    }
    if (geometry.l1EntriesFor(sizeBytes) > Header.MAX_L1_BYTES / 8) {
      throw new DiskException(
          file.name()
              + ": cannot be so large with clusters of "
              + clusterBytes
              + " bytes: choose a larger cluster size");
    }
  }

  private static void fields(
      ByteBuffer header,
      long sizeBytes,
      Geometry geometry,
      int l1Entries,
      long l1Offset,
      int tableClusters) {
    header.putInt(Header.MAGIC).putInt(VERSION).putLong(0).putInt(0);
    header.putInt(geometry.clusterBits()).putLong(sizeBytes).putInt(0);
    header.putInt(l1Entries).putLong(l1Offset);
    header.putLong(geometry.clusterBytes()).putInt(tableClusters);
    header.putInt(0).putLong(0);
    header.putLong(0).putLong(0).putLong(0);
    header.putInt(REFCOUNT_ORDER).putInt(Header.V3_BYTES);
  }

  private static void backing(
      ImageFile file, ByteBuffer header, @Nullable String name, @Nullable String format)
      throws DiskException {
    if (name == null) {
      return;
    }
    if (format != null) {
      byte[] word = format.getBytes(StandardCharsets.UTF_8);
      header.putInt(Header.EXTENSION_BACKING_FORMAT).putInt(word.length).put(word);
      header.position(header.position() + 7 & ~7);
    }
    // The extension that ends them.
    header.putLong(0);
    byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
    if (bytes.length > Math.min(Header.MAX_BACKING_NAME, header.remaining())) {
      throw new DiskException(
          file.name()
              + ": the path of its backing file is too long: give a shorter one, or larger clusters");
    }
    header.putLong(8, header.position()).putInt(16, bytes.length).put(bytes);
  }
}
