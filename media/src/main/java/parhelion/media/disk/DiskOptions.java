package parhelion.media.disk;

import org.jspecify.annotations.Nullable;

/**
 * How an image is opened.
 *
 * @param format what the file is; null to find out, which is safe but lets a guest of an image
 *     found to be raw write no header of another format into its first sector ({@link ImageFormat})
 * @param readOnly every change is refused; several readers can share an image
 * @param snapshot changes go to a temporary file that vanishes when the disk is closed; the image
 *     itself is only read
 */
public record DiskOptions(@Nullable ImageFormat format, boolean readOnly, boolean snapshot) {
  /** To read and write, by this process alone. */
  public static final DiskOptions WRITABLE = new DiskOptions(null, false, false);

  /** To read. */
  public static final DiskOptions READ_ONLY = new DiskOptions(null, true, false);

  /** To read, and to write into a temporary file. */
  public static final DiskOptions SNAPSHOT = new DiskOptions(null, false, true);

  /** The same, for a file whose format is known. */
  public DiskOptions withFormat(@Nullable ImageFormat known) {
    return new DiskOptions(known, readOnly, snapshot);
  }
}
