package parhelion.cpu.interp;

import org.jspecify.annotations.Nullable;
import parhelion.cpu.Cpu;
import parhelion.cpu.CpuState;
import parhelion.cpu.FarTransfers;
import parhelion.cpu.Flags;
import parhelion.cpu.GuestFault;
import parhelion.cpu.Rflags;
import parhelion.cpu.Segments;
import parhelion.cpu.decode.Insn;
import parhelion.cpu.decode.Mnemonic;
import parhelion.cpu.decode.Operand;

/** Instructions on segment registers, descriptor tables and descriptors, and far transfers. */
final class SegmentOps {
  /** A 16-bit source operand. */
  interface Source {
    int get(Cpu c);
  }

  /** Reads some register. */
  interface Value {
    long of(Cpu c);
  }

  private SegmentOps() {}

  static @Nullable Op translate(Insn insn, int offset) {
    return switch (insn.mnemonic()) {
      case MOV -> move(insn, offset);
      case PUSH -> push(insn);
      case POP -> pop(insn);
      case LES -> loadPointer(insn, offset, CpuState.ES);
      case LDS -> loadPointer(insn, offset, CpuState.DS);
      case LSS -> loadPointer(insn, offset, CpuState.SS);
      case LFS -> loadPointer(insn, offset, CpuState.FS);
      case LGS -> loadPointer(insn, offset, CpuState.GS);
      case LGDT -> loadTable(insn, offset, CpuState.GDTR);
      case LIDT -> loadTable(insn, offset, CpuState.IDTR);
      case SGDT -> storeTable(insn, offset, CpuState.GDTR);
      case SIDT -> storeTable(insn, offset, CpuState.IDTR);
      case SLDT -> storeWord(insn, offset, protectedOnly(c -> c.get64(CpuState.LDTR)));
      case STR -> storeWord(insn, offset, protectedOnly(c -> c.get64(CpuState.TR)));
      case LLDT -> loadSystem(insn, offset, Segments::loadLdt);
      case LTR -> loadSystem(insn, offset, Segments::loadTask);
      case LAR -> look(insn, offset, true);
      case LSL -> look(insn, offset, false);
      case VERR -> verify(insn, offset, false);
      case VERW -> verify(insn, offset, true);
      case ARPL -> adjustPrivilege(insn, offset);
      case CALLF -> far(insn, offset, true);
      case JMPF -> far(insn, offset, false);
      case RETF -> {
        int size = insn.operandSize;
        int release = insn.opcode.operands().length == 0 ? 0 : (int) insn.imm & 0xffff;
        yield c -> FarTransfers.ret(c, size, release);
      }
      case IRET -> {
        int size = insn.operandSize;
        yield c -> {
          boolean system = c.cpl() == 0;
          FarTransfers.iret(c, size);
          if (system) {
            c.monitor.sensitive(c, Mnemonic.IRET);
          }
        };
      }
      default -> null;
    };
  }

  // --- operands ---

  /** The 16-bit operand in ModRM.rm. */
  static Source word(Insn insn, int offset) {
    if (insn.isMemory()) {
      Ea ea = Ea.of(insn, offset, 2, false);
      return c -> c.load16(ea.at(c));
    }
    int register = CpuState.GPR + insn.rm * 8;
    return c -> c.get16(register);
  }

  /** Stores to a register of operand size, or 16 bits to memory. */
  static Op storeWord(Insn insn, int offset, Value value) {
    if (insn.isMemory()) {
      Ea ea = Ea.of(insn, offset, 2, true);
      return c -> c.store16(ea.at(c), (int) value.of(c));
    }
    int size = insn.operandSize;
    int register = CpuState.GPR + insn.rm * 8;
    return c -> c.put(register, size, value.of(c));
  }

  private static Value protectedOnly(Value value) {
    return c -> {
      requireProtected(c);
      return value.of(c);
    };
  }

  private static void requireProtected(Cpu c) {
    if (!c.protectedMode()) {
      throw c.fault(GuestFault.UD);
    }
  }

  // --- segment registers ---

  private static @Nullable Op move(Insn insn, int offset) {
    if (Operands.kind(insn, 1) == Operand.Kind.S) {
      int from = CpuState.SEG_SELECTOR + insn.reg * 8;
      return storeWord(insn, offset, c -> c.get64(from));
    }
    if (Operands.kind(insn, 0) != Operand.Kind.S) {
      return null;
    }
    int segment = insn.reg;
    Source source = word(insn, offset);
    return c -> load(c, segment, source.get(c));
  }

  private static void load(Cpu c, int segment, int selector) {
    Segments.load(c, segment, selector);
    if (segment == CpuState.SS) {
      c.updateMode();
      SystemOps.shadow(c);
    }
  }

  private static @Nullable Op push(Insn insn) {
    Operand operand = insn.opcode.operands()[0];
    if (operand.kind() != Operand.Kind.S) {
      return null;
    }
    int from = CpuState.SEG_SELECTOR + operand.fixedReg() * 8;
    int size = insn.operandSize;
    if (size == 4) {
      // 32-bit pushes move the pointer by 4 and write two bytes, as Intel's processors do.
      return c -> {
        long sp = c.get64(CpuState.RSP) - 4;
        c.store16(StackOps.linear(c, sp, 2, true), c.get32(from));
        StackOps.setSp(c, sp);
      };
    }
    return c -> StackOps.push(c, c.get64(from), size);
  }

  private static @Nullable Op pop(Insn insn) {
    Operand operand = insn.opcode.operands()[0];
    if (operand.kind() != Operand.Kind.S) {
      return null;
    }
    int segment = operand.fixedReg();
    int size = insn.operandSize;
    return c -> {
      int selector = (int) StackOps.peek(c, 0, size) & 0xffff;
      long mask = c.stackMask;
      long sp = c.get64(CpuState.RSP);
      load(c, segment, selector);
      // The pointer moves in the width of the stack that was popped from.
      c.put64(
          CpuState.RSP, mask == 0xffffL ? (sp & ~mask) | ((sp + size) & mask) : (sp + size) & mask);
    };
  }

  private static Op loadPointer(Insn insn, int offset, int segment) {
    int size = insn.operandSize;
    int register = CpuState.GPR + insn.reg * 8;
    Ea ea = Ea.of(insn, offset, size + 2, false);
    return c -> {
      long va = ea.at(c);
      long pointer = c.load(va, size);
      int selector = c.load16(va + size);
      Segments.load(c, segment, selector);
      c.updateMode();
      c.put(register, size, pointer);
    };
  }

  // --- descriptor tables ---

  private static Op loadTable(Insn insn, int offset, int table) {
    boolean wide = insn.codeBits == 64;
    long mask = insn.operandSize == 2 && !wide ? 0xff_ffffL : 0xffff_ffffL;
    Ea ea = Ea.of(insn, offset, wide ? 10 : 6, false);
    Mnemonic by = insn.mnemonic();
    return SystemOps.guarded(
        insn,
        offset,
        c -> {
          long va = ea.at(c);
          int limit = c.load16(va);
          long base = wide ? c.load64(va + 2) : c.load32(va + 2) & mask;
          if (base << 16 >> 16 != base) {
            throw c.fault(GuestFault.GP, 0);
          }
          c.put64(table, base);
          c.put64(table + 8, limit);
          c.monitor.sensitive(c, by);
        });
  }

  private static Op storeTable(Insn insn, int offset, int table) {
    boolean wide = insn.codeBits == 64;
    Ea ea = Ea.of(insn, offset, wide ? 10 : 6, true);
    return c -> {
      long va = ea.at(c);
      c.checkWritable(va, wide ? 10 : 6);
      c.store16(va, c.get32(table + 8));
      c.store(va + 2, wide ? 8 : 4, c.get64(table));
    };
  }

  private interface Load {
    void accept(Cpu c, int selector);
  }

  private static Op loadSystem(Insn insn, int offset, Load load) {
    Source source = word(insn, offset);
    Mnemonic by = insn.mnemonic();
    Op op =
        SystemOps.guarded(
            insn,
            offset,
            c -> {
              load.accept(c, source.get(c));
              c.monitor.sensitive(c, by);
            });
    return c -> {
      requireProtected(c);
      op.exec(c);
    };
  }

  // --- looking at descriptors ---

  private static void setZero(Cpu c, boolean zero) {
    Flags.set(c, Flags.get(c) & ~Rflags.ZF | (zero ? Rflags.ZF : 0));
  }

  private static Op look(Insn insn, int offset, boolean rights) {
    Source source = word(insn, offset);
    int size = insn.operandSize;
    int register = CpuState.GPR + insn.reg * 8;
    return c -> {
      requireProtected(c);
      int selector = source.get(c);
      long value = rights ? Segments.accessRights(c, selector) : Segments.segmentLimit(c, selector);
      if (value != -1L) {
        c.put(register, size, value);
      }
      setZero(c, value != -1L);
    };
  }

  private static Op verify(Insn insn, int offset, boolean write) {
    Source source = word(insn, offset);
    return c -> {
      requireProtected(c);
      setZero(c, Segments.verify(c, source.get(c), write));
    };
  }

  private static Op adjustPrivilege(Insn insn, int offset) {
    int from = CpuState.GPR + insn.reg * 8;
    if (!insn.isMemory()) {
      int register = CpuState.GPR + insn.rm * 8;
      return c -> {
        requireProtected(c);
        int selector = c.get16(register);
        boolean lower = (selector & 3) < (c.get32(from) & 3);
        if (lower) {
          c.put16(register, selector & ~3 | c.get32(from) & 3);
        }
        setZero(c, lower);
      };
    }
    Ea ea = Ea.of(insn, offset, 2, true);
    return c -> {
      requireProtected(c);
      long va = ea.at(c);
      int selector = (int) c.loadForWrite(va, 2);
      boolean lower = (selector & 3) < (c.get32(from) & 3);
      if (lower) {
        c.store16(va, selector & ~3 | c.get32(from) & 3);
      }
      setZero(c, lower);
    };
  }

  // --- far transfers ---

  private static Op far(Insn insn, int offset, boolean call) {
    int size = insn.operandSize;
    if (!insn.isMemory()) {
      long target = insn.imm;
      int selector = (int) insn.imm2 & 0xffff;
      return c -> transfer(c, selector, target, size, call);
    }
    Ea ea = Ea.of(insn, offset, size + 2, false);
    return c -> {
      long va = ea.at(c);
      long target = c.load(va, size);
      transfer(c, c.load16(va + size), target, size, call);
    };
  }

  private static void transfer(Cpu c, int selector, long target, int size, boolean call) {
    if (call) {
      FarTransfers.call(c, selector, target, size);
    } else {
      FarTransfers.jump(c, selector, target, size);
    }
  }
}
