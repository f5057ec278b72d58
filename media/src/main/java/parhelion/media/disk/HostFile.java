package parhelion.media.disk;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * A file of the host with an image in it, locked for as long as it is open: by one writer, or by
 * readers. The lock is advisory and keeps out other openers of this kind, in this process and
 * others.
 *
 * <p>A thread that is interrupted while it reads or writes closes its FileChannel, which here is
 * the file of every thread: so the channel is opened again behind the scenes, and the interrupt is
 * kept for later.
 */
final class HostFile implements ImageFile {
  /** How an image's file is locked. */
  enum Lock {
    /** Others may read, none may write. */
    SHARED,
    /** Nobody else may open it. */
    EXCLUSIVE,
    /** Just to look at a header, while someone else may be writing. */
    NONE
  }

  private final Path path;
  private final boolean readOnly;

  /** The descriptor that has the lock, -1 where only the JDK's calls are to be had. */
  private final int fd;

  /** Whether anyone wants the file to survive this process. */
  private boolean lasting = true;

  private final Object reopening = new Object();
  private volatile FileChannel channel;
  private volatile boolean closed;

  /** Threads that use the descriptor. */
  private final AtomicInteger users = new AtomicInteger();

  private volatile @Nullable IOException forceFailure;

  private HostFile(Path path, boolean readOnly, int fd, FileChannel channel) {
    this.path = path;
    this.readOnly = readOnly;
    this.fd = fd;
    this.channel = channel;
  }

  /** Opens an ordinary file that exists, and locks it. */
  static HostFile open(Path path, boolean readOnly, Lock lock) throws DiskException {
    checkOrdinary(path);
    int fd = -1;
    FileChannel channel = null;
    try {
      channel = openChannel(path, readOnly);
      if (HostCalls.AVAILABLE) {
        fd = HostCalls.open(path, readOnly);
        if (fd < 0) {
          throw new DiskException(path + ": cannot be opened: close some files and try again");
        }
      }
      lock(path, fd, channel, lock);
      return new HostFile(path, readOnly, fd, channel);
    } catch (IOException e) {
      closeAll(fd, channel);
      throw e instanceof DiskException told ? told : describe(path, readOnly, e);
    }
  }

  /**
   * Creates an empty file, and locks it.
   *
   * @param replace whether one that exists, and is not in use, may be emptied
   */
  static HostFile create(Path path, boolean replace) throws DiskException {
    try {
      Files.createFile(path);
    } catch (FileAlreadyExistsException e) {
      if (!replace) {
        throw new DiskException(
            path + ": exists already: choose another name, or --force to overwrite it", e);
      }
    } catch (IOException e) {
      throw describe(path, false, e);
    }
    HostFile file = open(path, false, Lock.EXCLUSIVE);
    try {
      file.truncate(0);
      return file;
    } catch (IOException e) {
      closeAll(file.fd, file.channel);
      throw describe(path, false, e);
    }
  }

  /** Creates a file that is nowhere to be seen and vanishes with this object. */
  static HostFile temporary(Path directory) throws DiskException {
    Path path = null;
    FileChannel channel = null;
    int fd = -1;
    try {
      path = Files.createTempFile(directory, "parhelion-", ".overlay");
      channel = openChannel(path, false);
      fd = HostCalls.AVAILABLE ? HostCalls.open(path, false) : -1;
      if (fd >= 0) {
        Files.delete(path);
      } else {
        path.toFile().deleteOnExit();
      }
      HostFile file = new HostFile(path, false, fd, channel);
      file.lasting = false;
      return file;
    } catch (IOException e) {
      closeAll(fd, channel);
      throw new DiskException(
          directory
              + ": no temporary file can be made here ("
              + e.getMessage()
              + "): set TMPDIR to a directory that can be written",
          e);
    }
  }

  private static void checkOrdinary(Path path) throws DiskException {
    if (Files.isDirectory(path)) {
      throw new DiskException(path + ": is a directory: name a disk image");
    }
    if (Files.exists(path) && !Files.isRegularFile(path)) {
      throw new DiskException(
          path + ": is a device and not a file: copy it to an image first, as with dd conv=sparse");
    }
  }

  private static FileChannel openChannel(Path path, boolean readOnly) throws IOException {
    Set<StandardOpenOption> options = new HashSet<>(Set.of(StandardOpenOption.READ));
    if (!readOnly) {
      options.add(StandardOpenOption.WRITE);
    }
    return FileChannel.open(path, options);
  }

  private static void lock(Path path, int fd, FileChannel channel, Lock lock) throws IOException {
    if (lock == Lock.NONE) {
      return;
    }
    boolean shared = lock == Lock.SHARED;
    boolean taken;
    if (fd >= 0) {
      int errno = HostCalls.lock(fd, shared);
      // A file system without locks has none to respect either.
      taken = errno != HostCalls.EWOULDBLOCK;
    } else {
      try {
        taken = channel.tryLock(0, Long.MAX_VALUE, shared) != null;
      } catch (OverlappingFileLockException e) {
        taken = false;
      }
    }
    if (!taken) {
      throw new DiskException(path + ": is in use" + holder(path) + remedy(shared));
    }
  }

  private static String remedy(boolean shared) {
    return shared
        ? " and being written: wait until that has ended"
        : ": wait until that has ended, open it read-only or as a snapshot if that only reads, or"
            + " make an overlay for each (parhelion image overlay)";
  }

  private static String holder(Path path) throws IOException {
    return HostCalls.AVAILABLE && Files.getAttribute(path, "unix:ino") instanceof Long inode
        ? HostCalls.lockHolder(inode)
        : "";
  }

  private static DiskException describe(Path path, boolean readOnly, IOException e) {
    String what =
        switch (e) {
          case NoSuchFileException _ ->
              "no such file: name an image that exists, or make one with parhelion image create";
          case AccessDeniedException _ ->
              readOnly
                  ? "permission denied: let your user read it"
                  : "permission denied: let your user write it, or open it read-only";
          case FileSystemException f when f.getReason() != null -> f.getReason();
          default -> String.valueOf(e.getMessage());
        };
    return new DiskException(path + ": " + what, e);
  }

  @Override
  public String name() {
    return path.toString();
  }

  @Override
  public boolean isReadOnly() {
    return readOnly;
  }

  /** One thing to do with the channel. */
  private interface Call {
    long on(FileChannel channel) throws IOException;
  }

  private long call(String what, Call call) throws IOException {
    boolean interrupted = false;
    try {
      while (true) {
        FileChannel current = channel;
        try {
          return call.on(current);
        } catch (ClosedByInterruptException e) {
          interrupted |= Thread.interrupted();
          reopen(current);
        } catch (AsynchronousCloseException e) {
          reopen(current);
        } catch (ClosedChannelException e) {
          reopen(current);
        }
      }
    } catch (DiskException e) {
      throw e;
    } catch (IOException e) {
      throw new DiskException(path + ": cannot be " + what + ": " + e.getMessage(), e);
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private void reopen(FileChannel broken) throws IOException {
    synchronized (reopening) {
      checkOpen();
      if (channel == broken) {
        // The file may have another name by now, or none.
        channel = openChannel(fd >= 0 ? Path.of("/proc/self/fd/" + fd) : path, readOnly);
      }
    }
  }

  @Override
  public long sizeBytes() throws IOException {
    return call("measured", FileChannel::size);
  }

  @Override
  public void read(long offset, ByteBuffer into) throws IOException {
    read(offset, List.of(into));
  }

  @Override
  public void write(long offset, ByteBuffer from) throws IOException {
    write(offset, List.of(from));
  }

  @Override
  public void read(long offset, List<ByteBuffer> into) throws IOException {
    long at = offset + transfer(offset, into, /* write= */ false);
    for (ByteBuffer buffer : into) {
      int bytes = buffer.remaining();
      if (bytes > 0) {
        readByChannel(at, buffer);
      }
      at += bytes;
    }
  }

  @Override
  public void write(long offset, List<ByteBuffer> from) throws IOException {
    long at = offset + transfer(offset, from, /* write= */ true);
    for (ByteBuffer buffer : from) {
      int bytes = buffer.remaining();
      if (bytes > 0) {
        writeByChannel(at, buffer);
      }
      at += bytes;
    }
  }

  /**
   * Moves as much as one call of the host's does, which is nearly always all. The channel does the
   * rest: the end of the file, what buffers the host cannot reach, and says what is wrong.
   */
  private long transfer(long offset, List<ByteBuffer> buffers, boolean write) throws IOException {
    if (fd < 0 || write && readOnly) {
      return 0;
    }
    for (ByteBuffer buffer : buffers) {
      if (!buffer.isDirect()) {
        return 0;
      }
    }
    users.incrementAndGet();
    long moved;
    try {
      checkOpen();
      moved = Math.max(0, HostCalls.transfer(fd, write, buffers, offset));
    } finally {
      users.decrementAndGet();
    }
    long left = moved;
    for (ByteBuffer buffer : buffers) {
      int taken = (int) Math.min(left, buffer.remaining());
      buffer.position(buffer.position() + taken);
      left -= taken;
    }
    return moved;
  }

  private void checkOpen() throws DiskException {
    if (closed) {
      throw new DiskException(path + ": has been closed");
    }
  }

  private void readByChannel(long offset, ByteBuffer into) throws IOException {
    int start = into.position();
    call(
        "read",
        c -> {
          while (into.hasRemaining()) {
            if (c.read(into, offset + into.position() - start) < 0) {
              zeroRest(into);
            }
          }
          return 0;
        });
  }

  private static void zeroRest(ByteBuffer into) {
    while (into.remaining() >= Long.BYTES) {
      into.putLong(0);
    }
    while (into.hasRemaining()) {
      into.put((byte) 0);
    }
  }

  private void writeByChannel(long offset, ByteBuffer from) throws IOException {
    int start = from.position();
    call(
        "written",
        c -> {
          while (from.hasRemaining()) {
            c.write(from, offset + from.position() - start);
          }
          return 0;
        });
  }

  @Override
  public boolean punchHole(long offset, long lengthBytes) {
    return fd >= 0 && lengthBytes > 0 && HostCalls.punchHole(fd, offset, lengthBytes);
  }

  @Override
  public long holeAt(long offset, long limitBytes) throws IOException {
    if (fd >= 0) {
      return Math.min(limitBytes, HostCalls.nextData(fd, offset) - offset);
    }
    return offset >= sizeBytes() ? limitBytes : 0;
  }

  /** How much of the file is not holes; its length where that cannot be known. */
  long hostBytes() throws IOException {
    long size = sizeBytes();
    if (fd < 0) {
      return size;
    }
    long sum = 0;
    long at = 0;
    while (at < size) {
      long data = Math.min(size, HostCalls.nextData(fd, at));
      long hole = data < size ? Math.min(size, HostCalls.nextHole(fd, data)) : size;
      sum += hole - data;
      at = Math.max(hole, at + 1);
    }
    return sum;
  }

  @Override
  public void truncate(long sizeBytes) throws IOException {
    call(
        "resized",
        c -> {
          if (sizeBytes > c.size()) {
            c.write(ByteBuffer.wrap(new byte[1]), sizeBytes - 1);
          } else {
            c.truncate(sizeBytes);
          }
          return 0;
        });
  }

  @Override
  public void force() throws IOException {
    if (!lasting) {
      return;
    }
    IOException earlier = forceFailure;
    if (earlier != null) {
      // The host may have dropped what it failed to write: a second try would succeed and lie.
      throw new DiskException(earlier.getMessage() + ": what was written may be lost", earlier);
    }
    try {
      call(
          "flushed",
          c -> {
            c.force(false);
            return 0;
          });
    } catch (IOException e) {
      forceFailure = e;
      throw e;
    }
  }

  @Override
  public void close() throws IOException {
    synchronized (reopening) {
      if (!closed) {
        closed = true;
        // The descriptor's number may be another file's at once.
        while (users.get() > 0) {
          Thread.yield();
        }
        closeAll(fd, channel);
      }
    }
  }

  private static void closeAll(int fd, @Nullable FileChannel channel) {
    if (fd >= 0) {
      HostCalls.close(fd);
    }
    if (channel != null) {
      try {
        channel.close();
      } catch (IOException e) {
        // Nothing is left to be written: force has told of failures.
      }
    }
  }
}
