package parhelion.testkit.oracle;

import static parhelion.cpu.memory.Host.U;

import java.lang.foreign.MemorySegment;

/** What a case begins with, and what of its results says nothing. */
final class CaseInput implements AutoCloseable {
  final Arena arena;

  /** Whether programs may use the base of GS. */
  final boolean hasGsBase;

  /** 32 or 64. */
  final int codeBits;

  final MachineState state = new MachineState();

  /** Host address of the data: {@link Arena#DATA_BYTES}. */
  final long data = U.allocateMemory(Arena.DATA_BYTES);

  /** Where operands of single instructions are to begin, if not anywhere: from, and up to. */
  int operandsFrom;

  int operandsTo;

  /** RFLAGS bits that are not compared. */
  int undefinedFlags;

  /** Bits of the x87 status word that are not compared. */
  int ignoredFsw;

  /** Ranges of the data that are not compared: from, to, from, to... */
  int[] ignoredData = {};

  /** A case for 64-bit code. */
  CaseInput(Arena arena, boolean hasGsBase) {
    this(arena, hasGsBase, 64);
  }

  CaseInput(Arena arena, boolean hasGsBase, int codeBits) {
    this.codeBits = codeBits;
    this.arena = arena;
    this.hasGsBase = hasGsBase;
    segment().fill((byte) 0);
  }

  MemorySegment segment() {
    return MemorySegment.ofAddress(data).reinterpret(Arena.DATA_BYTES);
  }

  /** Everything is compared again. */
  void compareAll() {
    undefinedFlags = 0;
    ignoredFsw = 0;
    ignoredData = new int[0];
  }

  @Override
  public void close() {
    U.freeMemory(data);
  }
}
