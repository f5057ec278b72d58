package parhelion.media.disk.qcow2;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;
import parhelion.media.disk.DiskException;
import parhelion.media.disk.ImageFile;

/**
 * The header of an image: the fields of its first cluster, checked so far that every other class
 * can rely on them. What points into the file is aligned and within sane bounds; whether it is
 * within the file is for the reader of the table to see.
 *
 * @param sizeBytes of the disk, as it stands there
 * @param backingName the backing file as the header names it, or null
 * @param backingFormat the word for its format, or null if there is none
 * @param compressionType 0 zlib, 1 zstd
 * @param bitmaps where dirty bitmaps are, or null
 */
record Header(
    int version,
    Geometry geometry,
    long sizeBytes,
    @Nullable String backingName,
    @Nullable String backingFormat,
    int l1Entries,
    long l1Offset,
    long refcountTableOffset,
    int refcountTableClusters,
    int snapshots,
    long snapshotsOffset,
    long incompatible,
    long compatible,
    long autoclear,
    int compressionType,
    @Nullable Bitmaps bitmaps) {
  static final int MAGIC = 0x514649fb;

  static final int AT_SIZE = 24;
  static final int AT_L1 = 36;
  static final int AT_REFCOUNT_TABLE = 48;
  static final int AT_INCOMPATIBLE = 72;
  static final int AT_AUTOCLEAR = 88;

  static final int V2_BYTES = 72;
  static final int V3_BYTES = 104;

  static final int MAX_BACKING_NAME = 1023;
  static final int MAX_L1_BYTES = 32 << 20;
  static final int MAX_REFCOUNT_TABLE_BYTES = 8 << 20;
  static final int MAX_SNAPSHOTS = 65536;

  static final int EXTENSION_BACKING_FORMAT = 0xe2792aca;
  static final int EXTENSION_FEATURE_NAMES = 0x6803f857;
  static final int EXTENSION_BITMAPS = 0x23852875;

  private static final int MAX_BITMAPS = 65535;
  private static final int MAX_BITMAP_DIRECTORY_BYTES = 64 << 20;
  private static final int FEATURE_NAME_BYTES = 48;

  /** Where the directory of dirty bitmaps is. */
  record Bitmaps(int count, long directoryBytes, long directoryOffset) {}

  boolean has(long incompatibleFeature) {
    return (incompatible & incompatibleFeature) != 0;
  }

  boolean isVersion3() {
    return version >= 3;
  }

  /** The header with another incompatible field. */
  Header withIncompatible(long features) {
    return new Header(
        version,
        geometry,
        sizeBytes,
        backingName,
        backingFormat,
        l1Entries,
        l1Offset,
        refcountTableOffset,
        refcountTableClusters,
        snapshots,
        snapshotsOffset,
        features,
        compatible,
        autoclear,
        compressionType,
        bitmaps);
  }

  /** Reads and checks the header of a file. */
  static Header read(ImageFile file) throws IOException {
    byte[] first = new byte[V3_BYTES + 8];
    file.read(0, ByteBuffer.wrap(first));
    ByteBuffer in = ByteBuffer.wrap(first);
    int version = in.getInt(4);
    if (in.getInt(0) != MAGIC) {
      throw new DiskException(file.name() + ": is not a qcow2 image");
    }
    if (version != 2 && version != 3) {
      throw new DiskException(
          file.name() + ": is qcow2 of version " + version + ", of which 2 and 3 are served");
    }
    int clusterBits = in.getInt(20);
    require(
        file,
        clusterBits >= Geometry.MIN_CLUSTER_BITS && clusterBits <= Geometry.MAX_CLUSTER_BITS,
        "the cluster size is 2^" + clusterBits);
    byte[] cluster = new byte[1 << clusterBits];
    file.read(0, ByteBuffer.wrap(cluster));
    return parse(file, version, ByteBuffer.wrap(cluster));
  }

  private static Header parse(ImageFile file, int version, ByteBuffer in) throws IOException {
    int clusterBytes = in.capacity();
    boolean v3 = version >= 3;
    int headerBytes = v3 ? in.getInt(100) : V2_BYTES;
    require(
        file,
        headerBytes >= (v3 ? V3_BYTES : V2_BYTES)
            && headerBytes <= clusterBytes
            && headerBytes % 8 == 0,
        "its length is " + headerBytes);
    long incompatible = v3 ? in.getLong(AT_INCOMPATIBLE) : 0;
    int refcountOrder = v3 ? in.getInt(96) : 4;
    require(file, refcountOrder >= 0 && refcountOrder <= 6, "refcounts are 2^" + refcountOrder);
    refuseUnserved(file, incompatible, in, headerBytes);
    if (in.getInt(32) != 0) {
      throw new DiskException(
          file.name() + ": is encrypted: decrypt it first, as with qemu-img convert");
    }
    int compression = headerBytes > V3_BYTES ? in.get(V3_BYTES) & 0xff : 0;
    require(
        file,
        compression <= 1 && compression == 1 == ((incompatible & Feature.COMPRESSION_TYPE) != 0),
        "compression is of type " + compression);
    String[] formatOut = new String[1];
    Bitmaps[] bitmapsOut = new Bitmaps[1];
    extensions(file, in, headerBytes, formatOut, bitmapsOut);
    Header header =
        new Header(
            version,
            new Geometry(Integer.numberOfTrailingZeros(clusterBytes), refcountOrder),
            in.getLong(AT_SIZE),
            backingName(file, in),
            formatOut[0],
            in.getInt(AT_L1),
            in.getLong(AT_L1 + 4),
            in.getLong(AT_REFCOUNT_TABLE),
            in.getInt(AT_REFCOUNT_TABLE + 8),
            in.getInt(60),
            in.getLong(64),
            incompatible,
            v3 ? in.getLong(80) : 0,
            v3 ? in.getLong(AT_AUTOCLEAR) : 0,
            compression,
            bitmapsOut[0]);
    header.check(file);
    return header;
  }

  private void check(ImageFile file) throws DiskException {
    require(
        file,
        sizeBytes >= 0 && sizeBytes <= Long.MAX_VALUE - 4096,
        "the disk's size is " + sizeBytes);
    require(
        file,
        l1Entries >= 0 && l1Entries <= MAX_L1_BYTES / 8,
        "the L1 table has " + (l1Entries & 0xffff_ffffL) + " entries");
    require(
        file,
        geometry.l1EntriesFor(sizeBytes) <= l1Entries,
        "the L1 table is too small for the disk");
    require(file, l1Entries == 0 || isTable(l1Offset), "the L1 table is at " + l1Offset);
    require(
        file,
        refcountTableClusters > 0
            && refcountTableClusters <= MAX_REFCOUNT_TABLE_BYTES >> geometry.clusterBits()
            && isTable(refcountTableOffset),
        "the refcount table is at "
            + refcountTableOffset
            + " and of "
            + refcountTableClusters
            + " clusters");
    require(
        file,
        snapshots >= 0
            && snapshots <= MAX_SNAPSHOTS
            && (snapshots == 0 || isTable(snapshotsOffset)),
        "there are " + snapshots + " snapshots at " + snapshotsOffset);
  }

  private boolean isTable(long offset) {
    return offset > 0
        && offset < Geometry.MAX_HOST_BYTES
        && (offset & (geometry.clusterBytes() - 1)) == 0;
  }

  private static @Nullable String backingName(ImageFile file, ByteBuffer in) throws DiskException {
    long offset = in.getLong(8);
    int length = in.getInt(16);
    if (offset == 0) {
      return null;
    }
    require(
        file,
        length > 0 && length <= MAX_BACKING_NAME && offset > 0 && offset <= in.capacity() - length,
        "the backing file's name is of " + length + " bytes at " + offset);
    String name = new String(in.array(), (int) offset, length, StandardCharsets.UTF_8);
    require(
        file, name.chars().noneMatch(Character::isISOControl), "the backing file's name is odd");
    return name;
  }

  private static void extensions(
      ImageFile file,
      ByteBuffer in,
      int headerBytes,
      @Nullable String[] format,
      @Nullable Bitmaps[] bitmaps)
      throws DiskException {
    long backingAt = in.getLong(8);
    int end = backingAt > 0 && backingAt < in.capacity() ? (int) backingAt : in.capacity();
    int at = headerBytes;
    while (at + 8 <= end) {
      int type = in.getInt(at);
      int length = in.getInt(at + 4);
      if (type == 0) {
        return;
      }
      at += 8;
      require(file, length >= 0 && length <= end - at, "a header extension runs past its cluster");
      if (type == EXTENSION_BACKING_FORMAT) {
        require(file, length <= 16, "the word for the backing format is too long");
        format[0] = new String(in.array(), at, length, StandardCharsets.UTF_8);
      } else if (type == EXTENSION_BITMAPS && length >= 24) {
        bitmaps[0] = bitmaps(file, in, at);
      }
      at += (length + 7) & ~7;
    }
  }

  private static Bitmaps bitmaps(ImageFile file, ByteBuffer in, int at) throws DiskException {
    Bitmaps found = new Bitmaps(in.getInt(at), in.getLong(at + 8), in.getLong(at + 16));
    require(
        file,
        found.count >= 0
            && found.count <= MAX_BITMAPS
            && found.directoryBytes >= 0
            && found.directoryBytes <= MAX_BITMAP_DIRECTORY_BYTES
            && found.directoryOffset >= 0
            && found.directoryOffset < Geometry.MAX_HOST_BYTES,
        "the bitmap directory is out of bounds");
    return found;
  }

  private static void refuseUnserved(
      ImageFile file, long incompatible, ByteBuffer in, int headerBytes) throws DiskException {
    long unserved = incompatible & ~Feature.SERVED;
    if (unserved == 0) {
      return;
    }
    int bit = Long.numberOfTrailingZeros(unserved);
    String name = featureName(in, headerBytes, bit);
    throw new DiskException(
        file.name()
            + ": needs a feature that is not served ("
            + (name == null ? Feature.incompatibleName(bit) : name)
            + "): convert it, as with qemu-img convert -O qcow2");
  }

  /** What the image's own table calls an incompatible feature, or null. */
  private static @Nullable String featureName(ByteBuffer in, int headerBytes, int bit) {
    int at = headerBytes;
    while (at + 8 <= in.capacity() && in.getInt(at) != 0) {
      int length = in.getInt(at + 4);
      if (length < 0 || length > in.capacity() - at - 8) {
        return null;
      }
      if (in.getInt(at) == EXTENSION_FEATURE_NAMES) {
        for (int row = at + 8; row + FEATURE_NAME_BYTES <= at + 8 + length; ) {
          if (in.get(row) == 0 && in.get(row + 1) == bit) {
            String name =
                new String(in.array(), row + 2, FEATURE_NAME_BYTES - 2, StandardCharsets.UTF_8);
            return name.replaceAll("\\p{Cntrl}", "");
          }
          row += FEATURE_NAME_BYTES;
        }
      }
      at += 8 + ((length + 7) & ~7);
    }
    return null;
  }

  private static void require(ImageFile file, boolean fine, String otherwise) throws DiskException {
    if (!fine) {
      throw new DiskException(
          file.name()
              + ": the qcow2 header is damaged ("
              + otherwise
              + "): restore the image from a copy");
    }
  }
}
