package parhelion.process.file;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import parhelion.process.Errno;
import parhelion.process.LinuxError;

/** A pipe between guests: 64 KiB, writes of up to 4 KiB in one piece, as Linux has it. */
public final class Pipe {
  public static final int CAPACITY = 65536;
  private static final int ATOMIC = 4096;

  /** Pipes that may exist at once, over all worlds: what they hold is our memory. */
  private static final int MAX_PIPES = 1024;

  private static final AtomicLong INODES = new AtomicLong(1000);
  private static final AtomicInteger OPEN = new AtomicInteger();

  private byte[] buffer = new byte[0];
  private final WaitQueue changed = new WaitQueue();
  private final long inode = INODES.incrementAndGet();
  private int start;
  private int used;
  private int readers = 1;
  private int writers = 1;

  public final OpenFile readEnd;
  public final OpenFile writeEnd;

  /** ENFILE when there are too many. */
  public Pipe(int flags) {
    if (OPEN.incrementAndGet() > MAX_PIPES) {
      OPEN.decrementAndGet();
      throw new LinuxError(Errno.ENFILE);
    }
    int status = flags & OpenFile.O_NONBLOCK;
    readEnd = new ReadEnd(status);
    writeEnd = new WriteEnd(status | OpenFile.O_WRONLY);
    readEnd.setPath("pipe:[" + inode + "]");
    writeEnd.setPath("pipe:[" + inode + "]");
  }

  private void endClosed() {
    if (readers == 0 && writers == 0) {
      OPEN.decrementAndGet();
    }
    changed.wakeAll();
  }

  private FileStat stat() {
    return FileStat.synthetic(FileStat.S_IFIFO | 0600, inode, 0, 0);
  }

  private final class ReadEnd extends OpenFile {
    ReadEnd(int flags) {
      super(flags);
    }

    @Override
    public FileStat stat() {
      return Pipe.this.stat();
    }

    @Override
    public int read(byte[] into, int length) {
      if (used == 0) {
        return writers == 0 || length == 0 ? 0 : WOULD_BLOCK;
      }
      int n = Math.min(length, used);
      int first = Math.min(n, CAPACITY - start);
      System.arraycopy(buffer, start, into, 0, first);
      System.arraycopy(buffer, 0, into, first, n - first);
      start = (start + n) % CAPACITY;
      used -= n;
      changed.wakeAll();
      return n;
    }

    @Override
    public int ready() {
      return (used > 0 ? POLLIN : 0) | (writers == 0 ? POLLHUP : 0);
    }

    @Override
    public WaitQueue changed() {
      return changed;
    }

    @Override
    public int available() {
      return used;
    }

    @Override
    protected void closed() {
      readers--;
      endClosed();
    }
  }

  private final class WriteEnd extends OpenFile {
    WriteEnd(int flags) {
      super(flags);
    }

    @Override
    public FileStat stat() {
      return Pipe.this.stat();
    }

    @Override
    public int write(byte[] from, int offset, int length) {
      if (readers == 0) {
        throw new LinuxError(Errno.EPIPE);
      }
      int room = CAPACITY - used;
      if (room == 0 || (length <= ATOMIC && room < length)) {
        return length == 0 ? 0 : WOULD_BLOCK;
      }
      if (buffer.length == 0) {
        buffer = new byte[CAPACITY];
      }
      int n = Math.min(length, room);
      int end = (start + used) % CAPACITY;
      int first = Math.min(n, CAPACITY - end);
      System.arraycopy(from, offset, buffer, end, first);
      System.arraycopy(from, offset + first, buffer, 0, n - first);
      used += n;
      changed.wakeAll();
      return n;
    }

    @Override
    public int ready() {
      return (CAPACITY - used >= ATOMIC ? POLLOUT : 0) | (readers == 0 ? POLLERR : 0);
    }

    @Override
    public WaitQueue changed() {
      return changed;
    }

    @Override
    public int available() {
      return used;
    }

    @Override
    protected void closed() {
      writers--;
      endClosed();
    }
  }
}
