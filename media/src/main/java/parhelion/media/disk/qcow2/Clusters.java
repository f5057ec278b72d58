package parhelion.media.disk.qcow2;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;
import parhelion.media.disk.Disk;
import parhelion.media.disk.ImageFile;

/**
 * What the clusters of a disk are, and the reading of them: in the file as they are, compressed
 * there, zeroes, or absent and so what the backing disk has. Callers hold the lock of the range
 * ({@link RangeLocks}) that they ask about.
 */
final class Clusters {
  private final ImageFile file;
  private final Geometry geometry;
  private final @Nullable Disk backing;
  private final Metadata metadata;
  private final CompressedClusters compressed;

  Clusters(ImageFile file, Header header, @Nullable Disk backing, Metadata metadata) {
    this.file = file;
    this.geometry = header.geometry();
    this.backing = backing;
    this.metadata = metadata;
    this.compressed = new CompressedClusters(file, header);
  }

  /** Where in its cluster an offset is. */
  int inCluster(long offset) {
    return (int) (offset & geometry.clusterBytes() - 1);
  }

  /** What the tables say of the cluster of an offset. */
  long entry(Slice slice, long offset) {
    return slice.entry(metadata.indexInSlice(offset >>> geometry.clusterBits()));
  }

  /** The part of the tables that has the range of an offset. */
  Slice slice(long offset) throws IOException {
    return metadata.slice(offset >>> geometry.clusterBits());
  }

  /** Reads within one range, whose lock is held. */
  void read(long offset, ByteBuffer into) throws IOException {
    Slice slice = slice(offset);
    int limit = into.limit();
    while (into.position() < limit) {
      int remaining = limit - into.position();
      long entry = entry(slice, offset);
      int length = Math.min(remaining, geometry.clusterBytes() - inCluster(offset));
      if (Entry.isCompressed(entry)) {
        into.put(compressed.read(entry), inCluster(offset), length);
      } else if (Entry.isZero(entry)) {
        zero(into, length);
      } else if (Entry.isPlain(entry)) {
        length = plainRun(slice, offset, remaining, false);
        into.limit(into.position() + length);
        file.read(metadata.hostOffset(entry, false) + inCluster(offset), into);
      } else {
        length = absentRun(slice, offset, remaining);
        readBacking(offset, into, length);
      }
      into.limit(limit);
      offset += length;
    }
  }

  private static void zero(ByteBuffer into, int length) {
    int end = into.position() + length;
    while (end - into.position() >= Long.BYTES) {
      into.putLong(0);
    }
    while (into.position() < end) {
      into.put((byte) 0);
    }
  }

  private void readBacking(long offset, ByteBuffer into, int length) throws IOException {
    Disk below = backing;
    long there = below == null ? 0 : Math.min(length, below.sizeBytes() - offset);
    int end = into.position() + length;
    if (below != null && there > 0) {
      into.limit(into.position() + (int) there);
      below.read(offset, into);
      into.limit(end);
    }
    zero(into, end - into.position());
  }

  /**
   * How many bytes from an offset on are in one stretch of the file as they are.
   *
   * @param toWrite also that they can be written there
   */
  int plainRun(Slice slice, long offset, int most, boolean toWrite) throws IOException {
    long next = -1;
    int length = 0;
    while (length < most) {
      long entry = entry(slice, offset + length);
      if (!Entry.isPlain(entry) || toWrite && !Entry.isCopied(entry)) {
        return length;
      }
      long host = metadata.hostOffset(entry, toWrite);
      if (next >= 0 && host != next) {
        return length;
      }
      length += Math.min(most - length, geometry.clusterBytes() - inCluster(offset + length));
      next = host + geometry.clusterBytes();
    }
    return length;
  }

  private int absentRun(Slice slice, long offset, int most) {
    int length = 0;
    while (length < most && Entry.isAbsent(entry(slice, offset + length))) {
      length += Math.min(most - length, geometry.clusterBytes() - inCluster(offset + length));
    }
    return length;
  }

  /** Whether the cluster of an offset, of which the tables say so, reads as zeroes. */
  boolean readsAsZero(long entry, long offset) {
    return !Entry.isCompressed(entry)
        && (Entry.isZero(entry) || Entry.isAbsent(entry) && absentReadsAsZero(offset));
  }

  /** Whether what is absent from the cluster of an offset on reads as zeroes. */
  boolean absentReadsAsZero(long offset) {
    return backing == null || offset >= backing.sizeBytes();
  }

  /** Where the cluster of an offset ends. */
  long clusterEnd(long offset) {
    return offset - inCluster(offset) + geometry.clusterBytes();
  }

  /** How many clusters in a row a write has to place anew. */
  int toPlace(Slice slice, long offset, int length) {
    int count = 0;
    for (long at = offset; at < offset + length; at += geometry.clusterBytes() - inCluster(at)) {
      long entry = entry(slice, at);
      if (Entry.isPlain(entry) && Entry.isCopied(entry)) {
        break;
      }
      count++;
    }
    return count;
  }
}
