package parhelion.xen.grant;

import parhelion.abi.Errno;
import parhelion.xen.Vcpu;
import parhelion.xen.XenError;

/** {@code grant_table_op}. */
public final class GrantOps {
  public long grantTableOp(Vcpu v, long cmd, long uop, long count, long unused, long unused2) {
    throw new XenError(Errno.ENOSYS);
  }
}
