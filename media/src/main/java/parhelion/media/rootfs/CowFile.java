package parhelion.media.rootfs;

import java.io.IOException;
import java.nio.ByteBuffer;
import parhelion.media.share.FileError;
import parhelion.media.share.LinuxErrno;
import parhelion.media.share.OpenFile;
import parhelion.media.share.OpenFlags;

/** A regular file of a {@link CowTree} that is open. */
final class CowFile implements OpenFile {
  private final CowNode node;
  private final FileData data;
  private final Content.Reader reader;
  private final int flags;

  CowFile(CowNode node, FileData data, int flags) throws IOException {
    this.data = data;
    this.flags = flags;
    reader = data.needsContent() ? data.content().open() : (offset, into) -> {};
    this.node = (CowNode) node.again();
  }

  /** What a guest is told of trouble with the host's files. */
  static FileError failure(IOException e) {
    String message = e.getMessage();
    boolean full = message != null && message.contains("No space left");
    return FileError.of(full ? LinuxErrno.ENOSPC : LinuxErrno.EIO);
  }

  @Override
  public int read(long offset, ByteBuffer into) {
    if ((flags & OpenFlags.ACCESS_MODE) == OpenFlags.WRITE_ONLY) {
      throw FileError.of(LinuxErrno.EBADF);
    }
    try {
      return data.read(offset, into, reader);
    } catch (IOException e) {
      throw failure(e);
    }
  }

  @Override
  public int write(long offset, ByteBuffer from) {
    if ((flags & OpenFlags.ACCESS_MODE) == OpenFlags.READ_ONLY) {
      throw FileError.of(LinuxErrno.EBADF);
    }
    int count = from.remaining();
    if (count == 0) {
      return 0;
    }
    try {
      long at = (flags & OpenFlags.APPEND) != 0 ? data.sizeBytes() : offset;
      if (at > FileData.MAX_BYTES - count) {
        throw FileError.of(LinuxErrno.EFBIG);
      }
      if (!data.write(at, from, reader)) {
        throw FileError.of(LinuxErrno.ENOSPC);
      }
    } catch (IOException e) {
      throw failure(e);
    }
    node.touch();
    return count;
  }

  @Override
  public void list(long cookie, EntrySink sink) {
    throw FileError.of(LinuxErrno.ENOTDIR);
  }

  /** There is nothing to do: what was written goes with this process in any case. */
  @Override
  public void sync(boolean dataOnly) {}

  @Override
  public void close() {
    reader.close();
    node.close();
  }
}
