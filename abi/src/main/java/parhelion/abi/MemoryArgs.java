package parhelion.abi;

import parhelion.abi.Field.Part;
import parhelion.abi.Field.U16;
import parhelion.abi.Field.U32;
import parhelion.abi.Field.U64;

/**
 * Arguments of {@link MemoryOp} ({@code memory.h}), copied in by value. Counts and frame numbers
 * are 64 raw bits: compare unsigned.
 */
public final class MemoryArgs {
  private MemoryArgs() {}

  /** {@code struct xen_memory_reservation}: extents of 2<sup>order</sup> frames. */
  public record XenMemoryReservation(
      long extentStart, long nrExtents, long extentOrder, long memFlags, int domid) {
    public static final Struct STRUCT = Struct.of("xen_memory_reservation", "memory.h", 32);
    public static final U64 EXTENT_START = STRUCT.u64("extent_start", 0);
    public static final U64 NR_EXTENTS = STRUCT.u64("nr_extents", 8);
    public static final U32 EXTENT_ORDER = STRUCT.u32("extent_order", 16);
    public static final U32 MEM_FLAGS = STRUCT.u32("mem_flags", 20);
    public static final U16 DOMID = STRUCT.u16("domid", 24);

    public static XenMemoryReservation read(Bytes b, long at) {
      return new XenMemoryReservation(
          EXTENT_START.get(b, at),
          NR_EXTENTS.get(b, at),
          EXTENT_ORDER.get(b, at),
          MEM_FLAGS.get(b, at),
          DOMID.get(b, at));
    }
  }

  /** {@code struct xen_memory_exchange}: trades frames for others. OUT: {@link #NR_EXCHANGED}. */
  public record XenMemoryExchange(
      XenMemoryReservation in, XenMemoryReservation out, long nrExchanged) {
    public static final Struct STRUCT = Struct.of("xen_memory_exchange", "memory.h", 72);
    public static final Part IN = STRUCT.part("in", 0, XenMemoryReservation.STRUCT);
    public static final Part OUT = STRUCT.part("out", 32, XenMemoryReservation.STRUCT);
    public static final U64 NR_EXCHANGED = STRUCT.u64("nr_exchanged", 64);

    public static XenMemoryExchange read(Bytes b, long at) {
      return new XenMemoryExchange(
          XenMemoryReservation.read(b, IN.at(at)),
          XenMemoryReservation.read(b, OUT.at(at)),
          NR_EXCHANGED.get(b, at));
    }
  }

  /** {@code struct xen_memory_domain}: which domain. */
  public record XenMemoryDomain(int domid) {
    public static final Struct STRUCT = Struct.of("xen_memory_domain", "memory.h", 2);
    public static final U16 DOMID = STRUCT.u16("domid", 0);

    public static XenMemoryDomain read(Bytes b, long at) {
      return new XenMemoryDomain(DOMID.get(b, at));
    }
  }

  /** {@code struct xen_memory_map}: the E820 map: room in, number of {@link E820Entry} out. */
  public record XenMemoryMap(long nrEntries, long buffer) {
    public static final Struct STRUCT = Struct.of("xen_memory_map", "memory.h", 16);
    public static final U32 NR_ENTRIES = STRUCT.u32("nr_entries", 0);
    public static final U64 BUFFER = STRUCT.u64("buffer", 8);

    public static XenMemoryMap read(Bytes b, long at) {
      return new XenMemoryMap(NR_ENTRIES.get(b, at), BUFFER.get(b, at));
    }
  }

  /** {@code struct xen_foreign_memory_map}: sets a domain's E820 map. */
  public record XenForeignMemoryMap(int domid, XenMemoryMap map) {
    public static final Struct STRUCT = Struct.of("xen_foreign_memory_map", "memory.h", 24);
    public static final U16 DOMID = STRUCT.u16("domid", 0);
    public static final Part MAP = STRUCT.part("map", 8, XenMemoryMap.STRUCT);

    public static XenForeignMemoryMap read(Bytes b, long at) {
      return new XenForeignMemoryMap(DOMID.get(b, at), XenMemoryMap.read(b, MAP.at(at)));
    }
  }

  /** {@code struct xen_machphys_mapping}: OUT: where the machine-to-physical table is. */
  public record XenMachphysMapping(long vStart, long vEnd, long maxMfn) {
    public static final Struct STRUCT = Struct.of("xen_machphys_mapping", "memory.h", 24);
    public static final U64 V_START = STRUCT.u64("v_start", 0);
    public static final U64 V_END = STRUCT.u64("v_end", 8);
    public static final U64 MAX_MFN = STRUCT.u64("max_mfn", 16);

    public static XenMachphysMapping read(Bytes b, long at) {
      return new XenMachphysMapping(V_START.get(b, at), V_END.get(b, at), MAX_MFN.get(b, at));
    }
  }

  /**
   * {@code struct xen_machphys_mfn_list}: the frames of the machine-to-physical table. OUT: {@link
   * #NR_EXTENTS}.
   */
  public record XenMachphysMfnList(long maxExtents, long extentStart, long nrExtents) {
    public static final Struct STRUCT = Struct.of("xen_machphys_mfn_list", "memory.h", 24);
    public static final U32 MAX_EXTENTS = STRUCT.u32("max_extents", 0);
    public static final U64 EXTENT_START = STRUCT.u64("extent_start", 8);
    public static final U32 NR_EXTENTS = STRUCT.u32("nr_extents", 16);

    public static XenMachphysMfnList read(Bytes b, long at) {
      return new XenMachphysMfnList(
          MAX_EXTENTS.get(b, at), EXTENT_START.get(b, at), NR_EXTENTS.get(b, at));
    }
  }

  /** {@code struct xen_add_to_physmap}: {@code space} is a {@link Xenmapspace}. */
  public record XenAddToPhysmap(int domid, int size, long space, long idx, long gpfn) {
    public static final Struct STRUCT = Struct.of("xen_add_to_physmap", "memory.h", 24);
    public static final U16 DOMID = STRUCT.u16("domid", 0);
    public static final U16 SIZE = STRUCT.u16("size", 2);
    public static final U32 SPACE = STRUCT.u32("space", 4);
    public static final U64 IDX = STRUCT.u64("idx", 8);
    public static final U64 GPFN = STRUCT.u64("gpfn", 16);

    public static XenAddToPhysmap read(Bytes b, long at) {
      return new XenAddToPhysmap(
          DOMID.get(b, at), SIZE.get(b, at), SPACE.get(b, at), IDX.get(b, at), GPFN.get(b, at));
    }
  }

  /** {@code struct xen_add_to_physmap_batch}: the same for many frames. */
  public record XenAddToPhysmapBatch(
      int domid, int space, int size, int foreignDomid, long idxs, long gpfns, long errs) {
    public static final Struct STRUCT = Struct.of("xen_add_to_physmap_batch", "memory.h", 32);
    public static final U16 DOMID = STRUCT.u16("domid", 0);
    public static final U16 SPACE = STRUCT.u16("space", 2);
    public static final U16 SIZE = STRUCT.u16("size", 4);
    public static final U16 FOREIGN_DOMID = STRUCT.u16("u.foreign_domid", 6);
    public static final U64 IDXS = STRUCT.u64("idxs", 8);
    public static final U64 GPFNS = STRUCT.u64("gpfns", 16);
    public static final U64 ERRS = STRUCT.u64("errs", 24);

    public static XenAddToPhysmapBatch read(Bytes b, long at) {
      return new XenAddToPhysmapBatch(
          DOMID.get(b, at),
          SPACE.get(b, at),
          SIZE.get(b, at),
          FOREIGN_DOMID.get(b, at),
          IDXS.get(b, at),
          GPFNS.get(b, at),
          ERRS.get(b, at));
    }
  }

  /** {@code struct xen_remove_from_physmap}: unmaps a frame. */
  public record XenRemoveFromPhysmap(int domid, long gpfn) {
    public static final Struct STRUCT = Struct.of("xen_remove_from_physmap", "memory.h", 16);
    public static final U16 DOMID = STRUCT.u16("domid", 0);
    public static final U64 GPFN = STRUCT.u64("gpfn", 8);

    public static XenRemoveFromPhysmap read(Bytes b, long at) {
      return new XenRemoveFromPhysmap(DOMID.get(b, at), GPFN.get(b, at));
    }
  }

  /**
   * {@code struct xen_mem_acquire_resource}: frames of a {@link XenmemResource}; {@code pad} must
   * be 0.
   */
  public record XenMemAcquireResource(
      int domid, int type, long id, long nrFrames, long pad, long frame, long frameList) {
    public static final Struct STRUCT = Struct.of("xen_mem_acquire_resource", "memory.h", 32);
    public static final U16 DOMID = STRUCT.u16("domid", 0);
    public static final U16 TYPE = STRUCT.u16("type", 2);
    public static final U32 ID = STRUCT.u32("id", 4);
    public static final U32 NR_FRAMES = STRUCT.u32("nr_frames", 8);
    public static final U32 PAD = STRUCT.u32("pad", 12);
    public static final U64 FRAME = STRUCT.u64("frame", 16);
    public static final U64 FRAME_LIST = STRUCT.u64("frame_list", 24);

    public static XenMemAcquireResource read(Bytes b, long at) {
      return new XenMemAcquireResource(
          DOMID.get(b, at),
          TYPE.get(b, at),
          ID.get(b, at),
          NR_FRAMES.get(b, at),
          PAD.get(b, at),
          FRAME.get(b, at),
          FRAME_LIST.get(b, at));
    }
  }
}
