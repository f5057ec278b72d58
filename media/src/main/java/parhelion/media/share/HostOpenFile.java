package parhelion.media.share;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;
import parhelion.host.Libc.Call;

/** A regular file or a directory of the host that is open. */
final class HostOpenFile implements OpenFile {
  private static final int DIRENT_BUFFER_BYTES = 32 << 10;
  private static final int SEEK_SET = 0;
  private static final int NAME_OFFSET = 19;

  private final int fd;

  /** Whose descriptor it is, if it is not our own. */
  private final @Nullable HostNode owner;

  private final boolean hidesTypes;

  /**
   * Takes over a descriptor.
   *
   * @param hidesTypes whether regular files may be something else to the guest
   */
  HostOpenFile(int fd, boolean hidesTypes) {
    this.fd = fd;
    this.hidesTypes = hidesTypes;
    owner = null;
  }

  /** Uses a node's descriptor, which is an open file. */
  HostOpenFile(HostNode node) {
    fd = node.fd();
    hidesTypes = false;
    owner = node.again();
  }

  @Override
  public int read(long offset, ByteBuffer into) {
    int done = 0;
    while (into.hasRemaining()) {
      long address = MemorySegment.ofBuffer(into).address();
      long n = HostFiles.must(Call.PREAD, fd, address, into.remaining(), offset + done);
      Reference.reachabilityFence(into);
      if (n == 0) {
        break;
      }
      into.position(into.position() + (int) n);
      done += (int) n;
    }
    return done;
  }

  @Override
  public int write(long offset, ByteBuffer from) {
    long address = MemorySegment.ofBuffer(from).address();
    long n = HostFiles.must(Call.PWRITE, fd, address, from.remaining(), offset);
    Reference.reachabilityFence(from);
    return (int) n;
  }

  @Override
  public synchronized void list(long cookie, EntrySink sink) {
    HostFiles.must(Call.LSEEK, fd, cookie, SEEK_SET);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment buffer = arena.allocate(DIRENT_BUFFER_BYTES, 8);
      while (true) {
        long n = HostFiles.must(Call.GETDENTS64, fd, buffer.address(), buffer.byteSize());
        if (n == 0 || !passOn(buffer, n, sink)) {
          return;
        }
      }
    }
  }

  private boolean passOn(MemorySegment buffer, long filled, EntrySink sink) {
    long at = 0;
    while (at < filled) {
      int length = buffer.get(ValueLayout.JAVA_SHORT, at + 16) & 0xffff;
      int type = buffer.get(ValueLayout.JAVA_BYTE, at + 18) & 0xff;
      String name = buffer.getString(at + NAME_OFFSET, StandardCharsets.ISO_8859_1);
      int mode = type << 12;
      boolean taken =
          sink.entry(
              buffer.get(ValueLayout.JAVA_LONG, at),
              hidesTypes && FileMode.isRegular(mode) ? 0 : mode,
              buffer.get(ValueLayout.JAVA_LONG, at + 8),
              name);
      if (!taken) {
        return false;
      }
      at += length;
    }
    return true;
  }

  @Override
  public void sync(boolean dataOnly) {
    HostFiles.must(dataOnly ? Call.FDATASYNC : Call.FSYNC, fd, 0, 0);
  }

  @Override
  public void close() {
    if (owner == null) {
      Descriptors.close(fd);
    } else {
      owner.close();
    }
  }
}
