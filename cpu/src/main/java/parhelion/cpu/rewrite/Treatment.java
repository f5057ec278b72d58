package parhelion.cpu.rewrite;

import parhelion.cpu.Cpu;
import parhelion.cpu.decode.Feature;
import parhelion.cpu.decode.Insn;
import parhelion.cpu.decode.Mnemonic;
import parhelion.cpu.decode.Opcode;
import parhelion.cpu.decode.Operand;

/** What becomes of a guest instruction in generated code. */
enum Treatment {
  /** Re-emitted with the host's registers for the guest's, its memory operand through the TLB. */
  EMIT,
  /** Has no effect here. */
  SKIP,
  PUSH,
  POP,
  LEAVE,
  DIVIDE,
  /** MOV between the accumulator and an absolute address. */
  ABSOLUTE,
  LEA,
  BIT_STRING,
  /** MOVS or STOS with a repeat prefix. */
  REPEAT,
  /** MOV from a segment register to a general one. */
  READ_SELECTOR,
  /** MOV from a control register to a general one. */
  READ_CONTROL,
  /** RDFSBASE and RDGSBASE. */
  READ_BASE,
  WRITE_BASE,
  READ_TSC,
  PUSHF,
  CLD,
  CLI,
  STI,
  STAC,
  CLAC,
  SWAPGS,
  JCC,
  JMP,
  CALL,
  RET,
  JMP_INDIRECT,
  CALL_INDIRECT,
  LOOP,
  /** Leaves for the interpreter to execute it, and comes back behind it if that is where RIP is. */
  INTERPRET,
  /** Leaves for the interpreter; what follows it is not known here. */
  INTERPRET_LAST;

  /** Whether nothing behind the instruction is reached by falling through. */
  boolean endsRun() {
    return switch (this) {
      case JMP, CALL, RET, JMP_INDIRECT, CALL_INDIRECT, INTERPRET_LAST -> true;
      default -> false;
    };
  }

  /** Mode bits under which floating-point instructions fault, or have to be looked at first. */
  private static final int FLOAT_TRAPS =
      Cpu.MODE_EM | Cpu.MODE_TS | Cpu.MODE_NO_OSFXSR | RegionKey.SOFT_FLOAT;

  /** The treatment of {@code insn} in code of mode {@code key}; see {@link RegionKey}. */
  static Treatment of(Insn insn, int key) {
    Treatment wanted = byMnemonic(insn, key);
    if (wanted == EMIT && !canEmit(insn, key)) {
      return INTERPRET;
    }
    return wanted;
  }

  private static Treatment byMnemonic(Insn insn, int key) {
    boolean wide = insn.operandSize == 8;
    return switch (insn.mnemonic()) {
      case PAUSE -> supervisor(key, INTERPRET, SKIP);
      case NOP, ENDBR32, ENDBR64, LFENCE, SFENCE -> SKIP;
      case PREFETCH, PREFETCHW, PREFETCHWT1, PREFETCHNTA, PREFETCHT0, PREFETCHT1, PREFETCHT2 ->
          SKIP;
      case JCC -> JCC;
      case JMP -> insn.modrm == Insn.NONE ? JMP : indirect(insn, JMP_INDIRECT);
      case CALL -> insn.modrm == Insn.NONE ? CALL : indirect(insn, CALL_INDIRECT);
      case RET -> RET;
      case LOOP, LOOPE, LOOPNE, JRCXZ -> insn.addressSize == 8 ? LOOP : INTERPRET_LAST;
      case PUSH -> wide && !isSegment(insn) && memoryFits(insn) ? PUSH : INTERPRET;
      case POP -> wide && !isSegment(insn) && !insn.isMemory() ? POP : INTERPRET;
      case LEAVE -> wide ? LEAVE : INTERPRET;
      case DIV, IDIV ->
          insn.operandSize >= 4 && insn.size(0) >= 4 && memoryFits(insn) ? DIVIDE : INTERPRET;
      case LEA -> insn.addressSize == 8 ? LEA : INTERPRET;
      case MOV -> move(insn, key);
      case SYSCALL -> RegionKey.tlbIndex(key) == 0 ? INTERPRET : INTERPRET_LAST;
      case IRET, SYSRET, SYSEXIT, SYSENTER, INT, INT3, INT1, RETF, JMPF, CALLF -> INTERPRET_LAST;
      case UD0, UD1, UD2, HLT -> INTERPRET_LAST;
      case FXSAVE, FXRSTOR, LDMXCSR, VLDMXCSR, FLDCW, FLDENV, FNSTENV, FRSTOR, FNSAVE -> INTERPRET;
      case XSAVE, XSAVEC, XSAVES, XSAVEOPT, XRSTOR, XRSTORS, XGETBV, XSETBV -> INTERPRET;
      case MASKMOVQ, MASKMOVDQU, VMASKMOVDQU, VMASKMOVPS, VMASKMOVPD, VPMASKMOVD, VPMASKMOVQ ->
          INTERPRET;
      case RDTSC, RDTSCP -> (key & RegionKey.HOST_TSC) != 0 ? READ_TSC : INTERPRET;
      case PUSHF -> wide ? PUSHF : INTERPRET;
      case CLD -> CLD;
      case CLI -> supervisor(key, CLI);
      case STI -> supervisor(key, STI);
      case STAC -> supervisor(key, STAC);
      case CLAC -> supervisor(key, CLAC);
      case SWAPGS -> supervisor(key, SWAPGS);
      case POPF, CPUID, RDPMC, RDRAND, RDSEED, XLAT, ENTER, STD -> INTERPRET;
      case SLDT, STR, SGDT, SIDT, SMSW, LAR, LSL, VERR, VERW, MONITOR, MWAIT -> INTERPRET;
      case CLFLUSH, CLFLUSHOPT, CLWB -> INTERPRET;
      case RDFSBASE, RDGSBASE -> READ_BASE;
      case WRFSBASE, WRGSBASE -> WRITE_BASE;
      case MOVS, STOS -> isPlainRepeat(insn) ? REPEAT : INTERPRET;
      case BT, BTS, BTR, BTC ->
          insn.isMemory() && insn.opcode.operands()[1].kind() == Operand.Kind.G
              ? bitString(insn)
              : EMIT;
      default -> EMIT;
    };
  }

  private static Treatment supervisor(int key, Treatment wanted) {
    return supervisor(key, wanted, INTERPRET);
  }

  private static Treatment supervisor(int key, Treatment wanted, Treatment otherwise) {
    return (key & RegionKey.SUPERVISOR) != 0 ? wanted : otherwise;
  }

  private static boolean isPlainRepeat(Insn insn) {
    return (insn.rep || insn.repne) && insn.addressSize == 8 && insn.segmentOverride == Insn.NONE;
  }

  /** A bit string in memory, with the offset of the bit in a register. */
  private static Treatment bitString(Insn insn) {
    boolean simple =
        insn.ripRelative
            || insn.base != Insn.NONE && Routines.HOST[insn.base] >= 0 && insn.index == Insn.NONE;
    return insn.operandSize >= 4
            && insn.addressSize == 8
            && insn.segmentOverride == Insn.NONE
            && simple
        ? BIT_STRING
        : INTERPRET;
  }

  private static Treatment indirect(Insn insn, Treatment wanted) {
    return memoryFits(insn) ? wanted : INTERPRET_LAST;
  }

  private static Treatment move(Insn insn, int key) {
    Operand.Kind first = insn.opcode.operands()[0].kind();
    Operand.Kind second = insn.opcode.operands()[1].kind();
    if (first == Operand.Kind.O || second == Operand.Kind.O) {
      return insn.addressSize == 8 && insn.segmentOverride == Insn.NONE ? ABSOLUTE : INTERPRET;
    }
    boolean low = insn.operandSize == 2 && Routines.HOST[insn.rm] >= 0;
    if (second == Operand.Kind.S && insn.mod == 3 && (low || insn.operandSize >= 4)) {
      return READ_SELECTOR;
    }
    if (second == Operand.Kind.C) {
      return supervisor(key, isPlainControl(insn.reg) ? READ_CONTROL : INTERPRET);
    }
    return EMIT;
  }

  private static boolean isPlainControl(int number) {
    return number == 0 || number == 2 || number == 3 || number == 4;
  }

  private static boolean isSegment(Insn insn) {
    return insn.opcode.operands()[0].kind() == Operand.Kind.S;
  }

  private static boolean memoryFits(Insn insn) {
    return !insn.isMemory() || insn.addressSize == 8;
  }

  private static boolean canEmit(Insn insn, int key) {
    Opcode opcode = insn.opcode;
    if (opcode.has(
        Opcode.PRIVILEGED | Opcode.IOPL | Opcode.STRING | Opcode.ENDS_BLOCK | Opcode.VSIB)) {
      return false;
    }
    if (!HostCpu.has(opcode.feature()) || !memoryFits(insn)) {
      return false;
    }
    if (usesFloat(insn) && (key & FLOAT_TRAPS) != 0) {
      return false;
    }
    if (opcode.has(Opcode.VEX)
        && usesVectors(insn)
        && ((key & Cpu.MODE_NO_AVX) != 0 || !HostCpu.hasAvx())) {
      return false;
    }
    for (Operand operand : opcode.operands()) {
      switch (operand.kind()) {
        case S, C, D, A, O, X, Y, J -> {
          return false;
        }
        default -> {}
      }
    }
    if (insn.isMemory() && accessBytes(insn) == 0) {
      return false;
    }
    return registersFit(insn);
  }

  /** Whether it works on x87, MMX or vector state. */
  static boolean usesFloat(Insn insn) {
    return insn.opcode.has(Opcode.X87) || usesVectors(insn);
  }

  static boolean usesVectors(Insn insn) {
    Opcode opcode = insn.opcode;
    if (opcode.has(Opcode.SSE)) {
      return true;
    }
    return opcode.has(Opcode.VEX)
        && opcode.feature() != Feature.BMI1
        && opcode.feature() != Feature.BMI2;
  }

  /** Index of the memory operand among the operands, or -1. */
  static int memoryOperand(Insn insn) {
    Operand[] operands = insn.opcode.operands();
    for (int i = 0; i < operands.length; i++) {
      switch (operands[i].kind()) {
        case E, M, W, Q -> {
          return i;
        }
        default -> {}
      }
    }
    return -1;
  }

  /** Bytes that the memory operand reads or writes; 0 where it has no size of its own. */
  static int accessBytes(Insn insn) {
    int i = memoryOperand(insn);
    return i < 0 ? 0 : insn.size(i);
  }

  /** Whether the memory operand is written. */
  static boolean writesMemory(Insn insn) {
    int i = memoryOperand(insn);
    switch (insn.mnemonic()) {
      case CMP, TEST, BT, MUL, PUSH, CALL, JMP, DIV, IDIV -> {
        return false;
      }
      case IMUL -> {
        return false;
      }
      case XCHG, XADD, CMPXCHG, CMPXCHG8B, CMPXCHG16B, SETCC -> {
        return true;
      }
      case FST, FSTP, FIST, FISTP, FISTTP, FNSTCW, FNSTSW, FBSTP, STMXCSR, VSTMXCSR -> {
        return true;
      }
      default -> {
        return i == 0 && !insn.opcode.has(Opcode.X87)
            || i == 0 && insn.mnemonic() == Mnemonic.MOVNTQ
            || i == 0 && insn.opcode.has(Opcode.X87) && insn.opcode.map() == 1;
      }
    }
  }

  // --- general registers as operands ---

  /** Whether ModRM.reg names a general register. */
  static boolean regIsGeneral(Insn insn) {
    return hasKind(insn, Operand.Kind.G, Operand.Kind.G);
  }

  /** Whether ModRM.rm names a general register. */
  static boolean rmIsGeneral(Insn insn) {
    return insn.mod == 3 && hasKind(insn, Operand.Kind.E, Operand.Kind.R);
  }

  static boolean opcodeNamesRegister(Insn insn) {
    return hasKind(insn, Operand.Kind.Z, Operand.Kind.Z);
  }

  /** Whether VEX.vvvv names a general register. */
  static boolean vvvvIsGeneral(Insn insn) {
    return hasKind(insn, Operand.Kind.B, Operand.Kind.B);
  }

  private static boolean hasKind(Insn insn, Operand.Kind one, Operand.Kind other) {
    for (Operand operand : insn.opcode.operands()) {
      if (operand.kind() == one || operand.kind() == other) {
        return true;
      }
    }
    return false;
  }

  /** Whether register {@code number} of a one-byte operand is AH, CH, DH or BH. */
  static boolean isHighByte(Insn insn, int number) {
    return insn.rex == 0 && !insn.opcode.has(Opcode.VEX) && (number & 12) == 4;
  }

  /**
   * Whether two scratch registers suffice for what is not in host registers, and no high byte
   * register stands beside one that needs a REX prefix.
   */
  private static boolean registersFit(Insn insn) {
    int scratch = insn.isMemory() ? 1 : 0;
    boolean rex = insn.isMemory();
    boolean high = false;
    Operand[] operands = insn.opcode.operands();
    for (int i = 0; i < operands.length; i++) {
      int register =
          switch (operands[i].kind()) {
            case G -> insn.reg;
            case Z -> insn.opcodeReg;
            case B -> insn.vvvv;
            case E, R -> insn.mod == 3 ? insn.rm : -1;
            default -> -1;
          };
      if (register < 0) {
        continue;
      }
      if (insn.size(i) == 1 && isHighByte(insn, register)) {
        high = true;
      } else {
        int host = Routines.HOST[register];
        scratch += host < 0 ? 1 : 0;
        rex |= host < 0 || host >= 8;
      }
    }
    return scratch <= 2 && !(rex && high);
  }
}
