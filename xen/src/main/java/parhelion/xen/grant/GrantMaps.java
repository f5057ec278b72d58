package parhelion.xen.grant;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import parhelion.abi.Gntmap;
import parhelion.abi.Gntst;
import parhelion.abi.GnttabArgs.GnttabMapGrantRef;
import parhelion.xen.Domain;
import parhelion.xen.Hypervisor;
import parhelion.xen.Vcpu;
import parhelion.xen.memory.GrantMappings;
import parhelion.xen.memory.Pte;

/**
 * Mapping and unmapping of others' frames. An unmapping has two halves: the entry goes at once, the
 * references and the status bits, by which the granter sees that its frame is its own again, only
 * after the mapper's TLBs have been flushed.
 */
final class GrantMaps {
  /** What came of {@link #map}. */
  record Result(int status, long handle, long devBusAddr) {
    static Result failed(int status) {
      return new Result(status, 0, 0);
    }
  }

  /** The first half of an unmapping. */
  private record Unmapped(
      GrantTable table, int ref, long mfn, boolean readOnly, boolean host, boolean device) {}

  private final Hypervisor hypervisor;

  GrantMaps(Hypervisor hypervisor) {
    this.hypervisor = hypervisor;
  }

  /** GNTTABOP_map_grant_ref of one. */
  Result map(Vcpu v, GnttabMapGrantRef op) {
    boolean host = (op.flags() & Gntmap.HOST_MAP) != 0;
    boolean device = (op.flags() & Gntmap.DEVICE_MAP) != 0;
    boolean readOnly = (op.flags() & Gntmap.READONLY) != 0;
    if (!host && !device) {
      return Result.failed(Gntst.BAD_GNTREF);
    }
    if (v.domain().hvm() != null) {
      // There is nobody else to map from: see docs/quirks.md.
      return Result.failed(Gntst.GENERAL_ERROR);
    }
    Domain granter = hypervisor.domain(op.dom());
    if (granter == null) {
      return Result.failed(Gntst.BAD_DOMAIN);
    }
    Maptrack maptrack = v.domain().grants().maptrack();
    if (!maptrack.hasRoom()) {
      return Result.failed(Gntst.NO_SPACE);
    }
    GrantTable table = granter.grants();
    int domid = v.domain().id();
    int status = table.pinForMap(op.ref(), domid, readOnly, host, device);
    if (status != Gntst.OKAY) {
      return Result.failed(status);
    }
    int ref = (int) op.ref();
    long mfn = table.active(ref).mfn;
    // The handle comes first: what is mapped has one, even if the guest crashes over it.
    int handle = maptrack.add(new Maptrack.Mapping(table, ref, domid, op.flags()));
    if (!take(v, table, mfn, op, readOnly)) {
      maptrack.remove(handle);
      table.unpin(ref, readOnly, host, device);
      return Result.failed(Gntst.GENERAL_ERROR);
    }
    return new Result(Gntst.OKAY, handle, mfn << 12);
  }

  /** References for the device and for the page-table entry, and the entry. */
  private boolean take(Vcpu v, GrantTable table, long mfn, GnttabMapGrantRef op, boolean readOnly) {
    boolean device = (op.flags() & Gntmap.DEVICE_MAP) != 0;
    if (device && !table.hold(mfn, readOnly)) {
      return false;
    }
    if ((op.flags() & Gntmap.HOST_MAP) == 0) {
      return true;
    }
    if (table.hold(mfn, readOnly)) {
      boolean isEntry = (op.flags() & Gntmap.CONTAINS_PTE) != 0;
      if (mappings().map(v, op.hostAddr(), isEntry, mfn, pteFlags(op.flags()))) {
        return true;
      }
      table.release(mfn, readOnly);
    }
    if (device) {
      table.release(mfn, readOnly);
    }
    return false;
  }

  private GrantMappings mappings() {
    return hypervisor.paging().grantMappings();
  }

  private static long pteFlags(long flags) {
    return ((flags & Gntmap.READONLY) == 0 ? Pte.RW : 0)
        | ((flags & Gntmap.APPLICATION_MAP) != 0 ? Pte.USER : 0)
        | (flags >>> 16 << 9 & Pte.AVAIL);
  }

  /** A run of unmappings with one flush at its end. */
  final class Unmapping {
    private final Vcpu v;
    private final List<Unmapped> pending = new ArrayList<>();

    Unmapping(Vcpu v) {
      this.v = v;
    }

    /** GNTTABOP_unmap_grant_ref and unmap_and_replace of one; addresses are 0 for none. */
    int unmap(long hostAddr, long devBusAddr, long newAddr, long handle) {
      Maptrack maptrack = v.domain().grants().maptrack();
      Maptrack.@Nullable Mapping m = maptrack.get(handle);
      if (m == null) {
        return Gntst.BAD_HANDLE;
      }
      long flags = m.flags();
      long mfn = m.table().active(m.ref()).mfn;
      boolean device = devBusAddr != 0 && (flags & Gntmap.DEVICE_MAP) != 0;
      boolean host = hostAddr != 0 && (flags & Gntmap.HOST_MAP) != 0;
      if (device && devBusAddr != mfn << 12) {
        return Gntst.BAD_DEV_ADDR;
      }
      if (host && !unmapHost(hostAddr, mfn, flags, newAddr)) {
        return Gntst.GENERAL_ERROR;
      }
      if (host || device) {
        boolean readOnly = (flags & Gntmap.READONLY) != 0;
        pending.add(new Unmapped(m.table(), m.ref(), mfn, readOnly, host, device));
        forget(maptrack, (int) handle, m, host, device);
      }
      return Gntst.OKAY;
    }

    private boolean unmapHost(long hostAddr, long mfn, long flags, long newAddr) {
      boolean isEntry = (flags & Gntmap.CONTAINS_PTE) != 0;
      boolean writable = (flags & Gntmap.READONLY) == 0;
      if (newAddr == 0) {
        return mappings().unmap(v, hostAddr, isEntry, mfn, writable);
      }
      return !isEntry && mappings().replace(v, hostAddr, mfn, writable, newAddr);
    }

    private void forget(
        Maptrack maptrack, int handle, Maptrack.Mapping m, boolean host, boolean device) {
      long left = m.flags() & ~((host ? Gntmap.HOST_MAP : 0) | (device ? Gntmap.DEVICE_MAP : 0));
      if ((left & (Gntmap.HOST_MAP | Gntmap.DEVICE_MAP)) == 0) {
        maptrack.remove(handle);
      } else {
        maptrack.replace(handle, new Maptrack.Mapping(m.table(), m.ref(), m.domid(), left));
      }
    }

    /** The second half of all. */
    void complete() {
      if (pending.isEmpty()) {
        return;
      }
      mappings().flush(v.domain());
      for (Unmapped u : pending) {
        if (u.host) {
          u.table.release(u.mfn, u.readOnly);
        }
        if (u.device) {
          u.table.release(u.mfn, u.readOnly);
        }
        u.table.unpin(u.ref, u.readOnly, u.host, u.device);
      }
      pending.clear();
    }
  }
}
