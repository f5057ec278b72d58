package parhelion.cpu.interp;

import org.jspecify.annotations.Nullable;
import parhelion.cpu.Cpu;
import parhelion.cpu.CpuState;
import parhelion.cpu.Segments;
import parhelion.cpu.decode.Insn;
import parhelion.cpu.decode.Operand;

/** PUSH, POP, PUSHA, POPA, ENTER, LEAVE; and the stack primitives that calls and returns use. */
public final class StackOps {
  private static final int RSP = CpuState.RSP;
  private static final int RBP = CpuState.RBP;

  private StackOps() {}

  static @Nullable Op translate(Insn insn, int offset) {
    return switch (insn.mnemonic()) {
      case PUSH -> push(insn, offset);
      case POP -> pop(insn, offset);
      case PUSHA -> pushAll(insn.operandSize);
      case POPA -> popAll(insn.operandSize);
      case ENTER -> enter(insn.operandSize, (int) insn.imm & 0xffff, (int) insn.imm2 & 31);
      case LEAVE -> leave(insn.operandSize);
      default -> null;
    };
  }

  /** Linear address of stack offset {@code sp} for {@code size} bytes. */
  static long linear(Cpu c, long sp, int size, boolean write) {
    return c.codeBits == 64 ? sp : Segments.linear(c, CpuState.SS, sp & c.stackMask, size, write);
  }

  /** Sets the stack pointer in the width of the stack. */
  static void setSp(Cpu c, long sp) {
    if (c.codeBits == 64) {
      c.put64(RSP, sp);
    } else if (c.stackMask == 0xffffL) {
      c.put16(RSP, (int) sp);
    } else {
      c.put32(RSP, (int) sp);
    }
  }

  /** Pushes {@code size} bytes. */
  public static void push(Cpu c, long value, int size) {
    if (c.codeBits == 64 && size == 8) {
      long sp = c.get64(RSP) - 8;
      c.store64(sp, value);
      c.put64(RSP, sp);
      return;
    }
    long sp = c.get64(RSP) - size;
    c.store(linear(c, sp, size, true), size, value);
    setSp(c, sp);
  }

  /** Value at {@code depth} bytes above the stack pointer; the pointer is not moved. */
  public static long peek(Cpu c, int depth, int size) {
    if (c.codeBits == 64 && size == 8) {
      return c.load64(c.get64(RSP) + depth);
    }
    return c.load(linear(c, c.get64(RSP) + depth, size, false), size);
  }

  /** Moves the stack pointer up by {@code bytes}. */
  public static void release(Cpu c, long bytes) {
    setSp(c, c.get64(RSP) + bytes);
  }

  private static @Nullable Op push(Insn insn, int offset) {
    if (Operands.kind(insn, 0) == Operand.Kind.S) {
      return null;
    }
    int size = insn.operandSize;
    if (Operands.isImmediate(insn, 0)) {
      long imm = insn.imm;
      return c -> push(c, imm, size);
    }
    if (Operands.isMemory(insn, 0)) {
      Ea ea = Ea.of(insn, offset, size, false);
      return c -> push(c, c.load(ea.at(c), size), size);
    }
    int s = Operands.register(insn, 0);
    if (insn.codeBits == 64 && size == 8) {
      return c -> {
        long sp = c.get64(RSP) - 8;
        c.store64(sp, c.get64(s));
        c.put64(RSP, sp);
      };
    }
    return c -> push(c, c.get(s, size), size);
  }

  private static @Nullable Op pop(Insn insn, int offset) {
    if (Operands.kind(insn, 0) == Operand.Kind.S) {
      return null;
    }
    int size = insn.operandSize;
    if (Operands.isMemory(insn, 0)) {
      Ea ea = Ea.of(insn, offset, size, true);
      return c -> {
        // The address is computed with the stack pointer already moved.
        long value = peek(c, 0, size);
        long sp = c.get64(RSP);
        release(c, size);
        boolean stored = false;
        try {
          c.store(ea.at(c), size, value);
          stored = true;
        } finally {
          if (!stored) {
            c.put64(RSP, sp);
          }
        }
      };
    }
    int d = Operands.register(insn, 0);
    if (insn.codeBits == 64 && size == 8) {
      return c -> {
        long sp = c.get64(RSP);
        long value = c.load64(sp);
        c.put64(RSP, sp + 8);
        c.put64(d, value);
      };
    }
    return c -> {
      long value = peek(c, 0, size);
      release(c, size);
      c.put(d, size, value);
    };
  }

  private static Op pushAll(int size) {
    return c -> {
      long sp = c.get64(RSP);
      for (int i = 0; i < 8; i++) {
        c.checkWritable(linear(c, sp - (i + 1) * size, size, true), size);
      }
      for (int i = 0; i < 8; i++) {
        c.store(
            linear(c, sp - (i + 1) * size, size, true), size, c.get(CpuState.GPR + i * 8, size));
      }
      setSp(c, sp - 8 * size);
    };
  }

  private static Op popAll(int size) {
    return c -> {
      long[] values = new long[8];
      for (int i = 0; i < 8; i++) {
        values[i] = peek(c, i * size, size);
      }
      release(c, 8 * size);
      for (int i = 0; i < 8; i++) {
        int register = CpuState.GPR + (7 - i) * 8;
        if (register != RSP) {
          c.put(register, size, values[i]);
        }
      }
    };
  }

  private static Op enter(int size, int frameBytes, int level) {
    return c -> {
      long sp = c.get64(RSP) - size;
      long frame = sp;
      long bp = c.get64(RBP);
      c.store(linear(c, sp, size, true), size, bp);
      if (level > 0) {
        for (int i = 1; i < level; i++) {
          bp -= size;
          sp -= size;
          long outer = c.load(linear(c, bp, size, false), size);
          c.store(linear(c, sp, size, true), size, outer);
        }
        sp -= size;
        c.store(linear(c, sp, size, true), size, frame);
      }
      sp -= frameBytes;
      // The new top of stack must be writable, though nothing is written there.
      c.checkWritable(linear(c, sp, size, true), size);
      c.put(RBP, size, frame);
      setSp(c, sp);
    };
  }

  private static Op leave(int size) {
    return c -> {
      long bp = c.get64(RBP);
      long value = c.load(linear(c, bp, size, false), size);
      setSp(c, bp + size);
      c.put(RBP, size, value);
    };
  }
}
