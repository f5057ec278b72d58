package parhelion.media.disk.qcow2;

import java.util.List;

/**
 * What a check of an image found.
 *
 * @param corruptions what makes data wrong or can make them so, and has not been repaired
 * @param leaks clusters that take space for nothing, and have not been freed
 * @param repairedCorruptions what was repaired
 * @param repairedLeaks clusters that were freed
 * @param findings the first of all of these, a line each
 * @param allocatedClusters clusters of the disk that have data here
 * @param compressedClusters those among them that are compressed
 * @param totalClusters clusters of the disk
 * @param endBytes where the last cluster that is used ends in the file
 */
public record CheckReport(
    long corruptions,
    long leaks,
    long repairedCorruptions,
    long repairedLeaks,
    List<String> findings,
    long allocatedClusters,
    long compressedClusters,
    long totalClusters,
    long endBytes) {

  /** Told how far a check has come: so many L2 tables of so many. */
  @FunctionalInterface
  public interface Progress {
    /** Says nothing. */
    Progress NONE = (done, total) -> {};

    /** So much is done now. */
    void update(long done, long total);
  }

  /** Whether there is nothing to complain of, or nothing any more. */
  public boolean isClean() {
    return corruptions == 0 && leaks == 0;
  }
}
