package parhelion.backends.block;

import org.jspecify.annotations.Nullable;
import parhelion.abi.BlkifArgs.BlkifRequest;
import parhelion.abi.BlkifArgs.BlkifRequestDiscard;
import parhelion.abi.BlkifArgs.BlkifRequestIndirect;
import parhelion.abi.BlkifArgs.BlkifRequestSegment;
import parhelion.abi.BlkifLimits;
import parhelion.abi.BlkifOp;
import parhelion.abi.BlkifRsp;
import parhelion.abi.Bytes;
import parhelion.backends.Frontend;

/**
 * A request as it was read, once, out of the ring, and what is wrong with it. Nothing here is
 * looked up in guest memory again.
 *
 * @param operation as the guest gave it: what its answer says
 * @param op what to do; null for what there is not
 * @param sector where on the disk, in units of 512 bytes
 * @param sectors how many, in units of 512 bytes
 * @param segments the parts of granted frames, in order
 * @param status OKAY, or why it is not done
 */
record BlockRequest(
    long id,
    int operation,
    @Nullable BlkifOp op,
    long sector,
    long sectors,
    Segment[] segments,
    int status) {
  /** The most segments that an indirect request may have. */
  static final int MAX_INDIRECT_SEGMENTS = 256;

  static final int SECTOR_BYTES = 512;
  private static final int SECTORS_PER_PAGE = 8;
  private static final int SEGMENT_BYTES = BlkifRequestSegment.STRUCT.size();
  private static final Segment[] NONE = {};

  /** Sectors {@code first} to {@code last} of a frame. */
  record Segment(long ref, int first, int last) {
    int offset() {
      return first * SECTOR_BYTES;
    }

    int lengthBytes() {
      return (last - first + 1) * SECTOR_BYTES;
    }
  }

  /** What a request may be, by the disk that it is for. */
  record Rules(long diskSectors, int sectorBytes, boolean readOnly) {}

  /**
   * Takes a request apart.
   *
   * @param slot its bytes
   * @param shift of the fields, as {@link BlockRing#shift}
   * @param guest whose granted frames an indirect request's segments are copied from
   */
  static BlockRequest parse(byte[] slot, int shift, Frontend guest, Rules rules) {
    Bytes bytes = Bytes.of(slot);
    // From the id on, all fields are lower by the same.
    long id = BlkifRequest.ID.get(bytes, -shift);
    long sector = BlkifRequest.SECTOR_NUMBER.get(bytes, -shift);
    int operation = BlkifRequest.OPERATION.get(bytes, 0);
    BlkifOp op = BlkifOp.of(operation);
    if (op == null || op == BlkifOp.RESERVED_1) {
      return new BlockRequest(id, operation, null, 0, 0, NONE, BlkifRsp.EOPNOTSUPP);
    }
    return switch (op) {
      case DISCARD -> {
        long sectors = BlkifRequestDiscard.NR_SECTORS.get(bytes, -shift);
        int flags = BlkifRequestDiscard.FLAG.get(bytes, 0);
        boolean secure = (flags & BlkifLimits.BLKIF_DISCARD_SECURE) != 0;
        int status = secure ? BlkifRsp.EOPNOTSUPP : range(sector, sectors, true, rules);
        yield new BlockRequest(id, operation, op, sector, sectors, NONE, status);
      }
      case INDIRECT -> indirect(bytes, shift, id, sector, guest, rules);
      default -> {
        int count = BlkifRequest.NR_SEGMENTS.get(bytes, 0);
        if (count > BlkifLimits.BLKIF_MAX_SEGMENTS_PER_REQUEST) {
          yield refused(id, operation);
        }
        yield of(id, op, sector, slot, BlkifRequest.SEG.offset() - shift, count, rules);
      }
    };
  }

  private static BlockRequest refused(long id, int operation) {
    return new BlockRequest(id, operation, null, 0, 0, NONE, BlkifRsp.ERROR);
  }

  private static BlockRequest indirect(
      Bytes bytes, int shift, long id, long sector, Frontend guest, Rules rules) {
    int operation = BlkifRequestIndirect.INDIRECT_OP.get(bytes, 0);
    int count = BlkifRequestIndirect.NR_SEGMENTS.get(bytes, 0);
    BlkifOp op = BlkifOp.of(operation);
    if (count == 0
        || count > MAX_INDIRECT_SEGMENTS
        || (op != BlkifOp.READ && op != BlkifOp.WRITE && op != BlkifOp.WRITE_BARRIER)) {
      return refused(id, operation);
    }
    // All of them are in the first of the pages: 512 would fit.
    long ref = BlkifRequestIndirect.INDIRECT_GREFS.at(-shift, 0);
    byte[] segments = new byte[count * SEGMENT_BYTES];
    if (!guest.copyFrom(bytes.getInt(ref) & 0xffff_ffffL, 0, segments, 0, segments.length)) {
      return refused(id, operation);
    }
    return of(id, op, sector, segments, 0, count, rules);
  }

  private static BlockRequest of(
      long id, BlkifOp op, long sector, byte[] from, int offset, int count, Rules rules) {
    Bytes bytes = Bytes.of(from);
    Segment[] segments = new Segment[count];
    long sectors = 0;
    boolean good = true;
    for (int i = 0; i < count; i++) {
      int at = offset + i * SEGMENT_BYTES;
      Segment segment =
          new Segment(
              BlkifRequestSegment.GREF.get(bytes, at),
              BlkifRequestSegment.FIRST_SECT.get(bytes, at),
              BlkifRequestSegment.LAST_SECT.get(bytes, at));
      segments[i] = segment;
      good &= segment.first <= segment.last && segment.last < SECTORS_PER_PAGE;
      good &= segment.lengthBytes() % rules.sectorBytes == 0;
      sectors += segment.last - segment.first + 1;
    }
    if (op == BlkifOp.FLUSH_DISKCACHE || (op == BlkifOp.WRITE_BARRIER && count == 0)) {
      // An empty barrier is a flush; what a flush might carry is written first.
      sector = count == 0 ? 0 : sector;
    } else {
      good &= count > 0;
    }
    int status = good ? range(sector, sectors, op != BlkifOp.READ, rules) : BlkifRsp.ERROR;
    return new BlockRequest(id, op.nr(), op, sector, sectors, segments, status);
  }

  private static int range(long sector, long sectors, boolean writes, Rules rules) {
    long disk = rules.diskSectors;
    boolean inside = sector >= 0 && sector <= disk && sectors >= 0 && sectors <= disk - sector;
    int perSector = rules.sectorBytes / SECTOR_BYTES;
    boolean aligned = sector % perSector == 0 && sectors % perSector == 0;
    boolean refused = writes && sectors > 0 && rules.readOnly;
    return inside && aligned && !refused ? BlkifRsp.OKAY : BlkifRsp.ERROR;
  }

  long offsetBytes() {
    return sector * SECTOR_BYTES;
  }

  long lengthBytes() {
    return sectors * SECTOR_BYTES;
  }
}
