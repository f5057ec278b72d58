package parhelion.xen.memory;

import parhelion.abi.ArchSharedInfo;
import parhelion.abi.Bytes;
import parhelion.abi.E820Entry;
import parhelion.abi.Errno;
import parhelion.abi.MachToPhys;
import parhelion.abi.MemoryArgs.XenAddToPhysmap;
import parhelion.abi.MemoryArgs.XenAddToPhysmapBatch;
import parhelion.abi.MemoryArgs.XenForeignMemoryMap;
import parhelion.abi.MemoryArgs.XenMachphysMapping;
import parhelion.abi.MemoryArgs.XenMachphysMfnList;
import parhelion.abi.MemoryArgs.XenMemAcquireResource;
import parhelion.abi.MemoryArgs.XenMemoryDomain;
import parhelion.abi.MemoryArgs.XenMemoryMap;
import parhelion.abi.MemoryArgs.XenMemoryReservation;
import parhelion.abi.MemoryArgs.XenRemoveFromPhysmap;
import parhelion.abi.MemoryOp;
import parhelion.abi.SharedInfo;
import parhelion.abi.Struct;
import parhelion.abi.Xenmapspace;
import parhelion.cpu.memory.MachineMemory;
import parhelion.xen.Domain;
import parhelion.xen.GuestAccess;
import parhelion.xen.HvmDomain;
import parhelion.xen.Hypervisor;
import parhelion.xen.Vcpu;
import parhelion.xen.XenError;

/**
 * {@code memory_op}: a domain's reservation (with {@link Reservations} and {@link Exchange}), and
 * what it may know of machine memory. The command's low 6 bits are the {@link MemoryOp}, what is
 * above them is where an interrupted call goes on.
 */
public final class MemoryOps {
  private static final int SHIFT = 6;
  private static final int MAX_E820 = 128;

  /** Entries of the machine-to-physical table's frame list: one for each 2 MiB of the table. */
  private static final int FRAMES_PER_LIST_ENTRY = 512;

  private final Hypervisor hypervisor;
  private final FrameTable frames;
  private final MachineMemory memory;
  private final Reservations reservations;
  private final Exchange exchange;
  private final Placements placements;

  public MemoryOps(Hypervisor hypervisor) {
    this.hypervisor = hypervisor;
    frames = hypervisor.frames();
    memory = hypervisor.memory();
    reservations = new Reservations(hypervisor);
    exchange = new Exchange(hypervisor);
    placements = new Placements(hypervisor);
  }

  public long memoryOp(Vcpu v, long cmd, long arg, long unused, long unused2, long unused3) {
    MemoryOp op = MemoryOp.of(cmd & (1 << SHIFT) - 1);
    if (op == null) {
      return Errno.ENOSYS.result();
    }
    long start = cmd >>> SHIFT;
    return switch (op) {
      case INCREASE_RESERVATION, DECREASE_RESERVATION, POPULATE_PHYSMAP ->
          adjust(v, op, start, arg);
      case ADD_TO_PHYSMAP -> addToPhysmap(v, start, arg);
      case ADD_TO_PHYSMAP_BATCH -> addToPhysmapBatch(v, start, arg);
      case ACQUIRE_RESOURCE -> acquireResource(v, arg);
      case SET_MEMORY_MAP,
          MEMORY_MAP,
          MACHINE_MEMORY_MAP,
          MACHPHYS_MAPPING,
          MACHPHYS_MFN_LIST,
          MACHPHYS_COMPAT_MFN_LIST,
          GET_SHARING_FREED_PAGES,
          GET_SHARING_SHARED_PAGES,
          SET_POD_TARGET,
          GET_POD_TARGET,
          PAGING_OP,
          ACCESS_OP,
          SHARING_OP ->
          start == 0 ? ofMachine(v, op, arg) : Errno.ENOSYS.result();
      default -> start == 0 ? ofDomain(v, op, arg) : Errno.EINVAL.result();
    };
  }

  private long ofDomain(Vcpu v, MemoryOp op, long arg) {
    return switch (op) {
      case MAXIMUM_RAM_PAGE -> memory.frames();
      case CURRENT_RESERVATION -> domain(v, arg).totPages;
      case MAXIMUM_RESERVATION -> domain(v, arg).maxPages;
      case MAXIMUM_GPFN -> maximumGpfn(domain(v, arg));
      case EXCHANGE ->
          v.domain().hvm() == null ? exchange.exchange(v, arg) : Errno.EOPNOTSUPP.result();
      case REMOVE_FROM_PHYSMAP -> removeFromPhysmap(v, arg);
      case CLAIM_PAGES -> claimPages(v, arg);
      case GET_VNUMAINFO -> vnumaInfo(v, arg);
      case RESERVED_DEVICE_MEMORY_MAP -> reservedDeviceMemory(v, arg);
      default -> Errno.ENOSYS.result();
    };
  }

  private long ofMachine(Vcpu v, MemoryOp op, long arg) {
    return switch (op) {
      case SET_MEMORY_MAP -> setMemoryMap(v, arg);
      case MEMORY_MAP -> memoryMap(v, arg);
      case MACHINE_MEMORY_MAP -> machineMemoryMap(v, arg);
      case MACHPHYS_MAPPING -> machphysMapping(v, arg);
      case MACHPHYS_MFN_LIST -> machphysMfnList(v, arg);
      case GET_SHARING_FREED_PAGES, GET_SHARING_SHARED_PAGES -> 0;
      case MACHPHYS_COMPAT_MFN_LIST -> Errno.EOPNOTSUPP.result();
      case SET_POD_TARGET, GET_POD_TARGET, ACCESS_OP ->
          (v.domain().isPrivileged() ? Errno.EINVAL : Errno.EPERM).result();
      default -> Errno.ENOSYS.result();
    };
  }

  // --- reservations ---

  /** Answers how many extents are done, whatever is wrong with the next one. */
  private long adjust(Vcpu v, MemoryOp op, long start, long arg) {
    XenMemoryReservation r;
    Domain d;
    try {
      r = XenMemoryReservation.read(v.guest().in(arg, XenMemoryReservation.STRUCT), 0);
      d = hypervisor.domainFor(v.domain(), r.domid());
    } catch (XenError e) {
      return start;
    }
    boolean fits =
        Long.compareUnsigned(r.nrExtents(), 0xffff_ffffL >>> SHIFT) <= 0 && start < r.nrExtents();
    if (!fits || (d != v.domain() && !v.domain().isPrivileged()) || d.isDying()) {
      return start;
    }
    long done =
        switch (op) {
          case INCREASE_RESERVATION -> reservations.increase(v, d, r, start);
          case DECREASE_RESERVATION -> reservations.decrease(v, d, r, start);
          default -> reservations.populate(v, d, r, start);
        };
    if (done < 0) {
      throw v.continueHypercall(op.nr() | ~done << SHIFT, arg, 0, 0, 0);
    }
    return done;
  }

  /** The domain that a {@code xen_memory_domain} names; ESRCH, EPERM. */
  private Domain domain(Vcpu v, long arg) {
    int id = XenMemoryDomain.read(v.guest().in(arg, XenMemoryDomain.STRUCT), 0).domid();
    return permitted(v, id);
  }

  private Domain permitted(Vcpu v, int domid) {
    Domain d = hypervisor.domainFor(v.domain(), domid);
    if (d != v.domain()) {
      requirePrivilege(v);
    }
    return d;
  }

  private static void requirePrivilege(Vcpu v) {
    if (!v.domain().isPrivileged()) {
      throw new XenError(Errno.EPERM);
    }
  }

  /** A guest says in shared_info how many pfns it has. */
  private long maximumGpfn(Domain d) {
    HvmDomain hvm = d.hvm();
    if (hvm != null) {
      return hvm.machine().lastFrame();
    }
    long maxPfn =
        memory.getLong(
            (d.sharedInfoMfn() << 12) + SharedInfo.ARCH.offset() + ArchSharedInfo.MAX_PFN.offset());
    return maxPfn == 0 ? 0 : maxPfn - 1;
  }

  private long claimPages(Vcpu v, long arg) {
    XenMemoryReservation r =
        XenMemoryReservation.read(v.guest().in(arg, XenMemoryReservation.STRUCT), 0);
    Domain d = hypervisor.domain(r.domid());
    if (r.extentStart() != 0 || r.extentOrder() != 0 || r.memFlags() != 0 || d == null) {
      throw new XenError(Errno.EINVAL);
    }
    requirePrivilege(v);
    if (d.isDying() || (r.nrExtents() != 0 && d.memory.claimed != 0)) {
      throw new XenError(Errno.EINVAL);
    }
    long wanted = r.nrExtents() - d.totPages;
    if (r.nrExtents() == 0) {
      frames.claim(d, 0);
    } else if (Long.compareUnsigned(r.nrExtents(), d.maxPages) > 0 || wanted <= 0) {
      throw new XenError(Errno.EINVAL);
    } else if (!frames.claim(d, wanted)) {
      throw new XenError(Errno.ENOMEM);
    }
    return 0;
  }

  // --- maps of memory ---

  private long setMemoryMap(Vcpu v, long arg) {
    XenForeignMemoryMap map =
        XenForeignMemoryMap.read(v.guest().in(arg, XenForeignMemoryMap.STRUCT), 0);
    if (map.map().nrEntries() > MAX_E820) {
      throw new XenError(Errno.EINVAL);
    }
    Domain d = permitted(v, map.domid());
    int bytes = (int) map.map().nrEntries() * E820Entry.STRUCT.size();
    d.memory.e820 = v.guest().copyIn(map.map().buffer(), bytes);
    return 0;
  }

  /** ENOSYS for a domain without a map: Linux then makes its own from the number of pages. */
  private static long memoryMap(Vcpu v, long arg) {
    XenMemoryMap map = XenMemoryMap.read(v.guest().in(arg, XenMemoryMap.STRUCT), 0);
    byte[] e820 = v.domain().memory.e820;
    if (e820.length == 0) {
      throw new XenError(Errno.ENOSYS);
    }
    int size = E820Entry.STRUCT.size();
    int entries = (int) Math.min(map.nrEntries(), e820.length / size);
    v.guest().put(map.buffer(), e820, 0, entries * size);
    XenMemoryMap.NR_ENTRIES.put(v.guest(), arg, entries);
    return 0;
  }

  /** All of machine memory is RAM. */
  private long machineMemoryMap(Vcpu v, long arg) {
    requirePrivilege(v);
    XenMemoryMap map = XenMemoryMap.read(v.guest().in(arg, XenMemoryMap.STRUCT), 0);
    if (map.buffer() != 0) {
      if (map.nrEntries() < 1) {
        throw new XenError(Errno.EINVAL);
      }
      byte[] entry = new byte[E820Entry.STRUCT.size()];
      new E820Entry(0, memory.sizeBytes(), 1).write(Bytes.of(entry), 0);
      v.guest().copyOut(map.buffer(), entry);
    }
    XenMemoryMap.NR_ENTRIES.put(v.guest(), arg, 1);
    return 0;
  }

  private long machphysMapping(Vcpu v, long arg) {
    byte[] out = new byte[XenMachphysMapping.STRUCT.size()];
    Bytes b = Bytes.of(out);
    XenMachphysMapping.V_START.put(b, 0, MachToPhys.VIRT_START);
    XenMachphysMapping.V_END.put(b, 0, MachToPhys.VIRT_END);
    long last = v.domain().isPrivileged() ? memory.frames() : MachToPhys.NR_ENTRIES;
    XenMachphysMapping.MAX_MFN.put(b, 0, last - 1);
    v.guest().copyOut(arg, out);
    return 0;
  }

  private long machphysMfnList(Vcpu v, long arg) {
    XenMachphysMfnList list =
        XenMachphysMfnList.read(v.guest().in(arg, XenMachphysMfnList.STRUCT), 0);
    MachToPhysTable m2p = frames.m2p();
    long entries = (m2p.frames() + FRAMES_PER_LIST_ENTRY - 1) / FRAMES_PER_LIST_ENTRY;
    long n = Math.min(entries, list.maxExtents());
    for (long i = 0; i < n; i++) {
      v.guest().putLong(list.extentStart() + i * 8, (m2p.pa() >>> 12) + i * FRAMES_PER_LIST_ENTRY);
    }
    XenMachphysMfnList.NR_EXTENTS.put(v.guest(), arg, n);
    return 0;
  }

  /** No device of ours reserves memory. */
  private static long reservedDeviceMemory(Vcpu v, long arg) {
    int flags = v.guest().getInt(arg);
    if ((flags & ~1) != 0) {
      throw new XenError(Errno.EINVAL);
    }
    v.guest().putInt(arg + 4, 0);
    return 0;
  }

  private long vnumaInfo(Vcpu v, long arg) {
    int header = v.guest().getInt(arg);
    if (header >>> 16 != 0) {
      throw new XenError(Errno.EINVAL);
    }
    Domain unused = permitted(v, header & 0xffff);
    throw new XenError(Errno.EOPNOTSUPP);
  }

  // --- what only translated guests may ---

  private long addToPhysmap(Vcpu v, long start, long arg) {
    if (start > 0xffff) {
      throw new XenError(Errno.EDOM);
    }
    XenAddToPhysmap x = XenAddToPhysmap.read(v.guest().in(arg, XenAddToPhysmap.STRUCT), 0);
    if (x.space() == Xenmapspace.GMFN_FOREIGN) {
      throw new XenError(Errno.ENOSYS);
    }
    return placements.add(v, x);
  }

  private long addToPhysmapBatch(Vcpu v, long start, long arg) {
    if (start > 0xffff) {
      throw new XenError(Errno.EDOM);
    }
    Struct struct = XenAddToPhysmapBatch.STRUCT;
    XenAddToPhysmapBatch x = XenAddToPhysmapBatch.read(v.guest().in(arg, struct), 0);
    if (x.space() == Xenmapspace.GMFN_RANGE) {
      throw new XenError(Errno.EOPNOTSUPP);
    }
    return placements.addBatch(v, x, start, arg);
  }

  private long removeFromPhysmap(Vcpu v, long arg) {
    Struct struct = XenRemoveFromPhysmap.STRUCT;
    return placements.remove(v, XenRemoveFromPhysmap.read(v.guest().in(arg, struct), 0));
  }

  private long acquireResource(Vcpu v, long arg) {
    Struct struct = XenMemAcquireResource.STRUCT;
    XenMemAcquireResource x = XenMemAcquireResource.read(v.guest().in(arg, struct), 0);
    if (x.pad() != 0 || x.frame() >>> 32 != 0 || (x.frame() + x.nrFrames()) >>> 32 != 0) {
      throw new XenError(Errno.EINVAL);
    }
    Domain d = hypervisor.domainFor(v.domain(), x.domid());
    if (d == v.domain()) {
      throw new XenError(Errno.EPERM);
    }
    requirePrivilege(v);
    GuestAccess.checkRange(x.frameList(), x.nrFrames() * 8);
    throw new XenError(Errno.EOPNOTSUPP);
  }
}
