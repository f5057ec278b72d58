package parhelion.cpu.interp;

import org.jspecify.annotations.Nullable;
import parhelion.cpu.CpuState;
import parhelion.cpu.Flags;
import parhelion.cpu.Rflags;
import parhelion.cpu.decode.Insn;
import parhelion.cpu.decode.Operand;

/** Moves between general registers and memory, extensions, conditional moves, flag moves. */
final class MoveOps {
  private MoveOps() {}

  static @Nullable Op translate(Insn insn, int offset) {
    return switch (insn.mnemonic()) {
      case MOV -> mov(insn, offset);
      case MOVNTI -> mov(insn, offset);
      case MOVZX -> extend(insn, offset, false);
      case MOVSX, MOVSXD -> extend(insn, offset, true);
      case LEA -> lea(insn, offset);
      case CMOVCC -> conditionalMove(insn, offset);
      case SETCC -> setCondition(insn, offset);
      case MOVBE -> moveSwapped(insn, offset);
      case XLAT -> translateByte(insn);
      case CBW -> widen(insn);
      case CWD -> sign(insn);
      case LAHF -> c -> c.put8(CpuState.RAX + 1, (Flags.get(c) & 0xd5) | Rflags.FIXED);
      case SAHF ->
          c -> Flags.set(c, (c.get8(CpuState.RAX + 1) & 0xd5) | (Flags.of(c) ? Rflags.OF : 0));
      case CLC -> c -> Flags.setCarry(c, false);
      case STC -> c -> Flags.setCarry(c, true);
      case CMC -> c -> Flags.setCarry(c, !Flags.cf(c));
      case CLD -> c -> c.put64(CpuState.RFLAGS, c.get64(CpuState.RFLAGS) & ~Rflags.DF);
      case STD -> c -> c.put64(CpuState.RFLAGS, c.get64(CpuState.RFLAGS) | Rflags.DF);
      default -> null;
    };
  }

  private static @Nullable Op mov(Insn insn, int offset) {
    Operand.Kind to = Operands.kind(insn, 0);
    Operand.Kind from = Operands.kind(insn, 1);
    if (to == Operand.Kind.S
        || from == Operand.Kind.S
        || to == Operand.Kind.C
        || from == Operand.Kind.C
        || to == Operand.Kind.D
        || from == Operand.Kind.D) {
      return null;
    }
    int size = insn.size(0);
    if (Operands.isMemory(insn, 0)) {
      Ea ea = Ea.of(insn, offset, size, true);
      return Operands.isImmediate(insn, 1)
          ? storeImmediate(ea, size, insn.imm)
          : store(ea, size, Operands.register(insn, 1));
    }
    int d = Operands.register(insn, 0);
    if (Operands.isMemory(insn, 1)) {
      return load(d, Ea.of(insn, offset, size, false), size);
    }
    if (Operands.isImmediate(insn, 1)) {
      long imm = insn.imm;
      return switch (size) {
        case 8 -> c -> c.put64(d, imm);
        case 4 -> c -> c.put32(d, (int) imm);
        default -> c -> c.put(d, size, imm);
      };
    }
    int s = Operands.register(insn, 1);
    return switch (size) {
      case 8 -> c -> c.put64(d, c.get64(s));
      case 4 -> c -> c.put32(d, c.get32(s));
      default -> c -> c.put(d, size, c.get(s, size));
    };
  }

  private static Op load(int d, Ea ea, int size) {
    return switch (size) {
      case 8 -> c -> c.put64(d, c.load64(ea.at(c)));
      case 4 -> c -> c.put32(d, c.load32(ea.at(c)));
      case 2 -> c -> c.put16(d, c.load16(ea.at(c)));
      default -> c -> c.put8(d, c.load8(ea.at(c)));
    };
  }

  private static Op store(Ea ea, int size, int s) {
    return switch (size) {
      case 8 -> c -> c.store64(ea.at(c), c.get64(s));
      case 4 -> c -> c.store32(ea.at(c), c.get32(s));
      case 2 -> c -> c.store16(ea.at(c), c.get16(s));
      default -> c -> c.store8(ea.at(c), c.get8(s));
    };
  }

  private static Op storeImmediate(Ea ea, int size, long imm) {
    return switch (size) {
      case 8 -> c -> c.store64(ea.at(c), imm);
      case 4 -> c -> c.store32(ea.at(c), (int) imm);
      case 2 -> c -> c.store16(ea.at(c), (int) imm);
      default -> c -> c.store8(ea.at(c), (int) imm);
    };
  }

  private static Op extend(Insn insn, int offset, boolean signed) {
    int to = insn.size(0);
    int from = insn.size(1);
    int d = Operands.register(insn, 0);
    int shift = 64 - 8 * from;
    if (Operands.isMemory(insn, 1)) {
      Ea ea = Ea.of(insn, offset, from, false);
      if (to == 4 && !signed) {
        return from == 1 ? c -> c.put32(d, c.load8(ea.at(c))) : c -> c.put32(d, c.load16(ea.at(c)));
      }
      if (to == 8 && signed && from == 4) {
        return c -> c.put64(d, c.load32(ea.at(c)));
      }
      return signed
          ? c -> c.put(d, to, c.load(ea.at(c), from) << shift >> shift)
          : c -> c.put(d, to, c.load(ea.at(c), from));
    }
    int s = Operands.register(insn, 1);
    if (to == 4 && !signed) {
      return from == 1 ? c -> c.put32(d, c.get8(s)) : c -> c.put32(d, c.get16(s));
    }
    if (to == 8 && signed && from == 4) {
      return c -> c.put64(d, c.get32(s));
    }
    return signed
        ? c -> c.put(d, to, c.get(s, from) << shift >> shift)
        : c -> c.put(d, to, c.get(s, from));
  }

  private static Op lea(Insn insn, int offset) {
    int size = insn.size(0);
    int d = Operands.register(insn, 0);
    Ea ea = Ea.offsetOnly(insn, offset);
    return switch (size) {
      case 8 -> c -> c.put64(d, ea.at(c));
      case 4 -> c -> c.put32(d, (int) ea.at(c));
      default -> c -> c.put16(d, (int) ea.at(c));
    };
  }

  private static Op conditionalMove(Insn insn, int offset) {
    int size = insn.size(0);
    int cc = insn.opcode.code() & 15;
    int d = Operands.register(insn, 0);
    if (Operands.isMemory(insn, 1)) {
      Ea ea = Ea.of(insn, offset, size, false);
      return c -> {
        // The load happens, and may fault, whatever the condition.
        long value = c.load(ea.at(c), size);
        c.put(d, size, Flags.condition(c, cc) ? value : c.get(d, size));
      };
    }
    int s = Operands.register(insn, 1);
    return c -> c.put(d, size, Flags.condition(c, cc) ? c.get(s, size) : c.get(d, size));
  }

  private static Op setCondition(Insn insn, int offset) {
    int cc = insn.opcode.code() & 15;
    if (Operands.isMemory(insn, 0)) {
      Ea ea = Ea.of(insn, offset, 1, true);
      return c -> c.store8(ea.at(c), Flags.condition(c, cc) ? 1 : 0);
    }
    int d = Operands.register(insn, 0);
    return switch (cc) {
      case 4 -> c -> c.put8(d, Flags.zf(c) ? 1 : 0);
      case 5 -> c -> c.put8(d, Flags.zf(c) ? 0 : 1);
      default -> c -> c.put8(d, Flags.condition(c, cc) ? 1 : 0);
    };
  }

  private static long swapped(long value, int size) {
    return Long.reverseBytes(value) >>> (64 - 8 * size);
  }

  private static Op moveSwapped(Insn insn, int offset) {
    int size = insn.size(0);
    if (Operands.isMemory(insn, 0)) {
      Ea ea = Ea.of(insn, offset, size, true);
      int s = Operands.register(insn, 1);
      return c -> c.store(ea.at(c), size, swapped(c.get(s, size), size));
    }
    Ea ea = Ea.of(insn, offset, size, false);
    int d = Operands.register(insn, 0);
    return c -> c.put(d, size, swapped(c.load(ea.at(c), size), size));
  }

  private static Op translateByte(Insn insn) {
    Insn table = new Insn();
    table.codeBits = insn.codeBits;
    table.addressSize = insn.addressSize;
    table.segmentOverride = insn.segmentOverride;
    table.base = 3;
    Ea ea = Ea.of(table, 0, 1, false);
    long mask = insn.addressSize == 8 ? -1L : insn.addressSize == 4 ? 0xffffffffL : 0xffffL;
    return c -> {
      // AL is added before the offset wraps, so the displacement must not cross the mask unwrapped.
      long rbx = c.get64(CpuState.RBX) & mask;
      long wrapped = (rbx + c.get8(CpuState.RAX)) & mask;
      c.put8(CpuState.RAX, c.load8(ea.at(c, wrapped - rbx)));
    };
  }

  /** CBW, CWDE, CDQE. */
  private static Op widen(Insn insn) {
    return switch (insn.operandSize) {
      case 8 -> c -> c.put64(CpuState.RAX, c.get32(CpuState.RAX));
      case 4 -> c -> c.put32(CpuState.RAX, (short) c.get16(CpuState.RAX));
      default -> c -> c.put16(CpuState.RAX, (byte) c.get8(CpuState.RAX));
    };
  }

  /** CWD, CDQ, CQO. */
  private static Op sign(Insn insn) {
    return switch (insn.operandSize) {
      case 8 -> c -> c.put64(CpuState.RDX, c.get64(CpuState.RAX) >> 63);
      case 4 -> c -> c.put32(CpuState.RDX, c.get32(CpuState.RAX) >> 31);
      default -> c -> c.put16(CpuState.RDX, (short) c.get16(CpuState.RAX) >> 15);
    };
  }
}
