package parhelion.xen.memory;

import parhelion.abi.Errno;
import parhelion.abi.MemoryArgs.XenAddToPhysmap;
import parhelion.abi.MemoryArgs.XenAddToPhysmapBatch;
import parhelion.abi.MemoryArgs.XenRemoveFromPhysmap;
import parhelion.abi.MemoryOp;
import parhelion.abi.Xenmapspace;
import parhelion.xen.Domain;
import parhelion.xen.GuestAccess;
import parhelion.xen.HvmDomain;
import parhelion.xen.Hypervisor;
import parhelion.xen.Vcpu;
import parhelion.xen.XenError;

/**
 * What is at which guest frame of a domain whose physical addresses are translated: Xen's own
 * frames where the domain asks for them, and memory that it gives up and takes back. Paravirtual
 * domains keep their own physical-to-machine table: EACCES.
 */
final class Placements {
  private static final int SHIFT = 6;

  /** A bit of a grant-table index: of the frames of status words. */
  private static final long STATUS_FRAMES = 1L << 31;

  private final Hypervisor hypervisor;

  Placements(Hypervisor hypervisor) {
    this.hypervisor = hypervisor;
  }

  private HvmDomain translated(Vcpu v, int domid) {
    Domain d = hypervisor.domainFor(v.domain(), domid);
    HvmDomain hvm = d.hvm();
    if (hvm == null) {
      throw new XenError(Errno.EACCES);
    }
    if (d != v.domain()) {
      throw new XenError(Errno.EPERM);
    }
    return hvm;
  }

  /** XENMEM_add_to_physmap of one frame. */
  long add(Vcpu v, XenAddToPhysmap x) {
    return place(v.domain(), translated(v, x.domid()), x.space(), x.idx(), x.gpfn());
  }

  private static long place(Domain d, HvmDomain hvm, long space, long idx, long gfn) {
    long mfn =
        switch ((int) space) {
          case Xenmapspace.SHARED_INFO -> idx == 0 ? d.sharedInfoMfn() : -1;
          case Xenmapspace.GRANT_TABLE ->
              d.grants().frameFor(idx & ~STATUS_FRAMES, (idx & STATUS_FRAMES) != 0);
          case Xenmapspace.GMFN, Xenmapspace.GMFN_RANGE -> throw new XenError(Errno.EOPNOTSUPP);
          case Xenmapspace.DEV_MMIO -> throw new XenError(Errno.EACCES);
          default -> throw new XenError(Errno.ENOSYS);
        };
    if (mfn < 0 || !hvm.place(gfn, mfn)) {
      throw new XenError(Errno.EINVAL);
    }
    return 0;
  }

  /** XENMEM_add_to_physmap_batch: an error for each frame, from the {@code start}th on. */
  long addBatch(Vcpu v, XenAddToPhysmapBatch x, long start, long arg) {
    HvmDomain hvm = translated(v, x.domid());
    if (start > x.size()) {
      throw new XenError(Errno.EILSEQ);
    }
    GuestAccess guest = v.guest();
    for (long i = start; i < x.size(); i++) {
      if (i > start && v.shouldYield()) {
        throw v.continueHypercall(MemoryOp.ADD_TO_PHYSMAP_BATCH.nr() | i << SHIFT, arg, 0, 0, 0);
      }
      long idx = guest.getLong(x.idxs() + i * 8);
      long gfn = guest.getLong(x.gpfns() + i * 8);
      int result;
      try {
        result = (int) place(v.domain(), hvm, x.space(), idx, gfn);
      } catch (XenError e) {
        result = (int) e.result();
      }
      guest.putInt(x.errs() + i * 4, result);
    }
    return 0;
  }

  /** XENMEM_remove_from_physmap: of a frame of Xen's, or of memory. */
  long remove(Vcpu v, XenRemoveFromPhysmap x) {
    HvmDomain hvm = translated(v, x.domid());
    if (hvm.remove(x.gpfn())) {
      return 0;
    }
    if (!withhold(hypervisor.frames(), v.domain(), hvm, x.gpfn(), 1)) {
      throw new XenError(Errno.ENOENT);
    }
    return 0;
  }

  /**
   * Takes frames of memory from a domain that does not want them; false, with none taken from the
   * first on that is no memory or is in use: granted, or where a vcpu's information is.
   */
  static boolean withhold(FrameTable frames, Domain d, HvmDomain hvm, long first, long count) {
    for (long gfn = first; gfn - first < count; gfn++) {
      long mfn = hvm.machine().memoryFrame(gfn);
      if (mfn < 0 || hvm.mfnOf(gfn) != mfn || !frames.isUnused(d, mfn)) {
        return false;
      }
      hvm.machine().withhold(gfn);
      d.totPages--;
    }
    return true;
  }

  /** Gives back frames that were taken so. */
  static boolean giveBack(Domain d, HvmDomain hvm, long first, long count) {
    for (long gfn = first; gfn - first < count; gfn++) {
      if (d.totPages >= d.maxPages || !hvm.machine().giveBack(gfn)) {
        return false;
      }
      d.totPages++;
    }
    return true;
  }
}
