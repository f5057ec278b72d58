package parhelion.backends;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.BooleanSupplier;
import parhelion.backends.xenbus.XenbusDriver.RefusedException;

/**
 * A guest's memory, grants and one port, and the scheduler's thread, played by the test's. Counts
 * what is mapped, and fails any use of a page that is not.
 */
public final class FakeGuest implements Frontend {
  public static final int PAGE_BYTES = 4096;
  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final long PATIENCE_NANOS = 60_000_000_000L;

  private record Grant(int frame, boolean writable) {}

  public final MemorySegment memory;
  private final Map<Long, Grant> grants = new HashMap<>();
  private final ConcurrentLinkedQueue<Runnable> posted = new ConcurrentLinkedQueue<>();
  private final Map<Long, Runnable> ports = new HashMap<>();
  public int mapped;
  public int events;
  public int maps;

  public FakeGuest(int frames) {
    memory = Arena.ofAuto().allocate((long) frames * PAGE_BYTES, PAGE_BYTES);
  }

  public void grant(long ref, int frame, boolean writable) {
    grants.put(ref, new Grant(frame, writable));
  }

  public void revoke(long ref) {
    grants.remove(ref);
  }

  public MemorySegment frame(int frame) {
    return memory.asSlice((long) frame * PAGE_BYTES, PAGE_BYTES);
  }

  /** Raises the guest's event. */
  public void send(long port) {
    Runnable bound = ports.get(port);
    if (bound != null) {
      bound.run();
    }
  }

  public boolean isBound(long port) {
    return ports.containsKey(port);
  }

  /** Does what was posted, until there is no more. */
  public void runPosted() {
    for (Runnable work = posted.poll(); work != null; work = posted.poll()) {
      work.run();
    }
  }

  /** Does what is posted until something has come about. */
  public void runUntil(BooleanSupplier done) {
    long deadline = System.nanoTime() + PATIENCE_NANOS;
    runPosted();
    while (!done.getAsBoolean()) {
      if (System.nanoTime() > deadline) {
        throw new AssertionError("what was waited for has not come about");
      }
      Thread.onSpinWait();
      runPosted();
    }
  }

  @Override
  public int domid() {
    return 7;
  }

  @Override
  public GrantedPage map(long ref, boolean writable) throws RefusedException {
    Grant grant = grants.get(ref);
    if (grant == null || (writable && !grant.writable)) {
      throw new RefusedException("grant " + ref + " is none");
    }
    mapped++;
    maps++;
    return new Page(grant.frame, writable);
  }

  @Override
  public boolean copyFrom(long ref, int offset, byte[] target, int at, int length) {
    Grant grant = grants.get(ref);
    if (grant == null) {
      return false;
    }
    MemorySegment.copy(frame(grant.frame), ValueLayout.JAVA_BYTE, offset, target, at, length);
    return true;
  }

  @Override
  public boolean copyTo(long ref, int offset, byte[] source, int at, int length) {
    throw new AssertionError("nothing is copied into grants");
  }

  @Override
  public Port bind(long port, Runnable onEvent) throws RefusedException {
    if (port < 1 || port > 100 || ports.putIfAbsent(port, onEvent) != null) {
      throw new RefusedException("port " + port + " is none");
    }
    return new Port() {
      @Override
      public void notifyGuest() {
        events++;
      }

      @Override
      public void close() {
        ports.remove(port);
      }
    };
  }

  @Override
  public void post(Runnable work) {
    posted.add(work);
  }

  /** A mapping. */
  private final class Page implements GrantedPage {
    private final int frame;
    private final boolean writable;
    private boolean closed;

    Page(int frame, boolean writable) {
      this.frame = frame;
      this.writable = writable;
    }

    private MemorySegment at() {
      if (closed) {
        throw new AssertionError("a page is used that is not mapped any more");
      }
      return frame(frame);
    }

    private MemorySegment writableAt() {
      if (!writable) {
        throw new AssertionError("a page is written that is mapped read-only");
      }
      return at();
    }

    private ByteBuffer view(MemorySegment part) {
      return (writable ? part : part.asReadOnly()).asByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
    }

    @Override
    public boolean isWritable() {
      return writable;
    }

    @Override
    public ByteBuffer buffer(int offset, int lengthBytes) {
      return view(at().asSlice(offset, lengthBytes));
    }

    @Override
    public long hostAddress() {
      return at().address();
    }

    @Override
    public ByteBuffer run(List<? extends GrantedPage> pages) {
      for (int i = 0; i < pages.size(); i++) {
        if (pages.get(i).hostAddress() != hostAddress() + (long) i * PAGE_BYTES) {
          throw new AssertionError("pages that do not follow each other are run together");
        }
      }
      return view(memory.asSlice((long) frame * PAGE_BYTES, (long) pages.size() * PAGE_BYTES));
    }

    @Override
    public void written(int offset, int lengthBytes) {
      MemorySegment unused = writableAt().asSlice(offset, lengthBytes);
    }

    @Override
    public int loadAcquire(int offset) {
      return at().get(INT, offset);
    }

    @Override
    public void storeRelease(int offset, int value) {
      writableAt().set(INT, offset, value);
    }

    @Override
    public void read(int offset, byte[] target, int targetOffset, int length) {
      MemorySegment.copy(at(), ValueLayout.JAVA_BYTE, offset, target, targetOffset, length);
    }

    @Override
    public void write(int offset, byte[] source, int sourceOffset, int length) {
      MemorySegment.copy(source, sourceOffset, writableAt(), ValueLayout.JAVA_BYTE, offset, length);
    }

    @Override
    public void close() {
      if (closed) {
        throw new AssertionError("a page is unmapped twice");
      }
      closed = true;
      mapped--;
    }
  }
}
