package parhelion.xen.memory;

import static parhelion.xen.memory.PageTypes.EINVAL;
import static parhelion.xen.memory.PageTypes.EPERM;
import static parhelion.xen.memory.PageTypes.RESTART;

import java.util.List;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import parhelion.abi.Domid;
import parhelion.abi.Errno;
import parhelion.abi.Hypercall;
import parhelion.abi.HypervisorVirt;
import parhelion.abi.MmuArgs.MmuUpdate;
import parhelion.abi.MmuExtCmd;
import parhelion.abi.MmuUpdateType;
import parhelion.abi.Uvmf;
import parhelion.cpu.memory.MachineMemory;
import parhelion.xen.Domain;
import parhelion.xen.DomainCrash;
import parhelion.xen.GuestAccess;
import parhelion.xen.HypercallStats;
import parhelion.xen.Hypervisor;
import parhelion.xen.Vcpu;
import parhelion.xen.XenError;

/**
 * Direct paging: guests own their page tables, hold machine frame numbers in them, and every change
 * to one is validated here. This is {@code mmu_update} and {@code update_va_mapping}, and what the
 * rest of the hypervisor asks of page tables; {@code mmuext_op} is {@link MmuExtOps}, the rules are
 * {@link PageTypes}.
 */
public final class Paging {
  /**
   * Bit of the count argument: this call continues an interrupted one ({@code
   * MMU_UPDATE_PREEMPTED}).
   */
  static final long PREEMPTED = 0x8000_0000L;

  /** Entries between two questions whether to go on. */
  private static final int STRIDE = 32;

  private static final int ENOSYS = -38;
  private static final int EFAULT = -14;

  private static final List<MmuExtCmd> FLUSHING =
      List.of(
          MmuExtCmd.NEW_BASEPTR,
          MmuExtCmd.NEW_USER_BASEPTR,
          MmuExtCmd.TLB_FLUSH_LOCAL,
          MmuExtCmd.TLB_FLUSH_MULTI,
          MmuExtCmd.TLB_FLUSH_ALL,
          MmuExtCmd.INVLPG_LOCAL,
          MmuExtCmd.INVLPG_MULTI,
          MmuExtCmd.INVLPG_ALL);

  private final Hypervisor hypervisor;
  private final MachineMemory memory;
  private final FrameTable frames;
  private final PageTypes types;
  private final EntryUpdates updates;

  /** Flushes of TLBs that were asked for with a mapping. */
  private long mappingFlushes;

  private final MmuExtOps extOps;
  private final GrantMappings grantMappings;

  public Paging(Hypervisor hypervisor) {
    this.hypervisor = hypervisor;
    memory = hypervisor.memory();
    frames = hypervisor.frames();
    types = frames.types();
    updates = new EntryUpdates(types, memory);
    extOps = new MmuExtOps(this, frames, memory);
    grantMappings = new GrantMappings(frames, memory, this);
  }

  // --- mmu_update ---

  /**
   * {@code mmu_update}: {@code count} changes to page-table entries or to the machine-to-physical
   * table.
   */
  public long mmuUpdate(Vcpu v, long reqs, long count, long doneVa, long foreigndom, long unused) {
    Domain d = v.domain();
    if (!drain(d, v)) {
      throw v.continueHypercall(reqs, count, doneVa, foreigndom, 0);
    }
    if ((count & 0xffff_ffffL) == PREEMPTED && reqs == 0) {
      return (int) foreigndom;
    }
    int n = (int) count & 0x7fff_ffff;
    GuestAccess.checkRange(reqs, n * 16L);
    Domain tableOwner = tableOwner(d, foreigndom);
    Domain pageOwner = pageOwner(d, foreigndom & 0xffff);
    boolean permitted =
        d.isPrivileged() || (tableOwner == d && (pageOwner == d || pageOwner == null));
    int i = 0;
    int rc = 0;
    for (; i < n; i++) {
      if (!drain(tableOwner, v) || (i > 0 && i % STRIDE == 0 && v.shouldYield())) {
        rc = RESTART;
        break;
      }
      rc = updateFromGuest(v, reqs + i * 16L, permitted, tableOwner, pageOwner);
      if (rc != 0) {
        break;
      }
    }
    reportDone(v, doneVa, count, i);
    punishGrantAbuse(d);
    if (rc == RESTART) {
      throw v.continueHypercall(reqs + i * 16L, (n - i) | PREEMPTED, doneVa, foreigndom, 0);
    }
    if (!drain(tableOwner, v)) {
      throw v.continueHypercall(0, PREEMPTED, 0, rc, 0);
    }
    return rc;
  }

  /**
   * Whose page tables: the high half of {@code foreigndom} is 1 + a domain's number, or 0 for one's
   * own; ESRCH.
   */
  private Domain tableOwner(Domain caller, long foreigndom) {
    long id = foreigndom >>> 16 & 0xffff;
    if (id == 0) {
      return caller;
    }
    Domain d = hypervisor.domain(id - 1);
    if (d == null) {
      throw new XenError(Errno.ESRCH);
    }
    return d;
  }

  /**
   * Whose frames: DOMID_SELF, DOMID_IO (null), or another domain; ESRCH, for one's own number, too.
   */
  @Nullable Domain pageOwner(Domain caller, long id) {
    if (id == Domid.SELF) {
      return caller;
    }
    if (id == Domid.IO) {
      return null;
    }
    Domain d = hypervisor.domain(id);
    if (d == null || d == caller) {
      throw new XenError(Errno.ESRCH);
    }
    return d;
  }

  private int updateFromGuest(
      Vcpu v, long va, boolean permitted, Domain tableOwner, @Nullable Domain pageOwner) {
    long ptr;
    long value;
    try {
      ptr = MmuUpdate.PTR.get(v.guest(), va);
      value = MmuUpdate.VAL.get(v.guest(), va);
    } catch (XenError e) {
      return EFAULT;
    }
    int command = (int) ptr & 7;
    if (command > MmuUpdateType.PT_UPDATE_NO_TRANSLATE.nr()) {
      return ENOSYS;
    }
    if (!permitted) {
      return EPERM;
    }
    if (command == MmuUpdateType.MACHPHYS_UPDATE.nr()) {
      return updateMachToPhys(v.domain(), tableOwner, pageOwner, ptr >>> 12, value);
    }
    boolean preserveAd = command == MmuUpdateType.PT_UPDATE_PRESERVE_AD.nr();
    return update(v, ptr & ~7L, value, preserveAd, tableOwner, pageOwner);
  }

  private int updateMachToPhys(
      Domain caller, Domain tableOwner, @Nullable Domain pageOwner, long mfn, long pfn) {
    if (tableOwner != caller) {
      return EPERM;
    }
    if (pageOwner == null || frames.owner(mfn) != pageOwner) {
      return EINVAL;
    }
    frames.m2p().set(mfn, pfn);
    return 0;
  }

  /**
   * One change at machine address {@code pa}: of an entry of a table of any level, or of plain
   * memory.
   */
  private int update(
      Vcpu v,
      long pa,
      long value,
      boolean preserveAd,
      Domain tableOwner,
      @Nullable Domain pageOwner) {
    long mfn = pa >>> 12;
    if (frames.owner(mfn) != tableOwner) {
      return EINVAL;
    }
    int table = (int) mfn;
    if (types.isLiveTable(table)) {
      int level = types.type(table);
      if (level == FrameTable.L1) {
        return updates.l1(pa, value, preserveAd, tableOwner, pageOwner);
      }
      return pageOwner == tableOwner
          ? updates.upper(level, pa, value, preserveAd, tableOwner, v)
          : EINVAL;
    }
    if (types.getPageAndType(tableOwner, mfn, FrameTable.WRITABLE, null) != 0) {
      return EINVAL;
    }
    memory.putLong(pa, value);
    types.putPageAndType(table);
    return 0;
  }

  /**
   * Adds to the guest's count of what was done; a continued call adds to what the former part
   * wrote.
   */
  static void reportDone(Vcpu v, long doneVa, long count, int done) {
    if (doneVa == 0) {
      return;
    }
    try {
      int before = (count & PREEMPTED) != 0 ? v.guest().getInt(doneVa) : 0;
      v.guest().putInt(doneVa, before + done);
    } catch (XenError e) {
      // As Xen: a bad pointer for the count is no failure of the call.
    }
  }

  /** A guest that overwrites the mapping of a grant could never unmap it: Xen crashes it. */
  void punishGrantAbuse(@Nullable Domain caller) {
    Domain abuser = types.takeGrantAbuser();
    if (abuser != null) {
      String reason = "the mapping of a grant was overwritten instead of unmapped";
      if (abuser == caller) {
        throw new DomainCrash(reason);
      }
      abuser.crash(abuser.vcpus().getFirst(), reason);
    }
  }

  /**
   * Gives back what the owner's dropped tables held; false when others are to have their turn
   * first.
   */
  boolean drain(Domain d, Vcpu v) {
    if (!d.memory.hasDying()) {
      return true;
    }
    boolean done = types.drain(d, v);
    punishGrantAbuse(v.domain());
    return done;
  }

  // --- update_va_mapping ---

  /**
   * {@code update_va_mapping}: changes the L1 entry that maps {@code va} in the current address
   * space.
   */
  public long updateVaMapping(Vcpu v, long va, long pte, long flags, long unused, long unused2) {
    return updateVaMapping(v, va, pte, flags, v.domain());
  }

  /** The same, with a frame of another domain's. */
  public long updateVaMappingOtherdomain(
      Vcpu v, long va, long pte, long flags, long domid, long unused) {
    Domain pageOwner = pageOwner(v.domain(), domid & 0xffff);
    if (pageOwner != null && pageOwner != v.domain() && !v.domain().isPrivileged()) {
      return EPERM;
    }
    return updateVaMapping(v, va, pte, flags, pageOwner);
  }

  private long updateVaMapping(Vcpu v, long va, long pte, long flags, @Nullable Domain pageOwner) {
    Domain d = v.domain();
    long pa = l1EntryAddress(v, va);
    if (pa < 0 || frames.owner(pa >>> 12) != d || !isLiveL1((int) (pa >>> 12))) {
      return EINVAL;
    }
    int rc = updates.l1(pa, pte, false, d, pageOwner);
    punishGrantAbuse(d);
    return rc != 0 ? rc : flushAsAsked(v, va, flags);
  }

  boolean isLiveL1(int mfn) {
    return types.isLiveTable(mfn) && types.type(mfn) == FrameTable.L1;
  }

  private long flushAsAsked(Vcpu v, long va, long flags) {
    int kind = (int) flags & Uvmf.FLUSHTYPE_MASK;
    if (kind != Uvmf.TLB_FLUSH && kind != Uvmf.INVLPG) {
      return 0;
    }
    mappingFlushes++;
    long where = flags & ~(long) Uvmf.FLUSHTYPE_MASK;
    if (where == Uvmf.LOCAL) {
      flush(v, kind, va);
      return 0;
    }
    Domain d = v.domain();
    for (int id = 0; id < d.vcpus().size(); id++) {
      if (where == Uvmf.ALL || (v.guest().getByte(where + id / 8) >> (id % 8) & 1) != 0) {
        flush(d.vcpus().get(id), kind, va);
      }
    }
    return 0;
  }

  private static void flush(Vcpu v, int kind, long va) {
    if (kind == Uvmf.TLB_FLUSH) {
      v.cpu().flushTlbs();
    } else {
      v.cpu().flushPage(va);
    }
  }

  /** {@code mmuext_op}. */
  public long mmuextOp(Vcpu v, long ops, long count, long done, long foreigndom, long unused) {
    return extOps.mmuextOp(v, ops, count, done, foreigndom);
  }

  // --- walks ---

  /** Canonical and outside of Xen's range. */
  static boolean isGuestAddress(long va) {
    return (va >= 0 && va < 1L << 47) || (va < 0 && va >= HypervisorVirt.END);
  }

  /**
   * Machine address of the L1 entry for {@code va} under the kernel's page-table base; -1 if there
   * is no L1 table for it.
   */
  long l1EntryAddress(Vcpu v, long va) {
    return isGuestAddress(va) ? l1EntryAddress(v.state.kernelCr3 >>> 12, va) : -1;
  }

  private long l1EntryAddress(long l4Mfn, long va) {
    long table = l4Mfn;
    for (int level = FrameTable.L4; ; level--) {
      long pa = (table << 12) + Pte.slot(level, va) * 8L;
      if (level == FrameTable.L1) {
        return pa;
      }
      long entry = table == 0 ? 0 : memory.getLong(pa);
      if (!Pte.present(entry)) {
        return -1;
      }
      table = Pte.mfn(entry);
    }
  }

  /**
   * The L1 entry for {@code va} under the kernel's page-table base; 0 if there is no table for it.
   */
  public long guestL1Entry(Vcpu v, long va) {
    long pa = l1EntryAddress(v, va);
    return pa < 0 ? 0 : memory.getLong(pa);
  }

  // --- for the rest of the hypervisor ---

  /** Entries of live page tables that were changed for guests so far, by whatever way. */
  public long entryUpdates() {
    return updates.done;
  }

  /**
   * How often guests have asked for TLBs, or a page in them, to be flushed so far: with a mapping,
   * by {@code mmuext_op}, or by other page tables.
   */
  public long tlbFlushes() {
    HypercallStats stats = hypervisor.hypercalls().stats();
    long flushes = mappingFlushes;
    for (MmuExtCmd command : FLUSHING) {
      flushes += stats.subOpCount(Hypercall.MMUEXT_OP.nr(), command.nr());
    }
    return flushes;
  }

  /**
   * A plain store of the guest's kernel to a read-only mapped L1 table of its own ({@code pa} is
   * the store's machine address; it may be part of an entry). Applies it with full validation;
   * false if it must become a #PF instead.
   */
  public boolean emulatedWrite(Vcpu v, long pa, int size, long value) {
    long mfn = pa >>> 12;
    if ((pa & size - 1) != 0
        || size > 8
        || frames.owner(mfn) != v.domain()
        || !isLiveL1((int) mfn)) {
      return false;
    }
    long at = pa & ~7L;
    long entry = value;
    if (size < 8) {
      int shift = (int) (pa & 7) * 8;
      long mask = (1L << size * 8) - 1 << shift;
      entry = (memory.getLong(at) & ~mask) | (value << shift & mask);
    }
    boolean done = updates.l1(at, entry, false, v.domain(), v.domain()) == 0;
    punishGrantAbuse(v.domain());
    return done;
  }

  /**
   * Makes {@code kernelMfn} the vcpu's kernel page-table base and {@code userMfn} (0 for none) the
   * user one, with the L4 type references that hold them; EINVAL if they do not validate.
   * References to the former ones are dropped.
   */
  public void installBases(Vcpu v, long kernelMfn, long userMfn) {
    Domain d = v.domain();
    boolean ok = frames.getPageAndType(d, kernelMfn, FrameTable.L4);
    if (ok && userMfn != 0 && !frames.getPageAndType(d, userMfn, FrameTable.L4)) {
      frames.putPageAndType(kernelMfn);
      ok = false;
    }
    if (ok) {
      dropBases(v);
      v.setKernelCr3(kernelMfn << 12);
      v.setUserCr3(userMfn << 12);
    }
    finishDropped(d);
    if (!ok) {
      throw new XenError(Errno.EINVAL);
    }
  }

  /** Drops the references of {@link #installBases}. */
  public void dropBases(Vcpu v) {
    long kernel = v.state.kernelCr3 >>> 12;
    long user = v.state.userCr3 >>> 12;
    v.setKernelCr3(0);
    v.setUserCr3(0);
    if (kernel != 0) {
      frames.putPageAndType(kernel);
    }
    if (user != 0) {
      frames.putPageAndType(user);
    }
    finishDropped(v.domain());
  }

  /** Gives back, in one go, what page tables held whose last use has ended. */
  public void finishDropped(Domain d) {
    if (!types.drain(d, null)) {
      throw new IllegalStateException("draining was interrupted");
    }
    punishGrantAbuse(null);
  }

  /**
   * Validates and pins a top-level table that a builder has filled; EINVAL and the like if it
   * breaks a rule.
   */
  public void pinInitial(Domain d, long l4Mfn) {
    int rc = types.getPageAndType(d, l4Mfn, FrameTable.L4, null);
    if (rc == 0 && !types.pin((int) l4Mfn)) {
      types.putPageAndType((int) l4Mfn);
      rc = EINVAL;
    }
    finishDropped(d);
    if (rc != 0) {
      Errno errno = Errno.of(-rc);
      throw new XenError(errno == null ? Errno.EINVAL : errno);
    }
  }

  /** Unpins and unvalidates all page tables of a dying domain and frees its frames. */
  public void relinquish(Domain d) {
    Relinquish.all(this, frames, d);
  }

  /** The same in pieces: false when {@code yield} said so and there is more to do. */
  public boolean relinquishSome(Domain d, BooleanSupplier yield) {
    return Relinquish.some(this, frames, d, yield);
  }

  /** For the grant tables. */
  public GrantMappings grantMappings() {
    return grantMappings;
  }

  PageTypes types() {
    return types;
  }
}
