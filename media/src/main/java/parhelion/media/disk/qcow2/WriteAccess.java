package parhelion.media.disk.qcow2;

import java.io.IOException;
import java.nio.ByteBuffer;
import parhelion.media.disk.DiskException;
import parhelion.media.disk.ImageFile;

/** What a header asks of everyone who is about to write to its image. */
final class WriteAccess {
  private WriteAccess() {}

  /**
   * Repairs refcounts that were left for later, and clears the autoclear bits, as nothing that they
   * stand for is kept up here.
   *
   * @return the header as it is then
   */
  static Header prepare(ImageFile file, Header header) throws IOException {
    if (header.has(Feature.CORRUPT)) {
      throw new DiskException(
          file.name()
              + ": was marked as damaged: run parhelion image check --repair, or open it read-only");
    }
    if (header.autoclear() != 0) {
      putLong(file, Header.AT_AUTOCLEAR, 0);
    }
    if (!header.has(Feature.DIRTY)) {
      return header;
    }
    CheckReport report = RefcountCheck.run(file, true, CheckReport.Progress.NONE);
    if (report.corruptions() > 0) {
      throw Tables.damaged(file, "it was not closed in order, and not all can be repaired");
    }
    return Header.read(file);
  }

  static void putLong(ImageFile file, long offset, long value) throws IOException {
    file.write(offset, ByteBuffer.allocate(8).putLong(value).flip());
  }
}
