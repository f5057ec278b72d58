package parhelion.xen;

import parhelion.abi.Errno;
import parhelion.abi.XenLimits;

/**
 * What only a control domain may call; guests here are never one, so these give Xen's answers to
 * the others: EACCES for another interface version, EPERM for the right one.
 */
final class PrivilegedCalls {
  private static final int SYSCTL_VERSION = 0x15;
  private static final int DOMCTL_VERSION = 0x15;

  private PrivilegedCalls() {}

  static long platformOp(Vcpu v, long op, long a2, long a3, long a4, long a5) {
    int version = v.guest().getInt(op + 4);
    throw new XenError(version == XenLimits.XENPF_INTERFACE_VERSION ? Errno.EPERM : Errno.EACCES);
  }

  static long sysctl(Vcpu v, long op, long a2, long a3, long a4, long a5) {
    throw new XenError(v.guest().getInt(op + 4) == SYSCTL_VERSION ? Errno.EPERM : Errno.EACCES);
  }

  static long domctl(Vcpu v, long op, long a2, long a3, long a4, long a5) {
    throw new XenError(v.guest().getInt(op + 4) == DOMCTL_VERSION ? Errno.EPERM : Errno.EACCES);
  }
}
