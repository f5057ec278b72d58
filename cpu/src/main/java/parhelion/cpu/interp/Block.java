package parhelion.cpu.interp;

import org.jspecify.annotations.Nullable;
import parhelion.cpu.decode.Mnemonic;

/**
 * A run of decoded instructions within one page (or one instruction that crosses into a second),
 * entered only at its start.
 */
public final class Block {
  final long pa;
  final int mode;
  final Op[] ops;

  /** Byte offset of each op's first instruction from the block's start. */
  final short[] offsets;

  /** Number of instructions before each op. */
  final short[] before;

  final int instructions;
  final int lengthBytes;

  /** Machine address of the second page's part, or -1. */
  final long secondPa;

  /** The last instruction may change the CPU's mode: successors are looked up afresh. */
  final boolean changesMode;

  boolean valid = true;

  @Nullable Block hashNext;
  @Nullable Block pageNext;

  /**
   * Two remembered successors. For one in the same page the key is its distance from this block's
   * start and the epoch 0; for others the key is its RIP, and the TLB epoch in which it was found.
   */
  @Nullable Block link0;

  long key0;
  long epoch0;
  @Nullable Block link1;
  long key1;
  long epoch1;

  /** Of its last instruction. */
  final Mnemonic last;

  /** What its last instruction is; INVALID for bytes that are none. */
  public Mnemonic last() {
    return last;
  }

  /** Bytes of guest code. */
  public int lengthBytes() {
    return lengthBytes;
  }

  Block(
      long pa,
      int mode,
      Op[] ops,
      short[] offsets,
      short[] before,
      int instructions,
      int lengthBytes,
      long secondPa,
      boolean changesMode,
      Mnemonic last) {
    this.pa = pa;
    this.mode = mode;
    this.ops = ops;
    this.offsets = offsets;
    this.before = before;
    this.instructions = instructions;
    this.lengthBytes = lengthBytes;
    this.secondPa = secondPa;
    this.changesMode = changesMode;
    this.last = last;
  }
}
