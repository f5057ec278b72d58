package parhelion.toolstack.link;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Objects;
import parhelion.backends.Frontend;
import parhelion.backends.GrantedPage;
import parhelion.backends.Port;
import parhelion.backends.xenbus.XenbusDriver.RefusedException;
import parhelion.cpu.memory.MachineMemory;
import parhelion.xen.Domain;
import parhelion.xen.XenError;
import parhelion.xen.grant.GrantRefused;
import parhelion.xen.grant.HostGrant;

/** What the backends of a domain's devices may touch of it: its grants and its event channels. */
public final class GuestFrontend implements Frontend {
  private final Domain domain;

  /** The machine's memory. */
  private final MemorySegment all;

  public GuestFrontend(Domain domain) {
    this.domain = domain;
    all = domain.hypervisor().memory().segment();
  }

  @Override
  public int domid() {
    return domain.id();
  }

  @Override
  public GrantedPage map(long ref, boolean writable) throws RefusedException {
    try {
      return new Page(domain.hypervisor().memory(), all, domain.grants().mapForHost(ref, writable));
    } catch (GrantRefused refused) {
      throw new RefusedException(Objects.requireNonNull(refused.getMessage()));
    }
  }

  @Override
  public boolean copyFrom(long ref, int offset, byte[] target, int at, int length) {
    return domain.grants().copyToHost(ref, offset, target, at, length);
  }

  @Override
  public boolean copyTo(long ref, int offset, byte[] source, int at, int length) {
    return domain.grants().copyFromHost(ref, offset, source, at, length);
  }

  @Override
  public Port bind(long port, Runnable onEvent) throws RefusedException {
    try {
      ChannelPort channel = ChannelPort.bind(domain, port);
      channel.onEvent(onEvent);
      return channel;
    } catch (XenError e) {
      throw new RefusedException(domain + " has not opened port " + port + " for the backend");
    }
  }

  @Override
  public void post(Runnable work) {
    domain.hypervisor().post(work);
  }

  @Override
  public void defer(Runnable work, long patienceNanos) {
    domain.hypervisor().defer(work, patienceNanos);
  }

  private static final class Page implements GrantedPage {
    private final MachineMemory memory;
    private final MemorySegment all;
    private final HostGrant grant;

    Page(MachineMemory memory, MemorySegment all, HostGrant grant) {
      this.memory = memory;
      this.all = all;
      this.grant = grant;
    }

    @Override
    public boolean isWritable() {
      return grant.isWritable();
    }

    @Override
    public long hostAddress() {
      return memory.hostAddress(grant.pa(0, MachineMemory.PAGE_SIZE), MachineMemory.PAGE_SIZE);
    }

    @Override
    public ByteBuffer buffer(int offset, int lengthBytes) {
      return view(grant.pa(offset, lengthBytes), lengthBytes, grant.isWritable());
    }

    @Override
    public ByteBuffer run(List<? extends GrantedPage> pages) {
      boolean writable = true;
      for (int i = 0; i < pages.size(); i++) {
        if (pages.get(i).hostAddress() != hostAddress() + (long) i * MachineMemory.PAGE_SIZE) {
          throw new IllegalArgumentException("page " + i + " does not follow the one before");
        }
        writable &= pages.get(i).isWritable();
      }
      int bytes = Math.multiplyExact(pages.size(), MachineMemory.PAGE_SIZE);
      return view(grant.pa(0, MachineMemory.PAGE_SIZE), bytes, writable);
    }

    private ByteBuffer view(long pa, int lengthBytes, boolean writable) {
      ByteBuffer part = all.asSlice(pa, lengthBytes).asByteBuffer();
      return (writable ? part : part.asReadOnlyBuffer()).order(ByteOrder.LITTLE_ENDIAN);
    }

    @Override
    public void written(int offset, int lengthBytes) {
      memory.noteWrite(grant.pa(offset, lengthBytes), lengthBytes);
    }

    @Override
    public int loadAcquire(int offset) {
      return grant.loadAcquire(offset);
    }

    @Override
    public void storeRelease(int offset, int value) {
      grant.storeRelease(offset, value);
    }

    @Override
    public void read(int offset, byte[] target, int targetOffset, int length) {
      grant.read(offset, target, targetOffset, length);
    }

    @Override
    public void write(int offset, byte[] source, int sourceOffset, int length) {
      grant.write(offset, source, sourceOffset, length);
    }

    @Override
    public void close() {
      grant.close();
    }
  }
}
