package parhelion.testkit.oracle;

import static parhelion.cpu.memory.Host.U;

import org.jspecify.annotations.Nullable;
import parhelion.cpu.decode.Decoder;
import parhelion.cpu.decode.Feature;
import parhelion.cpu.decode.Insn;
import parhelion.cpu.decode.Mnemonic;
import parhelion.cpu.decode.Opcode;
import parhelion.cpu.decode.Operand;
import parhelion.testkit.InsnGenerator;

/**
 * One random encoding of a row, in any addressing form, and states for it in which its memory
 * operand lies in the data: the registers of the address are chosen for it.
 */
final class SingleCase {
  private static final int MAX_ATTEMPTS = 50;
  private static final ThreadLocal<Decoder> DECODER =
      ThreadLocal.withInitial(Decoder::ofEverything);
  private static final int[] NOTHING = {};
  private static final int RSP = 4;
  private static final int RBP = 5;
  private static final int RSI = 6;
  private static final int RDI = 7;

  final Insn insn = new Insn();
  final Program program;
  private final Mnemonic mnemonic;
  private final CaseInput input;
  private final Arena arena;
  private final byte[] code;
  private final boolean hasGsBase;

  /** Where an operand lies whose address has no register to choose. */
  private final long fixedTarget;

  /** Address of the memory operand of the last state. */
  private long target;

  /** The case of given code at {@code offset}. */
  SingleCase(byte[] code, int offset, CaseInput input) {
    this.input = input;
    arena = input.arena;
    this.code = code;
    hasGsBase = input.hasGsBase;
    program = new Program(arena, code, offset, false, 0, input.codeBits);
    DECODER.get().decode(code, 0, code.length, input.codeBits, insn);
    mnemonic = insn.mnemonic();
    fixedTarget = insn.disp + gsBase() + (insn.ripRelative ? program.exitVa() : 0);
  }

  /** A random encoding of {@code row}; null if none that can be run was found. */
  static @Nullable SingleCase random(Opcode row, CaseInput input, FastRandom r) {
    for (int i = 0; i < MAX_ATTEMPTS; i++) {
      byte[] code = InsnGenerator.random(row, input.codeBits, r);
      if (code == null) {
        return null;
      }
      replaceSegments(code, input);
      int offset =
          r.oneIn(4)
              ? Arena.PAGE * r.between(1, Arena.CODE_PAGES) - r.between(0, code.length + 3)
              : r.nextInt(Arena.CODE_BYTES - 64);
      new SingleCase(code, offset, input).adapt(r);
      SingleCase c = new SingleCase(code, offset, input);
      if (c.insn.opcode == row && c.insn.length == code.length && c.isUsable()) {
        return c;
      }
    }
    return null;
  }

  /**
   * FS is the host's thread pointer, and GS ours to set in 64-bit code. 32-bit code has neither,
   * and cannot write to CS.
   */
  private static void replaceSegments(byte[] code, CaseInput input) {
    boolean gs = input.hasGsBase && input.codeBits == 64;
    for (int i = 0; i < code.length && isPrefix(code[i] & 0xff); i++) {
      if (code[i] == 0x64 || code[i] == 0x65) {
        code[i] = (byte) (gs ? 0x65 : 0x3e);
      } else if (code[i] == 0x2e && input.codeBits == 32) {
        code[i] = 0x36;
      }
    }
  }

  private static boolean isPrefix(int b) {
    return switch (b) {
      case 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3 -> true;
      default -> false;
    };
  }

  /** Linear address of the memory operand in the last state, if there is one. */
  long target() {
    return target;
  }

  /** BT and its kin with a register as the offset into memory. */
  boolean isBitOffset() {
    return insn.isMemory()
        && insn.opcode.operands().length == 2
        && insn.opcode.operands()[1] == Operand.Gv
        && switch (mnemonic) {
          case BT, BTS, BTR, BTC -> true;
          default -> false;
        };
  }

  /** Bytes to DS:rDI by a mask, which some processors look up even for an empty mask. */
  private boolean isMaskedMove() {
    return switch (mnemonic) {
      case MASKMOVQ, MASKMOVDQU, VMASKMOVDQU -> true;
      default -> false;
    };
  }

  /** The index is a vector. */
  private boolean isGather() {
    return insn.opcode.has(Opcode.VSIB);
  }

  private boolean isUsable() {
    if (insn.addressSize == 2
        && (insn.isMemory() && mnemonic != Mnemonic.LEA
            || isMoffs()
            || isMaskedMove()
            || insn.opcode.has(Opcode.STRING))) {
      return false; // the arena is not there
    }
    if (isBitOffset() && (insn.reg == insn.base || insn.reg == insn.index)) {
      return false;
    }
    if (insn.opcode.has(Opcode.D64) && insn.isMemory() && insn.base == RSP && insn.index >= 0) {
      return false; // the stack would be anywhere
    }
    if (insn.segmentOverride == 4) {
      return false;
    }
    if (isGather()) {
      return true;
    }
    if (insn.isMemory() && insn.base == insn.index && insn.base != Insn.NONE) {
      return alignment() == 1;
    }
    return !insn.isMemory()
        || insn.base != Insn.NONE
        || insn.index == Insn.NONE
        || insn.scale == 0
        || alignment() == 1;
  }

  /** Changes bytes so that addresses without registers, and frames of ENTER, fit the arena. */
  private void adapt(FastRandom r) {
    if (insn.opcode == Opcode.INVALID) {
      return;
    }
    if (mnemonic == Mnemonic.ENTER) {
      code[code.length - 2] = 0; // at most 255 bytes
      return;
    }
    long to = chooseTarget(r);
    if (insn.isMemory()
        && insn.addressSize >= 4
        && insn.base == Insn.NONE
        && insn.index == Insn.NONE) {
      long value = to - gsBase();
      if (insn.ripRelative) {
        value -= program.exitVa();
      }
      put32(code.length - immediateBytes(insn) - 4, value);
    }
    for (Operand operand : insn.opcode.operands()) {
      if (operand.kind() == Operand.Kind.O && insn.addressSize >= 4) {
        int at = code.length - insn.addressSize;
        put32(at, to - gsBase());
        for (int i = 4; i < insn.addressSize; i++) {
          code[at + i] = (byte) (to - gsBase() >> 63);
        }
      }
    }
  }

  private void put32(int at, long value) {
    for (int i = 0; i < 4; i++) {
      code[at + i] = (byte) (value >> 8 * i);
    }
  }

  static int immediateBytes(Insn insn) {
    int n = 0;
    for (Operand operand : insn.opcode.operands()) {
      n +=
          switch (operand) {
            case Ib, Ibs, Jb, Lx -> 1;
            case Iw -> 2;
            case Iz -> Math.min(4, insn.operandSize);
            case Iv -> insn.operandSize;
            default -> 0;
          };
    }
    return n;
  }

  private boolean usesGs() {
    return insn.segmentOverride == 5;
  }

  /** The base of GS in every state, which absolute addresses count on. */
  private long gsBase() {
    return usesGs() ? arena.dataVa() - 0x123450 : 0;
  }

  private int alignment() {
    if (insn.opcode.has(Opcode.ALIGNED)) {
      return insn.vectorLength;
    }
    // Locked operands do not cross a cache line, as hosts punish that.
    return insn.lock || mnemonic == Mnemonic.XCHG ? 8 : 1;
  }

  private long chooseTarget(FastRandom r) {
    if (input.operandsTo > input.operandsFrom) {
      int at = r.between(input.operandsFrom, input.operandsTo);
      return arena.dataVa() + (at & -alignment());
    }
    int at =
        r.oneIn(4)
            ? Arena.PAGE * r.between(1, Arena.DATA_PAGES) - r.between(0, 20)
            : r.between(Arena.OPERANDS_FROM, Arena.OPERANDS_TO);
    return arena.dataVa() + (at & -alignment());
  }

  private boolean isFloat() {
    return insn.opcode.has(Opcode.X87 | Opcode.SSE);
  }

  /** Fills the next state and data. {@code first}: all of it, else only a part. */
  void fill(FastRandom r, boolean first) {
    MachineState s = input.state;
    for (int i = 0; i < 16; i++) {
      s.gprs[i] = RandomValues.integer(r);
    }
    s.flags = RandomValues.flags(r, insn.opcode.has(Opcode.STRING) ? 2 : 16);
    s.gsBase = gsBase();
    if (hasGsBase && insn.opcode.feature() == Feature.FSGSBASE) {
      s.gsBase = r.nextLong() >> 17;
    }
    if (first || isFloat()) {
      RandomValues.floats(s, r);
    }
    if (first) {
      RandomValues.fill(input.data, Arena.DATA_BYTES, r, r.oneIn(2));
    }
    s.gprs[RSP] = arena.dataVa() + r.between(Arena.OPERANDS_FROM, Arena.OPERANDS_TO);
    if (hasGsBase && mnemonic == Mnemonic.WRGSBASE) {
      s.gprs[insn.rm] = s.gprs[insn.rm] << 17 >> 17;
    }
    target = chooseTarget(r);
    implicitPointers(s, r);
    if (insn.isMemory()) {
      address(s);
    } else if (isMoffs()) {
      target = fixedTarget;
    }
    long at = input.data + (target - arena.dataVa());
    if (target >= arena.dataVa() && target < arena.dataVa() + Arena.DATA_BYTES - 512) {
      RandomValues.fill(at, 32, r, r.oneIn(2));
      prepareData(s, at, r);
      if (insn.opcode.feature() == Feature.FMA && !r.oneIn(3)) {
        ProductSums.cancel(insn, s, at, r);
      }
    }
    if (mnemonic == Mnemonic.VCVTPS2PH) {
      ProductSums.shorten(insn, s, r);
    }
    operands(s, at, r);
    if (input.codeBits == 32) {
      for (int i = 0; i < 16; i++) {
        s.gprs[i] &= 0xffffffffL;
      }
    }
    input.undefinedFlags = FlagMasks.undefined(insn, s.gprs[1]);
    ignore();
  }

  /** Whether the last state has a defined result. */
  boolean isDefined(MachineState s) {
    return !FlagMasks.isResultUndefined(insn, s.gprs[1]);
  }

  private boolean isMoffs() {
    for (Operand operand : insn.opcode.operands()) {
      if (operand.kind() == Operand.Kind.O) {
        return true;
      }
    }
    return false;
  }

  private long asPointer(long va, FastRandom r) {
    return insn.addressSize == 4 ? va & 0xffffffffL | r.nextLong() << 32 : va;
  }

  private void implicitPointers(MachineState s, FastRandom r) {
    if (insn.opcode.has(Opcode.STRING)) {
      long other = r.oneIn(2) ? target + r.nextInt(64) - 32 : chooseTarget(r);
      s.gprs[RDI] = asPointer(target, r);
      s.gprs[RSI] = asPointer(other - gsBase(), r);
      if (insn.rep || insn.repne) {
        s.gprs[1] = asPointer(r.nextInt(48), r);
      }
      return;
    }
    switch (mnemonic) {
      case XLAT -> s.gprs[3] = asPointer(target - gsBase(), r);
      case MASKMOVQ, MASKMOVDQU, VMASKMOVDQU -> s.gprs[RDI] = asPointer(target - gsBase(), r);
      case ENTER, LEAVE -> s.gprs[RBP] = target;
      default -> {}
    }
  }

  /** Chooses the registers of the address. */
  private void address(MachineState s) {
    if (isBitOffset()) {
      int bits = insn.size(0) * 8;
      long low = (s.gprs[insn.reg] & 0x1fff) - 0x1000;
      s.gprs[insn.reg] = bits == 64 ? low : s.gprs[insn.reg] & -1L << bits | low & (1L << bits) - 1;
    }
    if (insn.base == Insn.NONE && insn.index == Insn.NONE) {
      target = fixedTarget;
      return;
    }
    long rest = target - insn.disp - gsBase();
    if (isGather()) {
      indexes(s, rest);
      return;
    }
    long high = insn.addressSize == 4 ? s.gprs[RBP ^ 8] & 0xffffffff00000000L : 0;
    int register;
    long value;
    if (insn.base == Insn.NONE) {
      register = insn.index;
      value = rest >> insn.scale;
      target = (value << insn.scale) + insn.disp + gsBase();
    } else if (insn.base == insn.index) {
      register = insn.base;
      long factor = 1 + (1L << insn.scale);
      value = rest / factor;
      target = value * factor + insn.disp + gsBase();
    } else {
      register = insn.base;
      value = rest - (insn.index == Insn.NONE ? 0 : s.gprs[insn.index] << insn.scale);
    }
    s.gprs[register] = insn.addressSize == 4 ? value & 0xffffffffL | high : value;
  }

  /** Elements of a gather lie around the target; without a base the indexes lead there. */
  private void indexes(MachineState s, long rest) {
    long start = 0;
    if (insn.base == Insn.NONE) {
      start = rest >> insn.scale;
    } else {
      s.gprs[insn.base] = rest;
    }
    boolean quadwords =
        switch (mnemonic) {
          case VPGATHERQD, VPGATHERQQ, VGATHERQPS, VGATHERQPD -> true;
          default -> false;
        };
    for (int i = 0; i < 4; i++) {
      int at = MachineState.vector((i >> 1) * 32 + insn.index * 2 + (i & 1));
      long near = s.get64(at);
      long low = start + (byte) near;
      s.put64(at, quadwords ? low : low & 0xffffffffL | start + (byte) (near >> 32) << 32);
    }
  }

  /** Loads of control words: what they load masks every exception. */
  private void prepareData(MachineState s, long at, FastRandom r) {
    switch (mnemonic) {
      case FLDCW -> controlWord(at);
      case FLDENV, FRSTOR -> {
        controlWord(at);
        long status = at + (insn.operandSize == 2 ? 2 : 4);
        U.putShortUnaligned(null, status, (short) (r.nextInt() & 0x7f7f));
      }
      case LDMXCSR, VLDMXCSR -> U.putIntUnaligned(null, at, 0x1f80 | r.nextInt() & 0xffff);
      case FXRSTOR -> {
        controlWord(at);
        U.putShortUnaligned(null, at + 2, (short) (r.nextInt() & 0x7f7f));
        U.putIntUnaligned(null, at + 24, 0x1f80 | r.nextInt() & 0xffff);
      }
      default -> {}
    }
    if (mnemonic == Mnemonic.POPF) {
      popFlags(s, at, r);
    }
  }

  private static void controlWord(long at) {
    int word = U.getShortUnaligned(null, at) | 0x7f;
    U.putShortUnaligned(null, at, (short) ((word & 0x300) == 0x100 ? word | 0x200 : word));
  }

  /** Without TF, NT and AC, which would be noticed. */
  private void popFlags(MachineState s, long at, FastRandom r) {
    s.gprs[RSP] = target;
    U.putLongUnaligned(null, at, r.nextLong() & ~0x44100L);
  }

  /** Operand values that make the interesting things happen. */
  private void operands(MachineState s, long at, FastRandom r) {
    boolean rdxAndRaxFree = !usesInAddress(0) && !usesInAddress(2);
    switch (mnemonic) {
      case CMPXCHG -> {
        if (r.oneIn(2) && rdxAndRaxFree) {
          s.gprs[0] = insn.isMemory() ? U.getLongUnaligned(null, at) : s.gprs[insn.rm];
        }
      }
      case CMPXCHG8B -> {
        if (r.oneIn(2) && rdxAndRaxFree) {
          s.gprs[0] = U.getIntUnaligned(null, at) & 0xffffffffL | s.gprs[0] & 0xffffffff00000000L;
          s.gprs[2] =
              U.getIntUnaligned(null, at + 4) & 0xffffffffL | s.gprs[2] & 0xffffffff00000000L;
        }
      }
      case CMPXCHG16B -> {
        if (r.oneIn(2) && rdxAndRaxFree) {
          s.gprs[0] = U.getLongUnaligned(null, at);
          s.gprs[2] = U.getLongUnaligned(null, at + 8);
        }
      }
      case DIV, IDIV -> {
        if (!r.oneIn(4) && rdxAndRaxFree) {
          smallDividend(s);
        }
      }
      case BOUND -> {
        if (!r.oneIn(4)) {
          boolean word = insn.operandSize == 2;
          U.putIntUnaligned(null, at, word ? 0x7fff8000 : Integer.MIN_VALUE);
          if (!word) {
            U.putIntUnaligned(null, at + 4, Integer.MAX_VALUE);
          }
        }
      }
      case PCMPESTRI, PCMPESTRM, VPCMPESTRI, VPCMPESTRM -> {
        if (!r.oneIn(4) && rdxAndRaxFree) {
          s.gprs[0] = r.between(-20, 20);
          s.gprs[2] = r.between(-20, 20);
        }
      }
      default -> {}
    }
  }

  private void smallDividend(MachineState s) {
    boolean signed = mnemonic == Mnemonic.IDIV;
    switch (insn.size(0)) {
      case 1 -> {
        long al = signed ? (byte) s.gprs[0] : s.gprs[0] & 0xff;
        s.gprs[0] = s.gprs[0] & ~0xffffL | al & 0xffff;
      }
      case 2 -> s.gprs[2] = s.gprs[2] & ~0xffffL | (signed ? (short) s.gprs[0] >> 15 & 0xffff : 0);
      case 4 -> s.gprs[2] = signed ? (int) s.gprs[0] >> 31 : 0;
      default -> s.gprs[2] = signed ? s.gprs[0] >> 63 : 0;
    }
  }

  private boolean usesInAddress(int register) {
    return insn.isMemory() && (insn.base == register || insn.index == register);
  }

  /**
   * Instruction and data pointers of the x87 are the processor's own business, and so is the mask
   * of MXCSR.
   */
  private void ignore() {
    int at = (int) (target - arena.dataVa());
    int[] ranges =
        switch (mnemonic) {
          case FNSTENV, FNSAVE ->
              insn.operandSize == 2 ? new int[] {at + 6, at + 14} : new int[] {at + 12, at + 28};
          case FXSAVE -> new int[] {at + 6, at + 24, at + 28, at + 32};
          default -> NOTHING;
        };
    input.ignoredData = ranges;
    input.ignoredFsw =
        switch (mnemonic) {
          // They clear C1, says the SDM; AMD's processors leave it.
          case FCOMI, FCOMIP, FUCOMI, FUCOMIP -> 0x200;
          default -> 0;
        };
  }

  /** Identifies the encoding: what of operand size, prefixes and form makes it another one. */
  static long encoding(Insn insn, int rowIndex) {
    long key = rowIndex;
    key = key * 16 + insn.operandSize;
    key = key * 16 + insn.addressSize;
    key = key * 4 + (insn.lock ? 1 : insn.rep ? 2 : insn.repne ? 3 : 0);
    key = key * 8 + insn.segmentOverride + 1;
    boolean highByte = insn.rex == 0;
    key = key * 2 + (highByte ? 1 : 0);
    int form = 0;
    if (insn.isMemory()) {
      form =
          insn.ripRelative
              ? 1
              : insn.base == Insn.NONE
                  ? insn.index == Insn.NONE ? 2 : 3
                  : insn.index == Insn.NONE ? 4 : 5;
    }
    return key * 8 + form;
  }
}
