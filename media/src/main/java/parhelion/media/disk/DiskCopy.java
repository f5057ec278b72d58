package parhelion.media.disk;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import parhelion.media.disk.qcow2.Qcow2Disk;
import parhelion.media.disk.qcow2.Qcow2Info;

/**
 * Copies what is in disks: to an image of another format, or from an overlay into what it is over.
 */
public final class DiskCopy {
  private static final int PIECE_BYTES = 1 << 20;

  /** Zeroes of this length and alignment are not written. */
  private static final int GRAIN_BYTES = 4096;

  private DiskCopy() {}

  /** Told how far a copy has come. */
  @FunctionalInterface
  public interface Progress {
    /** So much is done now. */
    void update(long doneBytes, long totalBytes);
  }

  /**
   * Makes an image with the data of another one, without what it has below it. A target that cannot
   * be finished is deleted.
   *
   * @param replace whether a target that exists may be overwritten
   */
  public static void convert(
      Path from,
      @Nullable ImageFormat fromFormat,
      Path to,
      ImageFormat toFormat,
      int clusterBytes,
      boolean replace,
      Progress progress)
      throws IOException {
    try (Disk source = DiskImages.open(from, DiskOptions.READ_ONLY.withFormat(fromFormat))) {
      if (Files.exists(to) && Files.isSameFile(from, to)) {
        throw new DiskException(to + ": cannot be converted into itself: choose another name");
      }
      DiskImages.create(to, toFormat, source.sizeBytes(), clusterBytes, replace);
      boolean done = false;
      try (Disk target = DiskImages.open(to, DiskOptions.WRITABLE.withFormat(toFormat))) {
        copy(source, target, progress);
        target.flush();
        done = true;
      } finally {
        if (!done) {
          Files.deleteIfExists(to);
        }
      }
    }
  }

  /** Copies a disk to one that is at least as large and all zeroes. */
  static void copy(Disk from, Disk to, Progress progress) throws IOException {
    ByteBuffer piece = ByteBuffer.allocateDirect(PIECE_BYTES);
    long size = from.sizeBytes();
    long at = 0;
    while (at < size) {
      long zeroes = from.zeroesAt(at) & -GRAIN_BYTES;
      if (zeroes > 0) {
        at += zeroes;
      } else {
        piece.clear().limit((int) Math.min(PIECE_BYTES, size - at));
        from.read(at, piece);
        writeNonZero(to, at, piece.flip());
        at += piece.limit();
      }
      progress.update(Math.min(at, size), size);
    }
    progress.update(size, size);
  }

  private static void writeNonZero(Disk to, long offset, ByteBuffer piece) throws IOException {
    int end = piece.limit();
    int from = 0;
    while (from < end) {
      int next = Math.min(end, from + GRAIN_BYTES);
      boolean zero = isZero(piece, from, next);
      while (next < end && isZero(piece, next, Math.min(end, next + GRAIN_BYTES)) == zero) {
        next = Math.min(end, next + GRAIN_BYTES);
      }
      if (!zero) {
        piece.limit(next).position(from);
        to.write(offset + from, piece);
      }
      piece.limit(end);
      from = next;
    }
  }

  private static boolean isZero(ByteBuffer bytes, int from, int to) {
    int at = from;
    for (; at + Long.BYTES <= to; at += Long.BYTES) {
      if (bytes.getLong(at) != 0) {
        return false;
      }
    }
    for (; at < to; at++) {
      if (bytes.get(at) != 0) {
        return false;
      }
    }
    return true;
  }

  /**
   * Writes what an overlay has into its backing file, and then empties the overlay. Until its
   * backing file has everything on stable storage, the overlay stays as it is. Other overlays of
   * the same backing file are worth nothing afterwards.
   *
   * @return the backing file
   */
  public static Path commit(Path overlay, Progress progress) throws IOException {
    DiskImages.Info info = DiskImages.info(overlay, ImageFormat.QCOW2);
    Qcow2Info qcow2 = info.qcow2();
    Path backing = info.backing();
    if (qcow2 == null || backing == null) {
      throw new DiskException(overlay + ": has no backing file that it could be committed to");
    }
    String word = qcow2.backingFormat();
    ImageFormat format = word == null ? null : ImageFormat.of(word);
    // The backing file's own disk is asked for what the overlay has not, too.
    try (Disk below = DiskImages.open(backing, DiskOptions.WRITABLE.withFormat(format));
        HostFile file = HostFile.open(overlay, false, HostFile.Lock.EXCLUSIVE);
        Qcow2Disk above = Qcow2Disk.open(file, (name, of) -> new Unowned(below))) {
      if (above.sizeBytes() > below.sizeBytes()) {
        below.resize(above.sizeBytes());
      }
      commit(above, below, progress);
      below.flush();
      above.forget();
      above.flush();
    }
    return backing;
  }

  private static void commit(Qcow2Disk above, Disk below, Progress progress) throws IOException {
    long size = above.sizeBytes();
    int step = Math.min(PIECE_BYTES, above.clusterBytes());
    ByteBuffer piece = ByteBuffer.allocateDirect(step);
    long at = 0;
    while (at < size) {
      long absent = above.absentAt(at);
      if (absent > 0) {
        at += absent;
      } else {
        int length = (int) Math.min(step, size - at);
        if (above.isZeroHere(at)) {
          below.writeZeroes(at, length);
        } else {
          piece.clear().limit(length);
          above.read(at, piece);
          below.write(at, piece.flip());
        }
        at += length;
      }
      progress.update(Math.min(at, size), size);
    }
    progress.update(size, size);
  }

  /** A disk that someone else closes. */
  private record Unowned(Disk disk) implements Disk {
    @Override
    public long sizeBytes() {
      return disk.sizeBytes();
    }

    @Override
    public boolean isReadOnly() {
      return true;
    }

    @Override
    public void read(long offset, ByteBuffer into) throws IOException {
      disk.read(offset, into);
    }

    @Override
    public void write(long offset, ByteBuffer from) {
      throw new UnsupportedOperationException();
    }

    @Override
    public void writeZeroes(long offset, long lengthBytes) {
      throw new UnsupportedOperationException();
    }

    @Override
    public void discard(long offset, long lengthBytes) {
      throw new UnsupportedOperationException();
    }

    @Override
    public void flush() {}

    @Override
    public void resize(long newSizeBytes) {
      throw new UnsupportedOperationException();
    }

    @Override
    public void close() {}
  }
}
