package parhelion.abi;

import parhelion.abi.Field.U32;
import parhelion.abi.Field.U64;

/**
 * What {@code mmu_update}, {@code mmuext_op} and {@code multicall} take arrays of ({@code xen.h}),
 * copied in by value.
 */
public final class MmuArgs {
  private MmuArgs() {}

  /**
   * {@code struct mmu_update}: the low two bits of {@code ptr} are a {@link MmuUpdateType}, the
   * rest a machine address.
   */
  public record MmuUpdate(long ptr, long val) {
    public static final Struct STRUCT = Struct.of("mmu_update", "xen.h", 16);
    public static final U64 PTR = STRUCT.u64("ptr", 0);
    public static final U64 VAL = STRUCT.u64("val", 8);

    public static MmuUpdate read(Bytes b, long at) {
      return new MmuUpdate(PTR.get(b, at), VAL.get(b, at));
    }

    /** What to do: a {@link MmuUpdateType}'s number. */
    public int type() {
      return (int) ptr & 3;
    }

    /** The machine address in {@code ptr}: of a page-table entry, or of a frame. */
    public long pa() {
      return ptr & ~3L;
    }
  }

  /**
   * {@code struct mmuext_op}: {@code cmd} is a {@link MmuExtCmd}, which decides what the two unions
   * hold; each is read once, whole.
   */
  public record MmuextOp(long cmd, long mfn, long vcpumask) {
    public static final Struct STRUCT = Struct.of("mmuext_op", "xen.h", 24);
    public static final U32 CMD = STRUCT.u32("cmd", 0);
    public static final U64 MFN = STRUCT.u64("arg1.mfn", 8);
    public static final U64 LINEAR_ADDR = STRUCT.u64("arg1.linear_addr", 8);
    public static final U32 NR_ENTS = STRUCT.u32("arg2.nr_ents", 16);
    public static final U64 VCPUMASK = STRUCT.u64("arg2.vcpumask", 16);
    public static final U64 SRC_MFN = STRUCT.u64("arg2.src_mfn", 16);

    public static MmuextOp read(Bytes b, long at) {
      return new MmuextOp(CMD.get(b, at), MFN.get(b, at), VCPUMASK.get(b, at));
    }

    /** {@code arg1} as a virtual address. */
    public long linearAddr() {
      return mfn;
    }

    /** {@code arg2} as a number of LDT entries. */
    public long nrEnts() {
      return vcpumask & 0xffff_ffffL;
    }

    /** {@code arg2} as a frame number. */
    public long srcMfn() {
      return vcpumask;
    }
  }
}
