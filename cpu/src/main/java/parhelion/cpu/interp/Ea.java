package parhelion.cpu.interp;

import parhelion.cpu.Cpu;
import parhelion.cpu.CpuState;
import parhelion.cpu.Segments;
import parhelion.cpu.decode.Insn;

/**
 * A memory operand: computes its linear address. In 64-bit mode with 64-bit addresses that is four
 * loads and three additions without a branch, as an absent base, index or segment base reads the
 * state's ZERO slot; other modes wrap and check segment limits.
 */
public final class Ea {
  private final int base;
  private final int index;
  private final int scale;
  private final int segBase;
  private final long disp;
  private final boolean simple;
  private final int segment;
  private final long offsetMask;
  private final boolean limits;
  private final int size;
  private final boolean write;

  private Ea(Insn insn, long disp, int size, boolean write, boolean offsetOnly) {
    base =
        insn.ripRelative
            ? CpuState.RIP_BASE
            : insn.base == Insn.NONE ? CpuState.ZERO : CpuState.GPR + insn.base * 8;
    index = insn.index == Insn.NONE ? CpuState.ZERO : CpuState.GPR + insn.index * 8;
    scale = insn.scale;
    this.disp = disp;
    segment = insn.segment();
    boolean flat =
        offsetOnly || (insn.codeBits == 64 && segment != CpuState.FS && segment != CpuState.GS);
    segBase = flat ? CpuState.ZERO : CpuState.SEG_BASE + segment * 8;
    offsetMask = insn.addressSize == 8 ? -1L : insn.addressSize == 4 ? 0xffffffffL : 0xffffL;
    limits = insn.codeBits != 64 && !offsetOnly;
    simple = offsetMask == -1L && !limits;
    this.size = size;
    this.write = write;
  }

  private static long displacement(Insn insn, int insnOffset) {
    return insn.ripRelative ? insn.disp + insnOffset + insn.length : insn.disp;
  }

  /**
   * The memory operand of {@code insn}, which lies {@code insnOffset} bytes after the start of its
   * block.
   */
  public static Ea of(Insn insn, int insnOffset, int size, boolean write) {
    return new Ea(insn, displacement(insn, insnOffset), size, write, false);
  }

  /** Only the offset within the segment (LEA). */
  public static Ea offsetOnly(Insn insn, int insnOffset) {
    return new Ea(insn, displacement(insn, insnOffset), 0, false, true);
  }

  public long at(Cpu c) {
    if (simple) {
      return c.get64(base) + (c.get64(index) << scale) + disp + c.get64(segBase);
    }
    return general(c, 0);
  }

  /** The address displaced by {@code extra} bytes (bit-string instructions). */
  public long at(Cpu c, long extra) {
    return simple ? at(c) + extra : general(c, extra);
  }

  private long general(Cpu c, long extra) {
    long offset = (c.get64(base) + (c.get64(index) << scale) + disp + extra) & offsetMask;
    if (!limits) {
      return offset + c.get64(segBase);
    }
    return Segments.linear(c, segment, offset, size, write);
  }
}
