package parhelion.backends;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/** A ring page without a hypervisor: an array that guest and backend share. */
public final class HeapRing implements RingMemory {
  private static final VarHandle INT =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);

  private final byte[] page = new byte[4096];
  private boolean closed;

  @Override
  public int loadAcquire(int offset) {
    check(offset, 4);
    int value = (int) INT.get(page, offset);
    VarHandle.acquireFence();
    return value;
  }

  @Override
  public void storeRelease(int offset, int value) {
    check(offset, 4);
    VarHandle.releaseFence();
    INT.set(page, offset, value);
  }

  @Override
  public void read(int offset, byte[] target, int targetOffset, int length) {
    check(offset, length);
    System.arraycopy(page, offset, target, targetOffset, length);
  }

  @Override
  public void write(int offset, byte[] source, int sourceOffset, int length) {
    check(offset, length);
    System.arraycopy(source, sourceOffset, page, offset, length);
  }

  private void check(int offset, int length) {
    if (closed || offset < 0 || length < 0 || offset + length > page.length) {
      throw new IllegalStateException("access to " + offset + "+" + length);
    }
  }

  @Override
  public void close() {
    closed = true;
  }

  public boolean closed() {
    return closed;
  }
}
