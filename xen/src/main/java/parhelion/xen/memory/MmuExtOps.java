package parhelion.xen.memory;

import static parhelion.xen.memory.PageTypes.EACCES;
import static parhelion.xen.memory.PageTypes.EINVAL;
import static parhelion.xen.memory.PageTypes.EPERM;
import static parhelion.xen.memory.PageTypes.RESTART;

import org.jspecify.annotations.Nullable;
import parhelion.abi.Hypercall;
import parhelion.abi.MmuArgs.MmuextOp;
import parhelion.abi.MmuExtCmd;
import parhelion.cpu.memory.MachineMemory;
import parhelion.xen.Domain;
import parhelion.xen.GuestAccess;
import parhelion.xen.HypercallStats;
import parhelion.xen.Stopwatch;
import parhelion.xen.Vcpu;
import parhelion.xen.XenError;

/**
 * {@code mmuext_op}: pins page tables, changes page-table bases, flushes TLBs, sets the LDT, clears
 * and copies frames. Pinning and unpinning of big trees, and changes of bases, are cut in pieces;
 * see {@link PageTypes}.
 */
final class MmuExtOps {
  private static final int STRIDE = 32;
  private static final int EFAULT = -14;
  private static final int ENOSYS = -38;
  private static final int EOPNOTSUPP = -95;

  private final Paging paging;
  private final FrameTable frames;
  private final PageTypes types;
  private final MachineMemory memory;

  MmuExtOps(Paging paging, FrameTable frames, MachineMemory memory) {
    this.paging = paging;
    this.frames = frames;
    this.memory = memory;
    types = frames.types();
  }

  long mmuextOp(Vcpu v, long ops, long count, long doneVa, long foreigndom) {
    Domain d = v.domain();
    if (!paging.drain(d, v)) {
      throw v.continueHypercall(ops, count, doneVa, foreigndom, 0);
    }
    if ((count & 0xffff_ffffL) == Paging.PREEMPTED && ops == 0) {
      return (int) foreigndom;
    }
    int n = (int) count & 0x7fff_ffff;
    int size = MmuextOp.STRUCT.size();
    GuestAccess.checkRange(ops, n * (long) size);
    Domain pageOwner = paging.pageOwner(d, foreigndom & 0xffff);
    if (pageOwner == null) {
      return EINVAL;
    }
    if (pageOwner != d && !d.isPrivileged()) {
      return EPERM;
    }
    int i = 0;
    int rc = 0;
    for (; i < n; i++) {
      if (!paging.drain(pageOwner, v) || (i > 0 && i % STRIDE == 0 && v.shouldYield())) {
        rc = RESTART;
        break;
      }
      rc = oneFromGuest(v, ops + i * (long) size, pageOwner);
      if (rc != 0) {
        break;
      }
    }
    Paging.reportDone(v, doneVa, count, i);
    paging.punishGrantAbuse(d);
    if (rc == RESTART) {
      long rest = (n - i) | Paging.PREEMPTED;
      throw v.continueHypercall(ops + i * (long) size, rest, doneVa, foreigndom, 0);
    }
    if (!paging.drain(pageOwner, v)) {
      throw v.continueHypercall(0, Paging.PREEMPTED, 0, rc, 0);
    }
    return rc;
  }

  private int oneFromGuest(Vcpu v, long va, Domain pageOwner) {
    long cmd;
    long arg1;
    long arg2;
    try {
      cmd = MmuextOp.CMD.get(v.guest(), va);
      arg1 = MmuextOp.MFN.get(v.guest(), va);
      arg2 = MmuextOp.VCPUMASK.get(v.guest(), va);
    } catch (XenError e) {
      return EFAULT;
    }
    MmuExtCmd command = MmuExtCmd.of(cmd);
    HypercallStats stats = v.domain().hypervisor().hypercalls().stats();
    Stopwatch stopwatch = v.domain().hypervisor().stopwatch();
    long start = stopwatch.now();
    try {
      return command == null ? ENOSYS : one(v, command, arg1, arg2, pageOwner);
    } finally {
      stats.addSubOp(Hypercall.MMUEXT_OP.nr(), cmd, stopwatch.now() - start);
    }
  }

  private int one(Vcpu v, MmuExtCmd command, long arg1, long arg2, Domain pageOwner) {
    return switch (command) {
      case PIN_L1_TABLE -> pin(v, pageOwner, arg1, FrameTable.L1);
      case PIN_L2_TABLE -> pin(v, pageOwner, arg1, FrameTable.L2);
      case PIN_L3_TABLE -> pin(v, pageOwner, arg1, FrameTable.L3);
      case PIN_L4_TABLE -> pin(v, pageOwner, arg1, FrameTable.L4);
      case UNPIN_TABLE -> unpin(pageOwner, arg1);
      case CLEAR_PAGE -> clearPage(pageOwner, arg1);
      case COPY_PAGE -> copyPage(pageOwner, arg1, arg2);
      case MARK_SUPER, UNMARK_SUPER -> EOPNOTSUPP;
      default -> v.domain() == pageOwner ? ofVcpu(v, command, arg1, arg2) : EPERM;
    };
  }

  private int ofVcpu(Vcpu v, MmuExtCmd command, long arg1, long arg2) {
    return switch (command) {
      case NEW_BASEPTR -> newBase(v, arg1);
      case NEW_USER_BASEPTR -> newUserBase(v, arg1);
      case TLB_FLUSH_LOCAL -> flushLocal(v);
      case INVLPG_LOCAL -> invalidateLocal(v, arg1);
      case TLB_FLUSH_MULTI -> flushMany(v, arg2, null);
      case INVLPG_MULTI -> flushMany(v, arg2, arg1);
      case TLB_FLUSH_ALL -> flushAll(v.domain());
      case INVLPG_ALL -> invalidateAll(v.domain(), arg1);
      case FLUSH_CACHE -> v.domain().isPrivileged() ? 0 : EACCES;
      case FLUSH_CACHE_GLOBAL -> v.domain().isPrivileged() ? 0 : EINVAL;
      case SET_LDT -> setLdt(v, arg1, arg2 & 0xffff_ffffL);
      default -> ENOSYS;
    };
  }

  // --- pins ---

  private int pin(Vcpu v, Domain d, long mfn, int type) {
    int rc = types.getPageAndType(d, mfn, type, v);
    if (rc != 0) {
      return rc;
    }
    if (!types.pin((int) mfn)) {
      types.putPageAndType((int) mfn);
      return EINVAL;
    }
    return 0;
  }

  private int unpin(Domain d, long mfn) {
    if (frames.owner(mfn) != d || !types.unpin((int) mfn)) {
      return EINVAL;
    }
    types.putPageAndType((int) mfn);
    return 0;
  }

  // --- bases ---

  private int newBase(Vcpu v, long mfn) {
    long old = v.state.kernelCr3 >>> 12;
    if (mfn == old) {
      v.setKernelCr3(mfn << 12);
      return 0;
    }
    int rc = types.getPageAndType(v.domain(), mfn, FrameTable.L4, v);
    if (rc != 0) {
      return rc;
    }
    v.descriptorTables().dropLdt();
    v.setKernelCr3(mfn << 12);
    if (old != 0) {
      types.putPageAndType((int) old);
    }
    return 0;
  }

  private int newUserBase(Vcpu v, long mfn) {
    long old = v.state.userCr3 >>> 12;
    if (mfn == old) {
      return 0;
    }
    if (mfn != 0) {
      int rc = types.getPageAndType(v.domain(), mfn, FrameTable.L4, v);
      if (rc != 0) {
        return rc;
      }
    }
    v.setUserCr3(mfn << 12);
    if (old != 0) {
      types.putPageAndType((int) old);
    }
    return 0;
  }

  // --- flushes ---

  private static int flushLocal(Vcpu v) {
    v.cpu().flushTlbs();
    return 0;
  }

  private static int invalidateLocal(Vcpu v, long va) {
    v.cpu().flushPage(va);
    return 0;
  }

  private static int flushAll(Domain d) {
    d.vcpus().forEach(v -> v.cpu().flushTlbs());
    return 0;
  }

  private static int invalidateAll(Domain d, long va) {
    if (Paging.isGuestAddress(va)) {
      d.vcpus().forEach(v -> v.cpu().flushPage(va));
    }
    return 0;
  }

  /** On the vcpus of a bitmap in guest memory; of one page, or of all for null. */
  private static int flushMany(Vcpu v, long maskVa, @Nullable Long va) {
    Domain d = v.domain();
    byte[] mask;
    try {
      mask = v.guest().copyIn(maskVa, (d.vcpus().size() + 7) / 8);
    } catch (XenError e) {
      return EINVAL;
    }
    for (int id = 0; id < d.vcpus().size(); id++) {
      if ((mask[id / 8] >> (id % 8) & 1) == 0) {
        continue;
      }
      if (va == null) {
        d.vcpus().get(id).cpu().flushTlbs();
      } else if (Paging.isGuestAddress(va)) {
        d.vcpus().get(id).cpu().flushPage(va);
      }
    }
    return 0;
  }

  // --- the rest ---

  private static int setLdt(Vcpu v, long va, long entries) {
    try {
      v.descriptorTables().setLdt(entries == 0 ? 0 : va, entries);
      return 0;
    } catch (XenError e) {
      return (int) e.result();
    }
  }

  private int clearPage(Domain d, long mfn) {
    if (types.getPageAndType(d, mfn, FrameTable.WRITABLE, null) != 0) {
      return EINVAL;
    }
    memory.fill(mfn << 12, 4096, (byte) 0);
    types.putPageAndType((int) mfn);
    return 0;
  }

  private int copyPage(Domain d, long to, long from) {
    if (!frames.getPage(d, from)) {
      return EINVAL;
    }
    int rc = EINVAL;
    if (types.getPageAndType(d, to, FrameTable.WRITABLE, null) == 0) {
      memory.copy(from << 12, to << 12, 4096);
      types.putPageAndType((int) to);
      rc = 0;
    }
    frames.putPage(from);
    return rc;
  }
}
