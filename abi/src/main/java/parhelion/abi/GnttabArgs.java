package parhelion.abi;

import parhelion.abi.Field.Part;
import parhelion.abi.Field.S16;
import parhelion.abi.Field.U16;
import parhelion.abi.Field.U32;
import parhelion.abi.Field.U64;

/**
 * Arguments of {@link GnttabOp} ({@code grant_table.h}), copied in by value; {@code status} is a
 * {@link Gntst}.
 */
public final class GnttabArgs {
  private GnttabArgs() {}

  /**
   * {@code struct gnttab_map_grant_ref}: maps a granted frame. OUT: {@link #STATUS}, {@link
   * #HANDLE}, {@link #DEV_BUS_ADDR}.
   */
  public record GnttabMapGrantRef(
      long hostAddr, long flags, long ref, int dom, int status, long handle, long devBusAddr) {
    public static final Struct STRUCT = Struct.of("gnttab_map_grant_ref", "grant_table.h", 32);
    public static final U64 HOST_ADDR = STRUCT.u64("host_addr", 0);
    public static final U32 FLAGS = STRUCT.u32("flags", 8);
    public static final U32 REF = STRUCT.u32("ref", 12);
    public static final U16 DOM = STRUCT.u16("dom", 16);
    public static final S16 STATUS = STRUCT.s16("status", 18);
    public static final U32 HANDLE = STRUCT.u32("handle", 20);
    public static final U64 DEV_BUS_ADDR = STRUCT.u64("dev_bus_addr", 24);

    public static GnttabMapGrantRef read(Bytes b, long at) {
      return new GnttabMapGrantRef(
          HOST_ADDR.get(b, at),
          FLAGS.get(b, at),
          REF.get(b, at),
          DOM.get(b, at),
          STATUS.get(b, at),
          HANDLE.get(b, at),
          DEV_BUS_ADDR.get(b, at));
    }
  }

  /** {@code struct gnttab_unmap_grant_ref}: undoes a mapping. OUT: {@link #STATUS}. */
  public record GnttabUnmapGrantRef(long hostAddr, long devBusAddr, long handle, int status) {
    public static final Struct STRUCT = Struct.of("gnttab_unmap_grant_ref", "grant_table.h", 24);
    public static final U64 HOST_ADDR = STRUCT.u64("host_addr", 0);
    public static final U64 DEV_BUS_ADDR = STRUCT.u64("dev_bus_addr", 8);
    public static final U32 HANDLE = STRUCT.u32("handle", 16);
    public static final S16 STATUS = STRUCT.s16("status", 20);

    public static GnttabUnmapGrantRef read(Bytes b, long at) {
      return new GnttabUnmapGrantRef(
          HOST_ADDR.get(b, at), DEV_BUS_ADDR.get(b, at), HANDLE.get(b, at), STATUS.get(b, at));
    }
  }

  /**
   * {@code struct gnttab_setup_table}: how many frames the table has, and which. OUT: {@link
   * #STATUS}, the list.
   */
  public record GnttabSetupTable(int dom, long nrFrames, int status, long frameList) {
    public static final Struct STRUCT = Struct.of("gnttab_setup_table", "grant_table.h", 24);
    public static final U16 DOM = STRUCT.u16("dom", 0);
    public static final U32 NR_FRAMES = STRUCT.u32("nr_frames", 4);
    public static final S16 STATUS = STRUCT.s16("status", 8);
    public static final U64 FRAME_LIST = STRUCT.u64("frame_list", 16);

    public static GnttabSetupTable read(Bytes b, long at) {
      return new GnttabSetupTable(
          DOM.get(b, at), NR_FRAMES.get(b, at), STATUS.get(b, at), FRAME_LIST.get(b, at));
    }
  }

  /** {@code struct gnttab_dump_table}: prints a table on Xen's console. OUT: {@link #STATUS}. */
  public record GnttabDumpTable(int dom, int status) {
    public static final Struct STRUCT = Struct.of("gnttab_dump_table", "grant_table.h", 4);
    public static final U16 DOM = STRUCT.u16("dom", 0);
    public static final S16 STATUS = STRUCT.s16("status", 2);

    public static GnttabDumpTable read(Bytes b, long at) {
      return new GnttabDumpTable(DOM.get(b, at), STATUS.get(b, at));
    }
  }

  /** {@code struct gnttab_transfer}: gives a frame to another domain. OUT: {@link #STATUS}. */
  public record GnttabTransfer(long mfn, int domid, long ref, int status) {
    public static final Struct STRUCT = Struct.of("gnttab_transfer", "grant_table.h", 24);
    public static final U64 MFN = STRUCT.u64("mfn", 0);
    public static final U16 DOMID = STRUCT.u16("domid", 8);
    public static final U32 REF = STRUCT.u32("ref", 12);
    public static final S16 STATUS = STRUCT.s16("status", 16);

    public static GnttabTransfer read(Bytes b, long at) {
      return new GnttabTransfer(
          MFN.get(b, at), DOMID.get(b, at), REF.get(b, at), STATUS.get(b, at));
    }
  }

  /**
   * {@code struct gnttab_copy_ptr}: one end of a copy: a grant reference or a frame of one's own,
   * as the flags say.
   */
  public record GnttabCopyPtr(long gmfn, int domid, int offset) {
    public static final Struct STRUCT = Struct.of("gnttab_copy_ptr", "grant_table.h", 16);
    public static final U32 REF = STRUCT.u32("u.ref", 0);
    public static final U64 GMFN = STRUCT.u64("u.gmfn", 0);
    public static final U16 DOMID = STRUCT.u16("domid", 8);
    public static final U16 OFFSET = STRUCT.u16("offset", 10);

    public static GnttabCopyPtr read(Bytes b, long at) {
      return new GnttabCopyPtr(GMFN.get(b, at), DOMID.get(b, at), OFFSET.get(b, at));
    }

    /** The union as a grant reference. */
    public long ref() {
      return gmfn & 0xffff_ffffL;
    }
  }

  /** {@code struct gnttab_copy}: copies within a frame at each end. OUT: {@link #STATUS}. */
  public record GnttabCopy(
      GnttabCopyPtr source, GnttabCopyPtr dest, int len, int flags, int status) {
    public static final Struct STRUCT = Struct.of("gnttab_copy", "grant_table.h", 40);
    public static final Part SOURCE = STRUCT.part("source", 0, GnttabCopyPtr.STRUCT);
    public static final Part DEST = STRUCT.part("dest", 16, GnttabCopyPtr.STRUCT);
    public static final U16 LEN = STRUCT.u16("len", 32);
    public static final U16 FLAGS = STRUCT.u16("flags", 34);
    public static final S16 STATUS = STRUCT.s16("status", 36);

    public static GnttabCopy read(Bytes b, long at) {
      return new GnttabCopy(
          GnttabCopyPtr.read(b, SOURCE.at(at)),
          GnttabCopyPtr.read(b, DEST.at(at)),
          LEN.get(b, at),
          FLAGS.get(b, at),
          STATUS.get(b, at));
    }
  }

  /** {@code struct gnttab_query_size}: asks for the table's size. OUT: all but dom. */
  public record GnttabQuerySize(int dom, long nrFrames, long maxNrFrames, int status) {
    public static final Struct STRUCT = Struct.of("gnttab_query_size", "grant_table.h", 16);
    public static final U16 DOM = STRUCT.u16("dom", 0);
    public static final U32 NR_FRAMES = STRUCT.u32("nr_frames", 4);
    public static final U32 MAX_NR_FRAMES = STRUCT.u32("max_nr_frames", 8);
    public static final S16 STATUS = STRUCT.s16("status", 12);

    public static GnttabQuerySize read(Bytes b, long at) {
      return new GnttabQuerySize(
          DOM.get(b, at), NR_FRAMES.get(b, at), MAX_NR_FRAMES.get(b, at), STATUS.get(b, at));
    }
  }

  /**
   * {@code struct gnttab_unmap_and_replace}: undoes a mapping and moves another into its place.
   * OUT: {@link #STATUS}.
   */
  public record GnttabUnmapAndReplace(long hostAddr, long newAddr, long handle, int status) {
    public static final Struct STRUCT = Struct.of("gnttab_unmap_and_replace", "grant_table.h", 24);
    public static final U64 HOST_ADDR = STRUCT.u64("host_addr", 0);
    public static final U64 NEW_ADDR = STRUCT.u64("new_addr", 8);
    public static final U32 HANDLE = STRUCT.u32("handle", 16);
    public static final S16 STATUS = STRUCT.s16("status", 20);

    public static GnttabUnmapAndReplace read(Bytes b, long at) {
      return new GnttabUnmapAndReplace(
          HOST_ADDR.get(b, at), NEW_ADDR.get(b, at), HANDLE.get(b, at), STATUS.get(b, at));
    }
  }

  /** {@code struct gnttab_set_version}: chooses the form of the entries. OUT: {@link #VERSION}. */
  public record GnttabSetVersion(long version) {
    public static final Struct STRUCT = Struct.of("gnttab_set_version", "grant_table.h", 4);
    public static final U32 VERSION = STRUCT.u32("version", 0);

    public static GnttabSetVersion read(Bytes b, long at) {
      return new GnttabSetVersion(VERSION.get(b, at));
    }
  }

  /**
   * {@code struct gnttab_get_status_frames}: where the version 2 status words are. OUT: {@link
   * #STATUS}, the list.
   */
  public record GnttabGetStatusFrames(long nrFrames, int dom, int status, long frameList) {
    public static final Struct STRUCT = Struct.of("gnttab_get_status_frames", "grant_table.h", 16);
    public static final U32 NR_FRAMES = STRUCT.u32("nr_frames", 0);
    public static final U16 DOM = STRUCT.u16("dom", 4);
    public static final S16 STATUS = STRUCT.s16("status", 6);
    public static final U64 FRAME_LIST = STRUCT.u64("frame_list", 8);

    public static GnttabGetStatusFrames read(Bytes b, long at) {
      return new GnttabGetStatusFrames(
          NR_FRAMES.get(b, at), DOM.get(b, at), STATUS.get(b, at), FRAME_LIST.get(b, at));
    }
  }

  /** {@code struct gnttab_get_version}: asks for the form of the entries. OUT: {@link #VERSION}. */
  public record GnttabGetVersion(int dom, long version) {
    public static final Struct STRUCT = Struct.of("gnttab_get_version", "grant_table.h", 8);
    public static final U16 DOM = STRUCT.u16("dom", 0);
    public static final U32 VERSION = STRUCT.u32("version", 4);

    public static GnttabGetVersion read(Bytes b, long at) {
      return new GnttabGetVersion(DOM.get(b, at), VERSION.get(b, at));
    }
  }

  /** {@code struct gnttab_swap_grant_ref}: exchanges two entries. OUT: {@link #STATUS}. */
  public record GnttabSwapGrantRef(long refA, long refB, int status) {
    public static final Struct STRUCT = Struct.of("gnttab_swap_grant_ref", "grant_table.h", 12);
    public static final U32 REF_A = STRUCT.u32("ref_a", 0);
    public static final U32 REF_B = STRUCT.u32("ref_b", 4);
    public static final S16 STATUS = STRUCT.s16("status", 8);

    public static GnttabSwapGrantRef read(Bytes b, long at) {
      return new GnttabSwapGrantRef(REF_A.get(b, at), REF_B.get(b, at), STATUS.get(b, at));
    }
  }

  /** {@code struct gnttab_cache_flush}: cleans or invalidates caches over part of a frame. */
  public record GnttabCacheFlush(long devBusAddr, int offset, int length, long op) {
    public static final Struct STRUCT = Struct.of("gnttab_cache_flush", "grant_table.h", 16);
    public static final U64 DEV_BUS_ADDR = STRUCT.u64("a.dev_bus_addr", 0);
    public static final U32 REF = STRUCT.u32("a.ref", 0);
    public static final U16 OFFSET = STRUCT.u16("offset", 8);
    public static final U16 LENGTH = STRUCT.u16("length", 10);
    public static final U32 OP = STRUCT.u32("op", 12);

    public static GnttabCacheFlush read(Bytes b, long at) {
      return new GnttabCacheFlush(
          DEV_BUS_ADDR.get(b, at), OFFSET.get(b, at), LENGTH.get(b, at), OP.get(b, at));
    }

    /** The union as a grant reference. */
    public long ref() {
      return devBusAddr & 0xffff_ffffL;
    }
  }
}
