package parhelion.xen;

import parhelion.abi.ConsoleIoOp;
import parhelion.abi.Errno;
import parhelion.abi.PhysdevArgs.PhysdevSetIobitmap;
import parhelion.abi.PhysdevArgs.PhysdevSetIopl;
import parhelion.abi.PhysdevOp;
import parhelion.abi.VmAssist;
import parhelion.abi.VmAssistCmd;

/** {@code console_io}, {@code vm_assist} and {@code physdev_op}. */
final class MiscOps {
  private static final int CHUNK = 128;

  private static final long VALID_ASSISTS =
      1L << VmAssist._4GB_SEGMENTS.nr()
          | 1L << VmAssist._4GB_SEGMENTS_NOTIFY.nr()
          | 1L << VmAssist.WRITABLE_PAGETABLES.nr()
          | 1L << VmAssist.PAE_EXTENDED_CR3.nr()
          | 1L << VmAssist.ARCHITECTURAL_IOPL.nr()
          | 1L << VmAssist.RUNSTATE_UPDATE_FLAG.nr()
          | 1L << VmAssist.M2P_STRICT.nr();

  private MiscOps() {}

  /** Writes to the debug console, in pieces; there is nothing to read from it. */
  static long consoleIo(Vcpu v, long cmd, long count, long buffer, long a4, long a5) {
    ConsoleIoOp op = ConsoleIoOp.of(cmd & 0xffff_ffffL);
    if (op == null) {
      throw new XenError(v.domain().isPrivileged() ? Errno.ENOSYS : Errno.EPERM);
    }
    if (op == ConsoleIoOp.READ) {
      if (!v.domain().isPrivileged()) {
        throw new XenError(Errno.EPERM);
      }
      return 0;
    }
    long left = count & 0xffff_ffffL;
    long at = buffer;
    while (left > 0) {
      if (at != buffer && v.shouldYield()) {
        throw v.continueHypercall(cmd, left, at, 0, 0);
      }
      int part = (int) Math.min(left, CHUNK);
      v.domain().debugOutput(v.guest().copyIn(at, part));
      at += part;
      left -= part;
    }
    return 0;
  }

  static long vmAssist(Vcpu v, long cmd, long type, long a3, long a4, long a5) {
    long nr = type & 0xffff_ffffL;
    if (nr >= 64 || (VALID_ASSISTS >>> nr & 1) == 0) {
      throw new XenError(Errno.EINVAL);
    }
    VmAssistCmd command = VmAssistCmd.of(cmd & 0xffff_ffffL);
    if (command == VmAssistCmd.ENABLE) {
      v.domain().vmAssist |= 1L << nr;
    } else if (command == VmAssistCmd.DISABLE) {
      v.domain().vmAssist &= ~(1L << nr);
    } else {
      throw new XenError(Errno.ENOSYS);
    }
    return 0;
  }

  /** Whether the bits are all assists that exist. */
  static boolean validAssists(long bits) {
    return (bits & ~VALID_ASSISTS) == 0;
  }

  // --- physdev_op: the guest's own I/O privileges; there are no physical interrupts ---

  static SubOps<PhysdevOp> physdevRoster() {
    SubOps<PhysdevOp> ops =
        new SubOps<>(PhysdevOp.class)
            .in(PhysdevOp.SET_IOPL, PhysdevSetIopl::read, MiscOps::setIopl)
            .in(PhysdevOp.SET_IOBITMAP, PhysdevSetIobitmap::read, MiscOps::setIobitmap);
    SubOps.Raw none =
        (v, arg) -> {
          throw new XenError(Errno.EINVAL);
        };
    SubOps.Raw denied =
        (v, arg) -> {
          throw new XenError(Errno.EPERM);
        };
    return ops.raw(PhysdevOp.EOI, none)
        .raw(PhysdevOp.IRQ_STATUS_QUERY, none)
        .raw(PhysdevOp.PIRQ_EOI_GMFN_V1, none)
        .raw(PhysdevOp.PIRQ_EOI_GMFN_V2, none)
        .raw(PhysdevOp.GET_FREE_PIRQ, none)
        .raw(PhysdevOp.UNMAP_PIRQ, none)
        .raw(PhysdevOp.MAP_PIRQ, denied)
        .raw(PhysdevOp.APIC_READ, denied)
        .raw(PhysdevOp.APIC_WRITE, denied)
        .raw(PhysdevOp.ALLOC_IRQ_VECTOR, denied)
        .raw(PhysdevOp.MANAGE_PCI_ADD, denied)
        .raw(PhysdevOp.MANAGE_PCI_REMOVE, denied)
        .raw(PhysdevOp.MANAGE_PCI_ADD_EXT, denied)
        .raw(PhysdevOp.PCI_DEVICE_ADD, denied)
        .raw(PhysdevOp.PCI_DEVICE_REMOVE, denied)
        .raw(PhysdevOp.PCI_MMCFG_RESERVED, denied)
        .raw(PhysdevOp.RESTORE_MSI, denied)
        .raw(PhysdevOp.RESTORE_MSI_EXT, denied)
        .raw(PhysdevOp.SETUP_GSI, denied)
        .raw(PhysdevOp.PREPARE_MSIX, denied)
        .raw(PhysdevOp.RELEASE_MSIX, denied);
  }

  private static long setIopl(Vcpu v, PhysdevSetIopl a) {
    if (a.iopl() > 3) {
      throw new XenError(Errno.EINVAL);
    }
    v.state.iopl = (int) a.iopl();
    return 0;
  }

  private static long setIobitmap(Vcpu v, PhysdevSetIobitmap a) {
    if (a.nrPorts() > 65536) {
      throw new XenError(Errno.EINVAL);
    }
    if (a.nrPorts() > 0) {
      try {
        GuestAccess.checkRange(a.bitmap(), (a.nrPorts() + 7) / 8);
      } catch (XenError e) {
        throw new XenError(Errno.EINVAL);
      }
    }
    v.state.ioBitmapVa = a.bitmap();
    v.state.ioBitmapPorts = (int) a.nrPorts();
    return 0;
  }
}
