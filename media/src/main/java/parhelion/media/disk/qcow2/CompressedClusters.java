package parhelion.media.disk.qcow2;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;
import parhelion.media.codec.CorruptDataException;
import parhelion.media.codec.GrowingBytes;
import parhelion.media.codec.Zstd;
import parhelion.media.disk.ImageFile;

/**
 * Unpacks compressed clusters, and keeps the last few, as they are read in small parts. Nothing
 * writes compressed clusters here, so what is kept stays right. Any thread may call.
 */
final class CompressedClusters {
  private static final int KEPT_BYTES = 2 << 20;

  private final ImageFile file;
  private final Geometry geometry;
  private final boolean zstd;
  private final int most;

  /** By entry; guarded by itself. */
  private final Map<Long, byte[]> kept = new LinkedHashMap<>(16, 0.75f, true);

  CompressedClusters(ImageFile file, Header header) {
    this.file = file;
    this.geometry = header.geometry();
    this.zstd = header.compressionType() == 1;
    this.most = Math.max(1, KEPT_BYTES / geometry.clusterBytes());
  }

  /** The data of a cluster; not to be changed. */
  byte[] read(long entry) throws IOException {
    synchronized (kept) {
      byte[] cluster = kept.get(entry);
      if (cluster != null) {
        return cluster;
      }
    }
    byte[] cluster = unpack(entry);
    synchronized (kept) {
      kept.put(entry, cluster);
      if (kept.size() > most) {
        kept.remove(kept.keySet().iterator().next());
      }
    }
    return cluster;
  }

  private byte[] unpack(long entry) throws IOException {
    long offset = Entry.compressedOffset(entry, geometry);
    byte[] packed = new byte[Entry.compressedBytes(entry, geometry)];
    if (offset >= file.sizeBytes()) {
      throw Tables.damaged(file, "compressed data are said to be at " + offset);
    }
    file.read(offset, ByteBuffer.wrap(packed));
    byte[] cluster = new byte[geometry.clusterBytes()];
    if (!(zstd ? unzstd(packed, cluster) : inflate(packed, cluster))) {
      throw Tables.damaged(file, "the compressed data at " + offset);
    }
    return cluster;
  }

  private static boolean inflate(byte[] packed, byte[] cluster) {
    Inflater inflater = new Inflater(true);
    try {
      inflater.setInput(packed);
      int done = 0;
      while (done < cluster.length) {
        int more = inflater.inflate(cluster, done, cluster.length - done);
        if (more == 0) {
          return false;
        }
        done += more;
      }
      return true;
    } catch (DataFormatException e) {
      return false;
    } finally {
      inflater.end();
    }
  }

  private static boolean unzstd(byte[] packed, byte[] cluster) {
    GrowingBytes out = new GrowingBytes(cluster.length, cluster.length, packed.length);
    try {
      Zstd.decodeUntilFull(packed, out);
    } catch (CorruptDataException | IndexOutOfBoundsException e) {
      return false;
    }
    System.arraycopy(out.array, 0, cluster, 0, cluster.length);
    return true;
  }
}
