package parhelion.process;

import parhelion.cpu.Access;
import parhelion.process.file.OpenFile;
import parhelion.process.file.Pipe;
import parhelion.process.memory.UserMemory;

/** System calls on descriptors: reading, writing, duplicating, pipes. */
final class FileCalls {
  /** Bytes moved between two looks at signals; also the size of a buffer on our side. */
  private static final int CHUNK = 1 << 18;

  /** Linux's MAX_RW_COUNT. */
  private static final long MAX_COUNT = 0x7fff_f000L;

  private static final int MAX_VECTORS = 1024;
  private static final long MAX_FILE_BYTES = 1L << 40;

  private FileCalls() {}

  static OpenFile file(Task task, long fd) {
    return task.process.files.get((int) fd);
  }

  private static OpenFile readable(Task task, long fd) {
    OpenFile file = file(task, fd);
    if (!file.isReadable()) {
      throw new LinuxError(Errno.EBADF);
    }
    return file;
  }

  private static OpenFile writable(Task task, long fd) {
    OpenFile file = file(task, fd);
    if (!file.isWritable()) {
      throw new LinuxError(Errno.EBADF);
    }
    return file;
  }

  // --- transfers ---

  static long read(Task t, long fd, long buffer, long size, long d, long e, long f) {
    return readInto(t, readable(t, fd), buffer, size, -1);
  }

  static long pread(Task t, long fd, long buffer, long size, long position, long e, long f) {
    if (position < 0) {
      throw new LinuxError(Errno.EINVAL);
    }
    return readInto(t, readable(t, fd), buffer, size, position);
  }

  static long write(Task t, long fd, long buffer, long size, long d, long e, long f) {
    return writeFrom(t, writable(t, fd), buffer, size, -1);
  }

  static long pwrite(Task t, long fd, long buffer, long size, long position, long e, long f) {
    if (position < 0) {
      throw new LinuxError(Errno.EINVAL);
    }
    return writeFrom(t, writable(t, fd), buffer, size, position);
  }

  /** Reads at a position, or at the file's own where that is negative. */
  private static long readInto(Task t, OpenFile file, long va, long size, long position) {
    if (size < 0) {
      throw new LinuxError(Errno.EINVAL);
    }
    UserMemory memory = t.memory();
    long want = memory.accessible(va, Math.min(size, MAX_COUNT), Access.WRITE);
    if (want == 0 && size > 0) {
      if (file.stat().isDirectory()) {
        throw new LinuxError(Errno.EISDIR);
      }
      throw new LinuxError(Errno.EFAULT);
    }
    file.retain();
    try {
      byte[] buffer = new byte[(int) Math.min(want, CHUNK)];
      long done = 0;
      do {
        int part = (int) Math.min(want - done, buffer.length);
        int n =
            position >= 0
                ? file.readAt(buffer, part, position + done)
                : done == 0 ? blockingRead(t, file, buffer, part) : file.read(buffer, part);
        if (n <= 0) {
          break;
        }
        memory.write(va + done, buffer, 0, n);
        done += n;
        if (n < part) {
          break;
        }
      } while (done < want && !t.isInterrupted());
      return done;
    } finally {
      file.release();
    }
  }

  private static long writeFrom(Task t, OpenFile file, long va, long size, long position) {
    if (size < 0) {
      throw new LinuxError(Errno.EINVAL);
    }
    UserMemory memory = t.memory();
    long want = memory.accessible(va, Math.min(size, MAX_COUNT), Access.READ);
    if (want == 0 && size > 0) {
      throw new LinuxError(Errno.EFAULT);
    }
    if (file.stat().isRegular() && position + want > MAX_FILE_BYTES) {
      throw new LinuxError(Errno.EFBIG);
    }
    file.retain();
    try {
      byte[] buffer = new byte[(int) Math.min(want, CHUNK)];
      long done = 0;
      do {
        int part = (int) Math.min(want - done, buffer.length);
        memory.read(va + done, buffer, 0, part);
        int n;
        try {
          n =
              position >= 0
                  ? file.writeAt(buffer, part, position + done)
                  : writeAll(t, file, buffer, part);
        } catch (LinuxError e) {
          if (e.errno == Errno.EPIPE) {
            SignalDelivery.send(
                t, new SignalInfo(Signals.SIGPIPE, SignalInfo.SI_USER, t.process.pid, 0, 0));
          }
          if (done > 0) {
            break;
          }
          throw e;
        }
        done += n;
        if (n < part) {
          break;
        }
      } while (done < want);
      return done;
    } finally {
      file.release();
    }
  }

  static int blockingRead(Task t, OpenFile file, byte[] into, int length) {
    while (true) {
      t.prepareToWait();
      int n = file.read(into, length);
      if (n != OpenFile.WOULD_BLOCK) {
        return n;
      }
      block(t, file, OpenFile.POLLIN);
    }
  }

  /** Writes everything unless the file does not block, or a signal comes after a part. */
  static int writeAll(Task t, OpenFile file, byte[] from, int length) {
    int done = 0;
    while (true) {
      t.prepareToWait();
      int n;
      try {
        n = file.write(from, done, length - done);
      } catch (LinuxError e) {
        if (done > 0 && e.errno != Errno.EPIPE) {
          return done;
        }
        throw e;
      }
      if (n != OpenFile.WOULD_BLOCK) {
        done += n;
        if (done >= length || n == 0) {
          return done;
        }
        continue;
      }
      if (done > 0 && (file.isNonBlocking() || t.isInterrupted())) {
        return done;
      }
      block(t, file, OpenFile.POLLOUT);
    }
  }

  private static void block(Task t, OpenFile file, int events) {
    if (file.isNonBlocking()) {
      throw new LinuxError(Errno.EAGAIN);
    }
    PollCalls.waitFor(t, file, events, Task.FOREVER);
    if (t.isInterrupted() && (file.ready() & events) == 0) {
      throw new LinuxError(Errno.ERESTARTSYS);
    }
  }

  /** A vector's element. */
  private interface Element {
    long transfer(long va, long size, long position);
  }

  private static long vectors(Task t, long va, long count, long position, Element element) {
    if (count < 0 || count > MAX_VECTORS) {
      throw new LinuxError(Errno.EINVAL);
    }
    byte[] table = t.memory().bytes(va, (int) count * 16);
    long sum = 0;
    for (int i = 0; i < count; i++) {
      long size = Bytes.get64(table, i * 16 + 8);
      if (size < 0 || (sum += Math.min(size, MAX_COUNT)) > 2 * MAX_COUNT) {
        throw new LinuxError(Errno.EINVAL);
      }
    }
    long done = 0;
    for (int i = 0; i < count; i++) {
      long size = Bytes.get64(table, i * 16 + 8);
      if (size == 0) {
        continue;
      }
      long n;
      try {
        n = element.transfer(Bytes.get64(table, i * 16), size, position < 0 ? -1 : position + done);
      } catch (LinuxError e) {
        if (done > 0) {
          return done;
        }
        throw e;
      }
      done += n;
      if (n < size) {
        break;
      }
    }
    return done;
  }

  static long readv(Task t, long fd, long va, long count, long d, long e, long f) {
    OpenFile file = readable(t, fd);
    return vectors(
        t,
        va,
        (int) count,
        -1,
        (at, size, position) -> {
          // What follows the first part must not wait for more.
          return readInto(t, file, at, size, position);
        });
  }

  static long writev(Task t, long fd, long va, long count, long d, long e, long f) {
    OpenFile file = writable(t, fd);
    return vectors(t, va, (int) count, -1, (at, size, p) -> writeFrom(t, file, at, size, p));
  }

  static long preadv(Task t, long fd, long va, long count, long position, long e, long f) {
    OpenFile file = readable(t, fd);
    checkPosition(position);
    return vectors(t, va, (int) count, position, (at, size, p) -> readInto(t, file, at, size, p));
  }

  static long pwritev(Task t, long fd, long va, long count, long position, long e, long f) {
    OpenFile file = writable(t, fd);
    checkPosition(position);
    return vectors(t, va, (int) count, position, (at, size, p) -> writeFrom(t, file, at, size, p));
  }

  private static void checkPosition(long position) {
    if (position < 0) {
      throw new LinuxError(Errno.EINVAL);
    }
  }

  static long sendfile(Task t, long outFd, long inFd, long offsetVa, long size, long e, long f) {
    OpenFile in = readable(t, inFd);
    OpenFile out = writable(t, outFd);
    if (size < 0) {
      throw new LinuxError(Errno.EINVAL);
    }
    if (!in.stat().isRegular()) {
      throw new LinuxError(Errno.EINVAL);
    }
    long position = offsetVa == 0 ? in.seek(0, 1) : t.memory().get64(offsetVa);
    checkPosition(position);
    in.retain();
    out.retain();
    long done = 0;
    try {
      byte[] buffer = new byte[(int) Math.min(size, CHUNK)];
      while (done < size) {
        int part = (int) Math.min(size - done, buffer.length);
        int n = in.readAt(buffer, part, position + done);
        if (n <= 0) {
          break;
        }
        int written = writeAll(t, out, buffer, n);
        done += written;
        if (written < n || t.isInterrupted()) {
          break;
        }
      }
    } catch (LinuxError error) {
      if (done == 0) {
        throw error;
      }
    } finally {
      in.release();
      out.release();
    }
    if (offsetVa == 0) {
      long ignored = in.seek(position + done, 0);
    } else {
      t.memory().put64(offsetVa, position + done);
    }
    return done;
  }

  // --- positions and sizes ---

  static long lseek(Task t, long fd, long offset, long whence, long d, long e, long f) {
    OpenFile file = file(t, fd);
    if ((file.flags() & OpenFile.O_PATH) != 0) {
      throw new LinuxError(Errno.EBADF);
    }
    return file.seek(offset, (int) whence);
  }

  static long ftruncate(Task t, long fd, long length, long c, long d, long e, long f) {
    OpenFile file = file(t, fd);
    if (length < 0 || !file.isWritable()) {
      throw new LinuxError(Errno.EINVAL);
    }
    if (length > MAX_FILE_BYTES) {
      throw new LinuxError(Errno.EFBIG);
    }
    file.truncate(length);
    return 0;
  }

  static long fallocate(Task t, long fd, long mode, long offset, long length, long e, long f) {
    OpenFile file = writable(t, fd);
    if (offset < 0 || length <= 0) {
      throw new LinuxError(Errno.EINVAL);
    }
    if (mode != 0) {
      throw new LinuxError(Errno.EOPNOTSUPP);
    }
    long end = offset + length;
    if (end < 0 || end > MAX_FILE_BYTES) {
      throw new LinuxError(Errno.EFBIG);
    }
    if (file.stat().sizeBytes() < end) {
      file.truncate(end);
    }
    return 0;
  }

  static long fsync(Task t, long fd, long b, long c, long d, long e, long f) {
    file(t, fd).sync(false);
    return 0;
  }

  static long fdatasync(Task t, long fd, long b, long c, long d, long e, long f) {
    file(t, fd).sync(true);
    return 0;
  }

  static long sync(Task t, long a, long b, long c, long d, long e, long f) {
    return 0;
  }

  static long advise(Task t, long fd, long b, long c, long d, long e, long f) {
    OpenFile ignored = file(t, fd);
    return 0;
  }

  static long flock(Task t, long fd, long operation, long c, long d, long e, long f) {
    OpenFile ignored = file(t, fd);
    return 0; // every lock is granted: guests of one world do not lock against each other
  }

  // --- descriptors ---

  static long close(Task t, long fd, long b, long c, long d, long e, long f) {
    t.process.files.close((int) fd);
    return 0;
  }

  static long closeRange(Task t, long first, long last, long flags, long d, long e, long f) {
    if (Integer.compareUnsigned((int) first, (int) last) > 0 || (flags & ~6L) != 0) {
      throw new LinuxError(Errno.EINVAL);
    }
    FileTable files = t.process.files;
    for (int fd : files.numbers()) {
      if (Integer.compareUnsigned(fd, (int) first) >= 0
          && Integer.compareUnsigned(fd, (int) last) <= 0) {
        if ((flags & 4) != 0) {
          files.setCloseOnExec(fd, true);
        } else {
          files.close(fd);
        }
      }
    }
    return 0;
  }

  static long dup(Task t, long fd, long b, long c, long d, long e, long f) {
    return t.process.files.add(file(t, fd).retain(), 0, false);
  }

  static long dup2(Task t, long fd, long to, long c, long d, long e, long f) {
    OpenFile file = file(t, fd);
    if ((int) fd != (int) to) {
      t.process.files.set((int) to, file.retain(), false);
    }
    return (int) to;
  }

  static long dup3(Task t, long fd, long to, long flags, long d, long e, long f) {
    if ((int) fd == (int) to || (flags & ~OpenFile.O_CLOEXEC) != 0) {
      throw new LinuxError(Errno.EINVAL);
    }
    t.process.files.set((int) to, file(t, fd).retain(), flags != 0);
    return (int) to;
  }

  static long pipe(Task t, long va, long b, long c, long d, long e, long f) {
    return pipe2(t, va, 0, 0, 0, 0, 0);
  }

  static long pipe2(Task t, long va, long flags, long c, long d, long e, long f) {
    if ((flags & ~(OpenFile.O_CLOEXEC | OpenFile.O_NONBLOCK | 0x4000)) != 0) {
      throw new LinuxError(Errno.EINVAL);
    }
    t.memory().checkWritable(va, 8);
    boolean cloexec = (flags & OpenFile.O_CLOEXEC) != 0;
    Pipe pipe = new Pipe((int) flags);
    FileTable files = t.process.files;
    int in;
    int out;
    try {
      in = files.add(pipe.readEnd, 0, cloexec);
    } catch (LinuxError error) {
      pipe.writeEnd.release();
      throw error;
    }
    try {
      out = files.add(pipe.writeEnd, 0, cloexec);
    } catch (LinuxError error) {
      files.close(in);
      throw error;
    }
    t.memory().put32(va, in);
    t.memory().put32(va + 4, out);
    return 0;
  }

  static long fcntl(Task t, long fdArgument, long command, long argument, long d, long e, long f) {
    int fd = (int) fdArgument;
    OpenFile file = file(t, fd);
    FileTable files = t.process.files;
    switch ((int) command) {
      case 0, 1030 -> { // F_DUPFD, F_DUPFD_CLOEXEC
        if ((int) argument < 0 || (int) argument >= FileTable.MAX) {
          throw new LinuxError(Errno.EINVAL);
        }
        return files.add(file.retain(), (int) argument, command == 1030);
      }
      case 1 -> { // F_GETFD
        return files.isCloseOnExec(fd) ? 1 : 0;
      }
      case 2 -> { // F_SETFD
        files.setCloseOnExec(fd, (argument & 1) != 0);
        return 0;
      }
      case 3 -> { // F_GETFL
        return file.flags() | 0x8000; // O_LARGEFILE
      }
      case 4 -> { // F_SETFL
        file.setStatusFlags((int) argument);
        return 0;
      }
      case 5, 36 -> { // F_GETLK, F_OFD_GETLK: nobody holds a lock
        t.memory().put16(argument, 2);
        return 0;
      }
      case 6, 7, 37, 38 -> { // F_SETLK, F_SETLKW, F_OFD_SETLK, F_OFD_SETLKW
        return 0;
      }
      case 8, 10 -> { // F_SETOWN, F_SETSIG
        return 0;
      }
      case 9, 11 -> { // F_GETOWN, F_GETSIG
        return 0;
      }
      case 1031, 1032 -> { // F_SETPIPE_SZ, F_GETPIPE_SZ
        if (!file.path().startsWith("pipe:")) {
          throw new LinuxError(Errno.EBADF);
        }
        return Pipe.CAPACITY;
      }
      default -> throw new LinuxError(Errno.EINVAL);
    }
  }
}
