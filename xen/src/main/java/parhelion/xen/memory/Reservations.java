package parhelion.xen.memory;

import parhelion.abi.Errno;
import parhelion.abi.MemoryArgs.XenMemoryReservation;
import parhelion.abi.Xenmemf;
import parhelion.xen.Domain;
import parhelion.xen.GuestAccess;
import parhelion.xen.HvmDomain;
import parhelion.xen.Hypervisor;
import parhelion.xen.Vcpu;
import parhelion.xen.XenError;

/**
 * Grows and shrinks a domain's memory by lists of extents. All answer how many extents are done,
 * counted from the list's start; a failure ends the loop there. An answer below 0 is the complement
 * of it, and says: interrupted, call again from there.
 */
final class Reservations {
  /** Largest extents, as powers of two, of a guest and of dom0. */
  private static final int GUEST_ORDER = 9;

  private static final int PRIVILEGED_ORDER = 12;
  private static final int STRIDE = 64;

  private final FrameTable frames;

  Reservations(Hypervisor hypervisor) {
    frames = hypervisor.frames();
  }

  static int maxOrder(Domain caller) {
    return caller.isPrivileged() ? PRIVILEGED_ORDER : GUEST_ORDER;
  }

  /**
   * Number of frames below which memory is to be allocated, from the address width in {@code
   * mem_flags}; EINVAL for a width within a page, and for a node that the caller may not insist on.
   */
  static int frameLimit(Domain caller, long memFlags, int frames) {
    if (!caller.isPrivileged()
        && (memFlags & Xenmemf.EXACT_NODE_REQUEST) != 0
        && (memFlags >> 8 & 0xff) != 0) {
      throw new XenError(Errno.EINVAL);
    }
    int bits = (int) memFlags & 0xff;
    if (bits == 0 || bits >= 44) {
      return frames;
    }
    if (bits <= 12) {
      throw new XenError(Errno.EINVAL);
    }
    return (int) Math.min(frames, 1L << bits - 12);
  }

  private interface Extent {
    boolean adjust(long index, int order);
  }

  private long each(Vcpu v, XenMemoryReservation r, long start, Extent extent) {
    long order = r.extentOrder();
    try {
      if (r.extentStart() != 0) {
        GuestAccess.checkRange(r.extentStart(), r.nrExtents() * 8);
      }
      if (order > maxOrder(v.domain())) {
        return start;
      }
      long i = start;
      while (i < r.nrExtents()) {
        if (i != start && i % STRIDE == 0 && v.shouldYield()) {
          return ~i;
        }
        if (!extentDone(extent, i, (int) order)) {
          break;
        }
        i++;
      }
      return i;
    } catch (XenError e) {
      return start;
    }
  }

  private static boolean extentDone(Extent extent, long index, int order) {
    try {
      return extent.adjust(index, order);
    } catch (XenError e) {
      return false;
    }
  }

  /**
   * {@code XENMEM_increase_reservation}: new frames, told by machine frame number where the guest
   * gave a list.
   */
  long increase(Vcpu v, Domain d, XenMemoryReservation r, long start) {
    if (d.hvm() != null) {
      return start; // A frame without a place is of no use to such a domain.
    }
    return each(
        v,
        r,
        start,
        (i, order) -> {
          int limit = frameLimit(v.domain(), r.memFlags(), frames.size());
          long mfn = frames.tryAllocate(d, order, limit);
          if (mfn >= 0 && r.extentStart() != 0) {
            v.guest().putLong(r.extentStart() + i * 8, mfn);
          }
          return mfn >= 0;
        });
  }

  /**
   * {@code XENMEM_populate_physmap}: new frames for the guest's own frame numbers, which the list
   * has; machine numbers go back.
   */
  long populate(Vcpu v, Domain d, XenMemoryReservation r, long start) {
    if ((r.memFlags() & Xenmemf.POPULATE_ON_DEMAND) != 0) {
      return start;
    }
    return each(
        v,
        r,
        start,
        (i, order) -> {
          long pfn = v.guest().getLong(r.extentStart() + i * 8);
          HvmDomain hvm = d.hvm();
          if (hvm != null) {
            return Placements.giveBack(d, hvm, pfn, 1L << order);
          }
          int limit = frameLimit(v.domain(), r.memFlags(), frames.size());
          long mfn = frames.tryAllocate(d, order, limit);
          if (mfn < 0) {
            return false;
          }
          for (int k = 0; k < 1 << order; k++) {
            frames.m2p().set(mfn + k, pfn + k);
          }
          v.guest().putLong(r.extentStart() + i * 8, mfn);
          return true;
        });
  }

  /**
   * {@code XENMEM_decrease_reservation}: frames leave the domain; what still maps them keeps them
   * until it goes.
   */
  long decrease(Vcpu v, Domain d, XenMemoryReservation r, long start) {
    return each(
        v,
        r,
        start,
        (i, order) -> {
          long first = v.guest().getLong(r.extentStart() + i * 8);
          HvmDomain hvm = d.hvm();
          if (hvm != null) {
            return Placements.withhold(frames, d, hvm, first, 1L << order);
          }
          for (long mfn = first; mfn - first < 1L << order; mfn++) {
            if (frames.owner(mfn) != d || frames.isShared(mfn)) {
              return false;
            }
            frames.release((int) mfn);
          }
          return true;
        });
  }
}
