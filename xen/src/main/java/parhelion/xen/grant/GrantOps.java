package parhelion.xen.grant;

import java.util.HashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import parhelion.abi.Bytes;
import parhelion.abi.Domid;
import parhelion.abi.Errno;
import parhelion.abi.Gntst;
import parhelion.abi.GnttabArgs.GnttabCacheFlush;
import parhelion.abi.GnttabArgs.GnttabCopy;
import parhelion.abi.GnttabArgs.GnttabGetStatusFrames;
import parhelion.abi.GnttabArgs.GnttabGetVersion;
import parhelion.abi.GnttabArgs.GnttabMapGrantRef;
import parhelion.abi.GnttabArgs.GnttabQuerySize;
import parhelion.abi.GnttabArgs.GnttabSetVersion;
import parhelion.abi.GnttabArgs.GnttabSetupTable;
import parhelion.abi.GnttabArgs.GnttabSwapGrantRef;
import parhelion.abi.GnttabArgs.GnttabUnmapAndReplace;
import parhelion.abi.GnttabArgs.GnttabUnmapGrantRef;
import parhelion.abi.GnttabCache;
import parhelion.abi.GnttabOp;
import parhelion.abi.Struct;
import parhelion.xen.Domain;
import parhelion.xen.GuestAccess;
import parhelion.xen.HvmDomain;
import parhelion.xen.Hypervisor;
import parhelion.xen.Vcpu;
import parhelion.xen.XenError;

/**
 * {@code grant_table_op}: every sub-op works on an array of its structure and says in each element
 * what came of it, a {@link Gntst}; the call itself fails only for arguments that cannot be read.
 * Long arrays are interrupted between elements.
 */
public final class GrantOps {
  /** Bits of the command that are the sub-op; above them is what a continued call remembers. */
  private static final int CMD_MASK = 0xfff;

  private static final int UNMAP_BATCH = 32;
  private static final int CLEAN_OR_INVALIDATE = (int) (GnttabCache.CLEAN | GnttabCache.INVAL);

  /** Does one element, at {@code va}. */
  private interface Element {
    void at(long va);
  }

  private final Hypervisor hypervisor;
  private final GrantMaps maps;
  private final GrantCopies copies;

  /** What backends have mapped, dead domains' frames included. */
  private final Set<HostGrant> hostGrants = new HashSet<>();

  public GrantOps(Hypervisor hypervisor) {
    this.hypervisor = hypervisor;
    maps = new GrantMaps(hypervisor);
    copies = new GrantCopies(hypervisor);
  }

  Set<HostGrant> hostGrants() {
    return hostGrants;
  }

  GrantCopies copies() {
    return copies;
  }

  public long grantTableOp(Vcpu v, long cmd, long uop, long count, long unused, long unused2) {
    GnttabOp op = GnttabOp.of(cmd & CMD_MASK);
    int n = (int) count;
    int opaque = (int) cmd & ~CMD_MASK;
    if (n < 0 || (opaque != 0 && op != GnttabOp.CACHE_FLUSH)) {
      throw new XenError(Errno.EINVAL);
    }
    if (op == null) {
      throw new XenError(Errno.ENOSYS);
    }
    return switch (op) {
      case SETUP_TABLE -> setupTable(v, uop, n);
      case QUERY_SIZE -> querySize(v, uop, n);
      case SET_VERSION -> setVersion(v, uop);
      case GET_STATUS_FRAMES -> getStatusFrames(v, uop, n);
      case GET_VERSION -> getVersion(v, uop);
      case MAP_GRANT_REF -> map(v, uop, n);
      case UNMAP_GRANT_REF -> unmap(v, uop, n);
      case UNMAP_AND_REPLACE -> unmapAndReplace(v, uop, n);
      case COPY -> copy(v, uop, n);
      case SWAP_GRANT_REF -> swap(v, uop, n);
      case CACHE_FLUSH -> cacheFlush(v, uop, n, opaque);
      // As a Xen with gnttab=no-transfer.
      case TRANSFER -> throw new XenError(Errno.EOPNOTSUPP);
      // In the header, but no Xen of today has it.
      case DUMP_TABLE -> throw new XenError(Errno.ENOSYS);
    };
  }

  /** Calls {@code element} for each; EFAULT where the array is not the guest's. */
  private static long each(
      Vcpu v, GnttabOp op, Struct struct, long uop, int count, Element element) {
    long size = struct.size();
    GuestAccess.checkRange(uop, count * size);
    for (int i = 0; i < count; i++) {
      if (i > 0 && v.shouldYield()) {
        throw v.continueHypercall(op.nr(), uop + i * size, count - i, 0, 0);
      }
      element.at(uop + i * size);
    }
    return 0;
  }

  // --- the table ---

  /** {@code dom} as an argument means it; null if there is none. */
  private @Nullable Domain domain(Vcpu v, int dom) {
    return dom == Domid.SELF ? v.domain() : hypervisor.domain(dom);
  }

  /** OKAY, or why {@code v} may not ask about a domain's table. */
  private static int mayAsk(Vcpu v, @Nullable Domain d) {
    if (d == null) {
      return Gntst.BAD_DOMAIN;
    }
    return d == v.domain() || v.domain().isPrivileged() ? Gntst.OKAY : Gntst.PERMISSION_DENIED;
  }

  private static void requireOne(int count) {
    if (count != 1) {
      throw new XenError(Errno.EINVAL);
    }
  }

  private long setupTable(Vcpu v, long uop, int count) {
    requireOne(count);
    GnttabSetupTable op = GnttabSetupTable.read(v.guest().in(uop, GnttabSetupTable.STRUCT), 0);
    GuestAccess.checkRange(op.frameList(), op.nrFrames() * 8);
    Domain d = domain(v, op.dom());
    int status = mayAsk(v, d);
    if (status == Gntst.OKAY && d != null) {
      GrantTable table = d.grants();
      if (op.nrFrames() > GrantTable.MAX_FRAMES || !table.ensureFrames((int) op.nrFrames())) {
        status = Gntst.GENERAL_ERROR;
      } else {
        for (int i = 0; i < op.nrFrames(); i++) {
          status = putFrame(v, op.frameList() + i * 8L, shown(d, table.sharedMfn(i)), status);
        }
      }
    }
    GnttabSetupTable.STATUS.put(v.guest(), uop, status);
    return 0;
  }

  /** The guest's own number of one of Xen's frames; -1 if it has not asked for it anywhere. */
  private static long shown(Domain d, long mfn) {
    HvmDomain hvm = d.hvm();
    return hvm == null ? mfn : hvm.placeOf(mfn);
  }

  /** Writes one frame number into the guest's list; a bad list is a status. */
  private static int putFrame(Vcpu v, long va, long mfn, int status) {
    try {
      v.guest().putLong(va, mfn);
      return status;
    } catch (XenError e) {
      return Gntst.BAD_VIRT_ADDR;
    }
  }

  private long querySize(Vcpu v, long uop, int count) {
    requireOne(count);
    byte[] bytes = v.guest().copyIn(uop, GnttabQuerySize.STRUCT.size());
    Bytes b = Bytes.of(bytes);
    Domain d = domain(v, GnttabQuerySize.DOM.get(b, 0));
    int status = mayAsk(v, d);
    if (status == Gntst.OKAY && d != null) {
      GnttabQuerySize.NR_FRAMES.put(b, 0, d.grants().frameCount());
      GnttabQuerySize.MAX_NR_FRAMES.put(b, 0, GrantTable.MAX_FRAMES);
    }
    GnttabQuerySize.STATUS.put(b, 0, status);
    v.guest().copyOut(uop, bytes);
    return 0;
  }

  private static long setVersion(Vcpu v, long uop) {
    GnttabSetVersion op = GnttabSetVersion.read(v.guest().in(uop, GnttabSetVersion.STRUCT), 0);
    GrantTable table = v.domain().grants();
    long result = table.setVersion(op.version());
    GnttabSetVersion.VERSION.put(v.guest(), uop, table.version());
    return result;
  }

  private long getVersion(Vcpu v, long uop) {
    GnttabGetVersion op = GnttabGetVersion.read(v.guest().in(uop, GnttabGetVersion.STRUCT), 0);
    Domain d = hypervisor.domainFor(v.domain(), op.dom());
    if (mayAsk(v, d) != Gntst.OKAY) {
      throw new XenError(Errno.EPERM);
    }
    GnttabGetVersion.VERSION.put(v.guest(), uop, d.grants().version());
    return 0;
  }

  private long getStatusFrames(Vcpu v, long uop, int count) {
    requireOne(count);
    GnttabGetStatusFrames op =
        GnttabGetStatusFrames.read(v.guest().in(uop, GnttabGetStatusFrames.STRUCT), 0);
    GuestAccess.checkRange(op.frameList(), op.nrFrames() * 8);
    Domain d = domain(v, op.dom());
    int status = mayAsk(v, d);
    if (status == Gntst.OKAY && d != null) {
      GrantTable table = d.grants();
      if (op.nrFrames() > table.statusFrameCount()) {
        status = Gntst.GENERAL_ERROR;
      } else {
        for (int i = 0; i < op.nrFrames(); i++) {
          status = putFrame(v, op.frameList() + i * 8L, shown(d, table.statusMfn(i)), status);
        }
      }
    }
    GnttabGetStatusFrames.STATUS.put(v.guest(), uop, status);
    return 0;
  }

  private static long swap(Vcpu v, long uop, int count) {
    Struct struct = GnttabSwapGrantRef.STRUCT;
    return each(
        v,
        GnttabOp.SWAP_GRANT_REF,
        struct,
        uop,
        count,
        va -> {
          GnttabSwapGrantRef op = GnttabSwapGrantRef.read(v.guest().in(va, struct), 0);
          int status = v.domain().grants().swap(op.refA(), op.refB());
          GnttabSwapGrantRef.STATUS.put(v.guest(), va, status);
        });
  }

  // --- mapping ---

  private long map(Vcpu v, long uop, int count) {
    Struct struct = GnttabMapGrantRef.STRUCT;
    return each(v, GnttabOp.MAP_GRANT_REF, struct, uop, count, va -> mapOne(v, va));
  }

  private void mapOne(Vcpu v, long va) {
    byte[] bytes = v.guest().copyIn(va, GnttabMapGrantRef.STRUCT.size());
    Bytes b = Bytes.of(bytes);
    GrantMaps.Result result = maps.map(v, GnttabMapGrantRef.read(b, 0));
    GnttabMapGrantRef.STATUS.put(b, 0, result.status());
    if (result.status() == Gntst.OKAY) {
      GnttabMapGrantRef.HANDLE.put(b, 0, result.handle());
      GnttabMapGrantRef.DEV_BUS_ADDR.put(b, 0, result.devBusAddr());
    }
    v.guest().copyOut(va, bytes);
  }

  /** Unmaps the element at {@code va} and writes its status. */
  private interface Unmapper {
    void at(GrantMaps.Unmapping batch, long va);
  }

  private long unmapEach(
      Vcpu v, GnttabOp op, Struct struct, long uop, int count, Unmapper unmapper) {
    long size = struct.size();
    GuestAccess.checkRange(uop, count * size);
    for (int i = 0; i < count; ) {
      if (i > 0 && v.shouldYield()) {
        throw v.continueHypercall(op.nr(), uop + i * size, count - i, 0, 0);
      }
      GrantMaps.Unmapping batch = maps.new Unmapping(v);
      try {
        for (int end = Math.min(count, i + UNMAP_BATCH); i < end; i++) {
          unmapper.at(batch, uop + i * size);
        }
      } finally {
        batch.complete();
      }
    }
    return 0;
  }

  private long unmap(Vcpu v, long uop, int count) {
    Struct struct = GnttabUnmapGrantRef.STRUCT;
    return unmapEach(
        v,
        GnttabOp.UNMAP_GRANT_REF,
        struct,
        uop,
        count,
        (batch, va) -> {
          GnttabUnmapGrantRef op = GnttabUnmapGrantRef.read(v.guest().in(va, struct), 0);
          int status = batch.unmap(op.hostAddr(), op.devBusAddr(), 0, op.handle());
          GnttabUnmapGrantRef.STATUS.put(v.guest(), va, status);
        });
  }

  private long unmapAndReplace(Vcpu v, long uop, int count) {
    Struct struct = GnttabUnmapAndReplace.STRUCT;
    return unmapEach(
        v,
        GnttabOp.UNMAP_AND_REPLACE,
        struct,
        uop,
        count,
        (batch, va) -> {
          GnttabUnmapAndReplace op = GnttabUnmapAndReplace.read(v.guest().in(va, struct), 0);
          int status = batch.unmap(op.hostAddr(), 0, op.newAddr(), op.handle());
          GnttabUnmapAndReplace.STATUS.put(v.guest(), va, status);
        });
  }

  // --- copying, caches ---

  private long copy(Vcpu v, long uop, int count) {
    Struct struct = GnttabCopy.STRUCT;
    return each(
        v,
        GnttabOp.COPY,
        struct,
        uop,
        count,
        va -> {
          int status = copies.copy(v.domain(), GnttabCopy.read(v.guest().in(va, struct), 0));
          GnttabCopy.STATUS.put(v.guest(), va, status);
        });
  }

  private long cacheFlush(Vcpu v, long uop, int count, int firstRef) {
    Struct struct = GnttabCacheFlush.STRUCT;
    return each(
        v,
        GnttabOp.CACHE_FLUSH,
        struct,
        uop,
        count,
        va ->
            cacheFlushOne(
                v.domain(),
                GnttabCacheFlush.read(v.guest().in(va, struct), 0),
                va == uop ? firstRef : 0));
  }

  /** Caches are coherent here: only the rules remain. */
  private void cacheFlushOne(Domain d, GnttabCacheFlush op, int firstRef) {
    if (op.offset() >= 4096
        || op.offset() + op.length() > 4096
        || (op.op() & ~(long) CLEAN_OR_INVALIDATE) != 0) {
      throw new XenError(Errno.EINVAL);
    }
    if (op.length() == 0 || op.op() == 0) {
      if (firstRef != 0) {
        throw new XenError(Errno.EILSEQ);
      }
      return;
    }
    long mfn = op.devBusAddr() >>> 12;
    if (mfn >= hypervisor.memory().frames()) {
      throw new XenError(Errno.EINVAL);
    }
    Domain owner = hypervisor.frames().owner(mfn);
    if (owner == null) {
      throw new XenError(Errno.EPERM);
    }
    if (owner != d && (firstRef < 0 || !owner.grants().isUsedBy(d.id(), mfn, firstRef))) {
      throw new XenError(Errno.EINVAL);
    }
    if (op.op() == GnttabCache.INVAL) {
      throw new XenError(Errno.EOPNOTSUPP);
    }
  }
}
