package parhelion.xen.memory;

import parhelion.abi.Errno;
import parhelion.abi.MemoryArgs.XenMemoryExchange;
import parhelion.abi.MemoryArgs.XenMemoryReservation;
import parhelion.xen.Domain;
import parhelion.xen.GuestAccess;
import parhelion.xen.Hypervisor;
import parhelion.xen.Vcpu;
import parhelion.xen.XenError;

/**
 * {@code XENMEM_exchange}: gives frames back and gets as many others, in extents of another size or
 * below an address. Done chunk by chunk, a chunk being the larger of an input and an output extent;
 * each is all or nothing.
 */
final class Exchange {
  private final Hypervisor hypervisor;
  private final FrameTable frames;

  Exchange(Hypervisor hypervisor) {
    this.hypervisor = hypervisor;
    frames = hypervisor.frames();
  }

  long exchange(Vcpu v, long arg) {
    XenMemoryExchange x = XenMemoryExchange.read(v.guest().in(arg, XenMemoryExchange.STRUCT), 0);
    XenMemoryReservation in = x.in();
    XenMemoryReservation out = x.out();
    check(v, x);
    if (x.nrExchanged() == in.nrExtents()) {
      return 0;
    }
    GuestAccess.checkRange(in.extentStart(), in.nrExtents() * 8);
    GuestAccess.checkRange(out.extentStart(), out.nrExtents() * 8);
    int limit = Reservations.frameLimit(v.domain(), out.memFlags(), frames.size());
    Domain d = hypervisor.domainFor(v.domain(), in.domid());
    if (d != v.domain() && !v.domain().isPrivileged()) {
      throw new XenError(Errno.EPERM);
    }
    int order = (int) Math.max(in.extentOrder(), out.extentOrder());
    int inShift = order - (int) in.extentOrder();
    long first = x.nrExchanged() >>> inShift;
    long chunks = in.nrExtents() >>> inShift;
    for (long i = first; i < chunks; i++) {
      if (i != first && v.shouldYield()) {
        XenMemoryExchange.NR_EXCHANGED.put(v.guest(), arg, i << inShift);
        throw v.continueHypercall(parhelion.abi.MemoryOp.EXCHANGE.nr(), arg, 0, 0, 0);
      }
      try {
        chunk(v, d, in, out, i, order, limit);
      } catch (XenError e) {
        XenMemoryExchange.NR_EXCHANGED.put(v.guest(), arg, i << inShift);
        throw e;
      }
    }
    XenMemoryExchange.NR_EXCHANGED.put(v.guest(), arg, in.nrExtents());
    return 0;
  }

  private static void check(Vcpu v, XenMemoryExchange x) {
    long inOrder = x.in().extentOrder();
    long outOrder = x.out().extentOrder();
    if (Math.max(inOrder, outOrder) > Reservations.maxOrder(v.domain())) {
      throw new XenError(Errno.EPERM);
    }
    long inExtents = x.in().nrExtents();
    long outExtents = x.out().nrExtents();
    boolean small = isBelow(inExtents, 1L << 40) && isBelow(outExtents, 1L << 40);
    if (!small
        || Long.compareUnsigned(x.nrExchanged(), inExtents) > 0
        || x.in().domid() != x.out().domid()
        || inExtents << inOrder != outExtents << outOrder) {
      throw new XenError(Errno.EINVAL);
    }
  }

  private static boolean isBelow(long value, long limit) {
    return Long.compareUnsigned(value, limit) < 0;
  }

  private void chunk(
      Vcpu v,
      Domain d,
      XenMemoryReservation in,
      XenMemoryReservation out,
      long index,
      int order,
      int limit) {
    int inOrder = (int) in.extentOrder();
    int outOrder = (int) out.extentOrder();
    int outputs = 1 << order - outOrder;
    long firstOutput = out.extentStart() + index * outputs * 8;
    long[] pfns = new long[outputs];
    for (int j = 0; j < outputs; j++) {
      pfns[j] = v.guest().getLong(firstOutput + j * 8L);
    }
    long[] given = hold(v, d, in, index, order, inOrder);
    long[] taken = new long[outputs];
    for (int j = 0; j < outputs; j++) {
      taken[j] = frames.allocateBeyondLimit(d, outOrder, limit);
      if (taken[j] < 0) {
        while (--j >= 0) {
          for (int k = 0; k < 1 << outOrder; k++) {
            frames.release((int) taken[j] + k);
          }
        }
        drop(given, given.length);
        throw new XenError(Errno.ENOMEM);
      }
    }
    for (long mfn : given) {
      frames.release((int) mfn);
      frames.putPage(mfn);
    }
    for (int j = 0; j < outputs; j++) {
      for (int k = 0; k < 1 << outOrder; k++) {
        frames.m2p().set(taken[j] + k, pfns[j] + k);
      }
      v.guest().putLong(firstOutput + j * 8L, taken[j]);
    }
  }

  /**
   * Takes a reference to each frame of the chunk's inputs, which shows that nobody else has one:
   * neither a mapping nor this list.
   */
  private long[] hold(
      Vcpu v, Domain d, XenMemoryReservation in, long index, int order, int inOrder) {
    long[] given = new long[1 << order];
    int inputs = 1 << order - inOrder;
    int held = 0;
    try {
      for (int j = 0; j < inputs; j++) {
        long mfn = v.guest().getLong(in.extentStart() + (index * inputs + j) * 8);
        for (int k = 0; k < 1 << inOrder; k++) {
          holdIdle(d, mfn + k);
          given[held++] = mfn + k;
        }
      }
      return given;
    } catch (XenError e) {
      drop(given, held);
      throw e;
    }
  }

  private void holdIdle(Domain d, long mfn) {
    if (frames.isShared(Math.max(0, Math.min(mfn, frames.size() - 1))) || !frames.getPage(d, mfn)) {
      throw new XenError(Errno.EINVAL);
    }
    if (frames.references(mfn) != 2 || !frames.isAllocated(mfn)) {
      frames.putPage(mfn);
      throw new XenError(Errno.EINVAL);
    }
  }

  private void drop(long[] held, int count) {
    for (int i = 0; i < count; i++) {
      frames.putPage(held[i]);
    }
  }
}
