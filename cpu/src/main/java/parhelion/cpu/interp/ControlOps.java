package parhelion.cpu.interp;

import org.jspecify.annotations.Nullable;
import parhelion.cpu.Cpu;
import parhelion.cpu.CpuState;
import parhelion.cpu.Flags;
import parhelion.cpu.GuestFault;
import parhelion.cpu.decode.Insn;

/**
 * Near jumps, calls, returns and loops. They are last in their block: RIP holds the address after
 * them.
 */
final class ControlOps {
  private static final int RIP = CpuState.RIP;

  private ControlOps() {}

  static @Nullable Op translate(Insn insn, int offset) {
    return switch (insn.mnemonic()) {
      case JCC -> conditionalJump(insn);
      case JMP -> jump(insn, offset);
      case CALL -> call(insn, offset);
      case RET -> ret(insn);
      case LOOP, LOOPE, LOOPNE, JRCXZ -> loop(insn);
      default -> null;
    };
  }

  /**
   * Jumps within the code segment; a target outside of it, or not canonical, is #GP(0) before
   * anything changes.
   */
  static void jumpTo(Cpu c, long target) {
    checkTarget(c, target);
    c.put64(RIP, target);
  }

  private static void checkTarget(Cpu c, long target) {
    if (c.codeBits == 64) {
      if (target << 16 >> 16 != target) {
        throw c.fault(GuestFault.GP, 0);
      }
    } else if (Long.compareUnsigned(target, c.get64(CpuState.SEG_LIMIT + CpuState.CS * 8)) > 0) {
      throw c.fault(GuestFault.GP, 0);
    }
  }

  private static long ipMask(Insn insn) {
    return insn.codeBits == 64 ? -1L : insn.operandSize == 2 ? 0xffffL : 0xffffffffL;
  }

  private static Op conditionalJump(Insn insn) {
    long disp = insn.imm;
    int cc = insn.opcode.code() & 15;
    if (insn.codeBits != 64) {
      long mask = ipMask(insn);
      return c -> {
        if (Flags.condition(c, cc)) {
          jumpTo(c, (c.get64(RIP) + disp) & mask);
        }
      };
    }
    // A relative target within 2 GiB of canonical code is checked by the fetch.
    return switch (cc) {
      case 2 ->
          c -> {
            if (Flags.cf(c)) {
              c.put64(RIP, c.get64(RIP) + disp);
            }
          };
      case 3 ->
          c -> {
            if (!Flags.cf(c)) {
              c.put64(RIP, c.get64(RIP) + disp);
            }
          };
      case 4 ->
          c -> {
            if (Flags.zf(c)) {
              c.put64(RIP, c.get64(RIP) + disp);
            }
          };
      case 5 ->
          c -> {
            if (!Flags.zf(c)) {
              c.put64(RIP, c.get64(RIP) + disp);
            }
          };
      case 12 ->
          c -> {
            if (Flags.less(c)) {
              c.put64(RIP, c.get64(RIP) + disp);
            }
          };
      default ->
          c -> {
            if (Flags.condition(c, cc)) {
              c.put64(RIP, c.get64(RIP) + disp);
            }
          };
    };
  }

  private static Op jump(Insn insn, int offset) {
    int size = insn.codeBits == 64 ? 8 : insn.operandSize;
    if (insn.modrm != Insn.NONE) {
      if (insn.isMemory()) {
        Ea ea = Ea.of(insn, offset, size, false);
        return c -> jumpTo(c, c.load(ea.at(c), size));
      }
      int s = Operands.register(insn, insn.rm, size);
      return c -> jumpTo(c, c.get(s, size));
    }
    long disp = insn.imm;
    if (insn.codeBits == 64) {
      return c -> c.put64(RIP, c.get64(RIP) + disp);
    }
    long mask = ipMask(insn);
    return c -> jumpTo(c, (c.get64(RIP) + disp) & mask);
  }

  private static Op call(Insn insn, int offset) {
    int size = insn.codeBits == 64 ? 8 : insn.operandSize;
    if (insn.modrm != Insn.NONE) {
      if (insn.isMemory()) {
        Ea ea = Ea.of(insn, offset, size, false);
        return c -> callTo(c, c.load(ea.at(c), size), size);
      }
      int s = Operands.register(insn, insn.rm, size);
      return c -> callTo(c, c.get(s, size), size);
    }
    long disp = insn.imm;
    if (insn.codeBits == 64) {
      return c -> {
        long next = c.get64(RIP);
        long sp = c.get64(CpuState.RSP) - 8;
        c.store64(sp, next);
        c.put64(CpuState.RSP, sp);
        c.put64(RIP, next + disp);
      };
    }
    long mask = ipMask(insn);
    return c -> callTo(c, (c.get64(RIP) + disp) & mask, size);
  }

  private static void callTo(Cpu c, long target, int size) {
    checkTarget(c, target);
    StackOps.push(c, c.get64(RIP), size);
    c.put64(RIP, target);
  }

  private static Op ret(Insn insn) {
    int size = insn.codeBits == 64 ? 8 : insn.operandSize;
    int extra = insn.opcode.operands().length == 0 ? 0 : (int) insn.imm & 0xffff;
    if (insn.codeBits == 64) {
      return c -> {
        long sp = c.get64(CpuState.RSP);
        long target = c.load64(sp);
        jumpTo(c, target);
        c.put64(CpuState.RSP, sp + 8 + extra);
      };
    }
    return c -> {
      long target = StackOps.peek(c, 0, size);
      jumpTo(c, target);
      StackOps.release(c, size + extra);
    };
  }

  private static Op loop(Insn insn) {
    long disp = insn.imm;
    int size = insn.addressSize;
    long mask = ipMask(insn);
    int step =
        switch (insn.mnemonic()) {
          case JRCXZ -> 0;
          default -> 1;
        };
    int zero =
        switch (insn.mnemonic()) {
          case LOOPE -> 1;
          case LOOPNE -> 0;
          default -> -1;
        };
    return c -> {
      long count = c.get(CpuState.RCX, size) - step;
      long left = size == 8 ? count : count & ((1L << (8 * size)) - 1);
      boolean taken = step == 0 ? left == 0 : left != 0 && (zero < 0 || Flags.zf(c) == (zero == 1));
      if (taken) {
        jumpTo(c, (c.get64(RIP) + disp) & mask);
      }
      if (step != 0) {
        c.put(CpuState.RCX, size, left);
      }
    };
  }
}
