package parhelion.xen.grant;

import java.util.Objects;
import org.jspecify.annotations.Nullable;
import parhelion.abi.Domid;
import parhelion.abi.Gntcopy;
import parhelion.abi.Gntst;
import parhelion.abi.GnttabArgs.GnttabCopy;
import parhelion.abi.GnttabArgs.GnttabCopyPtr;
import parhelion.abi.Gtf;
import parhelion.cpu.memory.MachineMemory;
import parhelion.xen.Domain;
import parhelion.xen.Hypervisor;
import parhelion.xen.event.EventChannels;
import parhelion.xen.memory.FrameTable;

/**
 * GNTTABOP_copy: copies within a frame at each end, which is a grant of any domain's or a frame of
 * the caller's own. Both ends are taken, checked and given back for each copy. A transitive grant
 * stands for a grant that its granter was given by a third domain; it must not lead to another
 * transitive one.
 */
final class GrantCopies {
  /** One end of a copy. */
  private static final class End {
    final boolean readOnly;

    /** What it may touch of frame {@link #mfn}. */
    long mfn;

    int start;
    int length = MachineMemory.PAGE_SIZE;

    /** The entry that is in use, and the one behind a transitive one. */
    @Nullable GrantTable table;

    int ref;
    @Nullable GrantTable behind;
    int behindRef;

    /** Holds a reference on the frame; holds a use of it as writable memory, too. */
    boolean held;

    boolean typed;

    End(boolean readOnly) {
      this.readOnly = readOnly;
    }
  }

  private final Hypervisor hypervisor;
  private final FrameTable frames;
  private final MachineMemory memory;

  GrantCopies(Hypervisor hypervisor) {
    this.hypervisor = hypervisor;
    frames = hypervisor.frames();
    memory = hypervisor.memory();
  }

  /** One copy for {@code caller}; a {@link Gntst}. */
  int copy(Domain caller, GnttabCopy op) {
    boolean fromGrant = (op.flags() & Gntcopy.SOURCE_GREF) != 0;
    boolean toGrant = (op.flags() & Gntcopy.DEST_GREF) != 0;
    int status = permitted(caller, op.source(), fromGrant);
    if (status == Gntst.OKAY) {
      status = permitted(caller, op.dest(), toGrant);
    }
    if (status != Gntst.OKAY) {
      return status;
    }
    End source = new End(true);
    End dest = new End(false);
    try {
      status = claim(caller, op.source(), fromGrant, source);
      if (status == Gntst.OKAY) {
        status = claim(caller, op.dest(), toGrant, dest);
      }
      return status == Gntst.OKAY ? copy(op, source, dest) : status;
    } finally {
      giveBack(dest);
      giveBack(source);
    }
  }

  /** From a grant to domain 0 into an array; false, and nothing is copied, if there is none. */
  boolean toHost(GrantTable granter, long ref, int offset, byte[] target, int at, int length) {
    Objects.checkFromIndexSize(offset, length, MachineMemory.PAGE_SIZE);
    End source = new End(true);
    if (acquire(granter, ref, EventChannels.HOST_DOMID, true, source) != Gntst.OKAY) {
      return false;
    }
    try {
      boolean granted = isWithin(source, offset, length);
      if (granted) {
        memory.read((source.mfn << 12) + offset, target, at, length);
      }
      return granted;
    } finally {
      giveBack(source);
    }
  }

  /** From an array into a grant to domain 0; false, and nothing is copied, if there is none. */
  boolean fromHost(GrantTable granter, long ref, int offset, byte[] source, int at, int length) {
    Objects.checkFromIndexSize(offset, length, MachineMemory.PAGE_SIZE);
    End dest = new End(false);
    if (acquire(granter, ref, EventChannels.HOST_DOMID, true, dest) != Gntst.OKAY) {
      return false;
    }
    try {
      dest.typed = frames.getType(dest.mfn, FrameTable.WRITABLE);
      boolean granted = dest.typed && isWithin(dest, offset, length);
      if (granted) {
        memory.write((dest.mfn << 12) + offset, source, at, length);
      }
      return granted;
    } finally {
      giveBack(dest);
    }
  }

  /** Only frames of one's own can be named by number. */
  private int permitted(Domain caller, GnttabCopyPtr end, boolean isGrant) {
    if (!isGrant && end.domid() != Domid.SELF) {
      return Gntst.PERMISSION_DENIED;
    }
    return domain(caller, end) == null ? Gntst.BAD_DOMAIN : Gntst.OKAY;
  }

  private @Nullable Domain domain(Domain caller, GnttabCopyPtr end) {
    return end.domid() == Domid.SELF ? caller : hypervisor.domain(end.domid());
  }

  private int copy(GnttabCopy op, End source, End dest) {
    int from = op.source().offset();
    int to = op.dest().offset();
    int length = op.len();
    if (from + length > MachineMemory.PAGE_SIZE || to + length > MachineMemory.PAGE_SIZE) {
      return Gntst.BAD_COPY_ARG;
    }
    if (!isWithin(source, from, length) || !isWithin(dest, to, length)) {
      return Gntst.GENERAL_ERROR;
    }
    memory.copy((source.mfn << 12) + from, (dest.mfn << 12) + to, length);
    return Gntst.OKAY;
  }

  private static boolean isWithin(End end, int offset, int length) {
    return offset >= end.start && offset + length <= end.start + end.length;
  }

  private int claim(Domain caller, GnttabCopyPtr ptr, boolean isGrant, End end) {
    int status;
    if (isGrant) {
      Domain granter = domain(caller, ptr);
      status =
          granter == null
              ? Gntst.BAD_DOMAIN
              : acquire(granter.grants(), ptr.ref(), caller.id(), true, end);
    } else {
      end.mfn = caller.mfnOf(ptr.gmfn());
      end.held = frames.getPage(caller, end.mfn);
      status = end.held ? Gntst.OKAY : Gntst.BAD_PAGE;
    }
    if (status == Gntst.OKAY && !end.readOnly) {
      end.typed = frames.getType(end.mfn, FrameTable.WRITABLE);
      status = end.typed ? Gntst.OKAY : Gntst.GENERAL_ERROR;
    }
    return status;
  }

  private void giveBack(End end) {
    if (end.table != null) {
      end.table.unpin(end.ref, end.readOnly, true, false);
    }
    if (end.behind != null) {
      end.behind.unpin(end.behindRef, end.readOnly, true, false);
    }
    if (end.typed) {
      frames.putType(end.mfn);
    }
    if (end.held) {
      frames.putPage(end.mfn);
    }
  }

  /** Takes a grant into use for domain {@code domid}; on failure nothing is taken. */
  private int acquire(GrantTable table, long ref, int domid, boolean allowTransitive, End end) {
    GrantEntries entries = table.entries();
    if (ref < 0 || ref >= entries.count()) {
      return Gntst.BAD_GNTREF;
    }
    int entry = (int) ref;
    ActiveGrant act = table.active(entry);
    if (act.isPinned() && (act.domid != domid || act.isFull(end.readOnly, true, false))) {
      return Gntst.GENERAL_ERROR;
    }
    int flags = entries.flags(entry);
    boolean transitive = table.version() == 2 && (flags & Gtf.TYPE_MASK) == Gtf.TRANSITIVE;
    boolean statusNeeded = !act.isPinned() || (!end.readOnly && !act.isWritten());
    if (statusNeeded) {
      int status = entries.setStatus(entry, act, end.readOnly, false, domid);
      if (status != Gntst.OKAY) {
        return status;
      }
    }
    int status =
        transitive
            ? acquireBehind(table, entry, act, domid, allowTransitive, end)
            : acquireFrame(table, entry, act, domid, flags, end);
    if (status != Gntst.OKAY) {
      entries.reduceStatus(entry, act, end.readOnly);
      return status;
    }
    act.pin(end.readOnly, true, false, 1);
    end.table = table;
    end.ref = entry;
    end.mfn = act.mfn;
    end.start = act.start;
    end.length = act.length;
    return Gntst.OKAY;
  }

  private int acquireFrame(
      GrantTable table, int ref, ActiveGrant act, int domid, int flags, End end) {
    GrantEntries entries = table.entries();
    boolean subPage = table.version() == 2 && (flags & Gtf.SUB_PAGE) != 0;
    long mfn = act.isPinned() ? act.mfn : table.domain().mfnOf(entries.frame(ref));
    if (!frames.getPage(table.domain(), mfn)) {
      // What is in use but not the granter's is the grant of a grant.
      return act.isPinned() ? Gntst.BAD_DOMAIN : Gntst.BAD_PAGE;
    }
    end.held = true;
    end.mfn = mfn;
    if (!act.isPinned()) {
      act.domid = domid;
      act.mfn = mfn;
      act.subPage = subPage;
      act.start = subPage ? entries.pageOffset(ref) : 0;
      act.length = subPage ? entries.length(ref) : MachineMemory.PAGE_SIZE;
      act.behind = null;
    }
    return Gntst.OKAY;
  }

  private int acquireBehind(
      GrantTable table, int ref, ActiveGrant act, int domid, boolean allowed, End end) {
    int behindDomid = table.entries().transitiveDomid(ref);
    long behindRef = table.entries().transitiveRef(ref);
    Domain third = hypervisor.domain(behindDomid);
    if (!allowed || third == null || third == table.domain()) {
      return Gntst.GENERAL_ERROR;
    }
    End inner = new End(end.readOnly);
    int status = acquire(third.grants(), behindRef, table.domain().id(), false, inner);
    if (status != Gntst.OKAY) {
      return status;
    }
    boolean changed =
        act.isPinned()
            && (act.mfn != inner.mfn
                || act.start != inner.start
                || act.length != inner.length
                || act.behind != third.grants()
                || act.behindRef != (int) behindRef
                || !act.subPage);
    if (changed) {
      giveBack(inner);
      return Gntst.EAGAIN;
    }
    act.domid = domid;
    act.mfn = inner.mfn;
    act.start = inner.start;
    act.length = inner.length;
    act.subPage = true;
    act.behind = third.grants();
    act.behindRef = (int) behindRef;
    end.held = inner.held;
    end.behind = inner.table;
    end.behindRef = inner.ref;
    return Gntst.OKAY;
  }
}
