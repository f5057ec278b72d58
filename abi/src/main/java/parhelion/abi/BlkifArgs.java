package parhelion.abi;

import parhelion.abi.Field.Part;
import parhelion.abi.Field.S16;
import parhelion.abi.Field.U16;
import parhelion.abi.Field.U32;
import parhelion.abi.Field.U64;
import parhelion.abi.Field.U8;

/**
 * The structures of a block device's ring ({@code io/blkif.h}), as x86-64 lays them out. 32-bit
 * guests have all that follows the padding before {@code id} 4 bytes lower.
 */
public final class BlkifArgs {
  private BlkifArgs() {}

  /** The ring's head, shared; the slots follow. */
  public static final class BlkifSring {
    private BlkifSring() {}

    public static final Struct STRUCT = Struct.of("blkif_sring", "io/blkif.h", 64);
    public static final U32 REQ_PROD = STRUCT.u32("req_prod", 0);
    public static final U32 REQ_EVENT = STRUCT.u32("req_event", 4);
    public static final U32 RSP_PROD = STRUCT.u32("rsp_prod", 8);
    public static final U32 RSP_EVENT = STRUCT.u32("rsp_event", 12);

    /** Used by no frontend or backend of today. */
    public static final Part PVT_PAD = STRUCT.array("pvt.pvt_pad", 16, 4, 1);

    public static final Part RING = STRUCT.array("ring", 64, 0, 112);
  }

  /** A request to read, write or flush. */
  public static final class BlkifRequest {
    private BlkifRequest() {}

    public static final Struct STRUCT = Struct.of("blkif_request", "io/blkif.h", 112);

    /** {@link BlkifOp}. */
    public static final U8 OPERATION = STRUCT.u8("operation", 0);

    public static final U8 NR_SEGMENTS = STRUCT.u8("nr_segments", 1);
    public static final U16 HANDLE = STRUCT.u16("handle", 2);
    public static final U64 ID = STRUCT.u64("id", 8);
    public static final U64 SECTOR_NUMBER = STRUCT.u64("sector_number", 16);
    public static final Part SEG = STRUCT.array("seg", 24, 11, 8);
  }

  /** A part of one granted frame. */
  public static final class BlkifRequestSegment {
    private BlkifRequestSegment() {}

    public static final Struct STRUCT = Struct.of("blkif_request_segment", "io/blkif.h", 8);
    public static final U32 GREF = STRUCT.u32("gref", 0);
    public static final U8 FIRST_SECT = STRUCT.u8("first_sect", 4);
    public static final U8 LAST_SECT = STRUCT.u8("last_sect", 5);
  }

  /** A request whose segments are in granted frames of their own. */
  public static final class BlkifRequestIndirect {
    private BlkifRequestIndirect() {}

    public static final Struct STRUCT = Struct.of("blkif_request_indirect", "io/blkif.h", 64);
    public static final U8 OPERATION = STRUCT.u8("operation", 0);
    public static final U8 INDIRECT_OP = STRUCT.u8("indirect_op", 1);
    public static final U16 NR_SEGMENTS = STRUCT.u16("nr_segments", 2);
    public static final U64 ID = STRUCT.u64("id", 8);
    public static final U64 SECTOR_NUMBER = STRUCT.u64("sector_number", 16);
    public static final U16 HANDLE = STRUCT.u16("handle", 24);
    public static final Part INDIRECT_GREFS = STRUCT.array("indirect_grefs", 28, 8, 4);
  }

  /** A request to discard sectors. */
  public static final class BlkifRequestDiscard {
    private BlkifRequestDiscard() {}

    public static final Struct STRUCT = Struct.of("blkif_request_discard", "io/blkif.h", 32);
    public static final U8 OPERATION = STRUCT.u8("operation", 0);
    public static final U8 FLAG = STRUCT.u8("flag", 1);
    public static final U16 HANDLE = STRUCT.u16("handle", 2);
    public static final U64 ID = STRUCT.u64("id", 8);
    public static final U64 SECTOR_NUMBER = STRUCT.u64("sector_number", 16);
    public static final U64 NR_SECTORS = STRUCT.u64("nr_sectors", 24);
  }

  /** The answer to a request, in the slot of one that was taken. */
  public static final class BlkifResponse {
    private BlkifResponse() {}

    public static final Struct STRUCT = Struct.of("blkif_response", "io/blkif.h", 16);
    public static final U64 ID = STRUCT.u64("id", 0);
    public static final U8 OPERATION = STRUCT.u8("operation", 8);

    /** {@link BlkifRsp}. */
    public static final S16 STATUS = STRUCT.s16("status", 10);
  }
}
