package parhelion.xen.memory;

import parhelion.abi.Errno;
import parhelion.xen.Vcpu;
import parhelion.xen.XenError;

/** {@code memory_op}: a domain's reservation, and what it may know of machine memory. */
public final class MemoryOps {
  public long memoryOp(Vcpu v, long cmd, long arg, long unused, long unused2, long unused3) {
    throw new XenError(Errno.ENOSYS);
  }
}
