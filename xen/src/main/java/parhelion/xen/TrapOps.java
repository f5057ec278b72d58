package parhelion.xen;

import parhelion.abi.CallbackArgs.CallbackRegister;
import parhelion.abi.CallbackArgs.CallbackUnregister;
import parhelion.abi.CallbackArgs.XennmiCallback;
import parhelion.abi.CallbackFlags;
import parhelion.abi.CallbackOp;
import parhelion.abi.CallbackType;
import parhelion.abi.Errno;
import parhelion.abi.NmiOp;
import parhelion.abi.TrapInfo;

/** Hypercalls that say where control enters the guest's kernel. */
final class TrapOps {
  private static final int NMI = 2;
  private static final int KERNEL_CS = 0xe033;

  private TrapOps() {}

  static boolean isCanonical(long va) {
    return va << 16 >> 16 == va;
  }

  /**
   * Entries up to one with address 0; a null table clears all. What came before a bad entry stays
   * set.
   */
  static long setTrapTable(Vcpu v, long table, long a2, long a3, long a4, long a5) {
    VcpuState s = v.state;
    if (table == 0) {
      for (int i = 0; i < 256; i++) {
        setTrap(s, i, 0, 0, 0);
      }
      return 0;
    }
    for (long at = table; ; at += TrapInfo.STRUCT.size()) {
      TrapInfo t = TrapInfo.read(v.guest().in(at, TrapInfo.STRUCT), 0);
      if (t.address() == 0) {
        return 0;
      }
      if (!isCanonical(t.address())) {
        throw new XenError(Errno.EINVAL);
      }
      setTrap(s, t.vector(), t.flags(), t.cs() | 3, t.address());
      if (v.shouldYield()) {
        throw v.continueHypercall(at + TrapInfo.STRUCT.size(), 0, 0, 0, 0);
      }
    }
  }

  static void setTrap(VcpuState s, int vector, int flags, int cs, long address) {
    s.trapAddress[vector] = address;
    s.trapFlags[vector] = flags;
    s.trapCs[vector] = cs;
  }

  // --- callbacks ---

  static SubOps<CallbackOp> callbackRoster() {
    return new SubOps<>(CallbackOp.class)
        .in(CallbackOp.REGISTER, CallbackRegister::read, TrapOps::register)
        .in(CallbackOp.UNREGISTER, CallbackUnregister::read, TrapOps::unregister);
  }

  private static long register(Vcpu v, CallbackRegister r) {
    if (!isCanonical(r.address())) {
      throw new XenError(Errno.EINVAL);
    }
    CallbackType type = CallbackType.of(r.type());
    if (type == null) {
      throw new XenError(Errno.ENOSYS);
    }
    boolean mask = (r.flags() & CallbackFlags.MASK_EVENTS) != 0;
    VcpuState s = v.state;
    switch (type) {
      case EVENT -> s.eventCallback = r.address();
      case FAILSAFE -> {
        s.failsafeCallback = r.address();
        s.failsafeMasksEvents = mask;
      }
      case SYSCALL -> {
        s.syscallCallback = r.address();
        s.syscallMasksEvents = mask;
      }
      case SYSCALL32 -> {
        s.syscall32Callback = r.address();
        s.syscall32MasksEvents = mask;
      }
      case SYSENTER -> {
        s.sysenterCallback = r.address();
        s.sysenterMasksEvents = mask;
      }
      case NMI -> registerNmi(v, r.address());
      default -> throw new XenError(Errno.ENOSYS);
    }
    return 0;
  }

  private static void registerNmi(Vcpu v, long address) {
    if (!isCanonical(address)) {
      throw new XenError(Errno.EINVAL);
    }
    setTrap(v.state, NMI, 4, KERNEL_CS, address);
  }

  private static long unregister(Vcpu v, CallbackUnregister u) {
    CallbackType type = CallbackType.of(u.type());
    if (type == null || type == CallbackType.SYSENTER_DEPRECATED) {
      throw new XenError(Errno.ENOSYS);
    }
    if (type != CallbackType.NMI) {
      throw new XenError(Errno.EINVAL);
    }
    setTrap(v.state, NMI, 0, 0, 0);
    return 0;
  }

  /** The old form, which has no errors: an address that is not canonical is not taken. */
  static long setCallbacks(Vcpu v, long event, long failsafe, long syscall, long a4, long a5) {
    VcpuState s = v.state;
    if (isCanonical(event)) {
      s.eventCallback = event;
    }
    if (isCanonical(failsafe)) {
      s.failsafeCallback = failsafe;
      s.failsafeMasksEvents = false;
    }
    if (isCanonical(syscall)) {
      s.syscallCallback = syscall;
      s.syscallMasksEvents = false;
    }
    return 0;
  }

  static long nmiOp(Vcpu v, long cmd, long arg, long a3, long a4, long a5) {
    NmiOp op = NmiOp.of(cmd & 0xffff_ffffL);
    if (op == NmiOp.REGISTER_CALLBACK) {
      registerNmi(
          v, XennmiCallback.read(v.guest().in(arg, XennmiCallback.STRUCT), 0).handlerAddress());
      return 0;
    }
    if (op == NmiOp.UNREGISTER_CALLBACK) {
      setTrap(v.state, NMI, 0, 0, 0);
      return 0;
    }
    throw new XenError(Errno.ENOSYS);
  }

  static long stackSwitch(Vcpu v, long ss, long sp, long a3, long a4, long a5) {
    v.state.kernelSs = ss | 3;
    v.state.kernelSp = sp;
    return 0;
  }
}
