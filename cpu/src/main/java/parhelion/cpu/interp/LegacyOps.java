package parhelion.cpu.interp;

import org.jspecify.annotations.Nullable;
import parhelion.cpu.Cpu;
import parhelion.cpu.CpuState;
import parhelion.cpu.Flags;
import parhelion.cpu.GuestFault;
import parhelion.cpu.Rflags;
import parhelion.cpu.decode.Insn;

/** Instructions that 64-bit mode has no more: decimal adjustments and BOUND. */
final class LegacyOps {
  private static final int AL = CpuState.RAX;
  private static final int AH = CpuState.RAX + 1;

  private LegacyOps() {}

  static @Nullable Op translate(Insn insn, int offset) {
    int imm = (int) insn.imm & 0xff;
    return switch (insn.mnemonic()) {
      case AAA -> c -> asciiAdjust(c, 1);
      case AAS -> c -> asciiAdjust(c, -1);
      case AAM ->
          c -> {
            if (imm == 0) {
              throw c.fault(GuestFault.DE);
            }
            int al = c.get8(AL);
            c.put8(AH, al / imm);
            c.put8(AL, al % imm);
            Flags.logic(c, c.get8(AL), 56);
          };
      case AAD ->
          c -> {
            c.put16(AL, (c.get8(AL) + c.get8(AH) * imm) & 0xff);
            Flags.logic(c, c.get8(AL), 56);
          };
      case DAA -> c -> decimalAdjust(c, 1);
      case DAS -> c -> decimalAdjust(c, -1);
      case BOUND -> bound(insn, offset);
      default -> null;
    };
  }

  private static void asciiAdjust(Cpu c, int sign) {
    boolean adjust = (c.get8(AL) & 15) > 9 || Flags.af(c);
    if (adjust) {
      c.put16(AL, c.get16(AL) + sign * 0x106);
    }
    c.put8(AL, c.get8(AL) & 15);
    setFlags(c, adjust, adjust);
  }

  private static void decimalAdjust(Cpu c, int sign) {
    int al = c.get8(AL);
    boolean carry = Flags.cf(c);
    boolean low = (al & 15) > 9 || Flags.af(c);
    boolean high = al > 0x99 || carry;
    int adjusted = al + sign * ((low ? 6 : 0) + (high ? 0x60 : 0));
    boolean borrow = sign < 0 && low && al < 6;
    c.put8(AL, adjusted);
    setFlags(c, high || borrow, low);
  }

  /** SF, ZF and PF of AL with the given CF and AF. */
  private static void setFlags(Cpu c, boolean carry, boolean auxiliary) {
    Flags.logic(c, c.get8(AL), 56);
    Flags.set(c, Flags.get(c) | (carry ? Rflags.CF : 0) | (auxiliary ? Rflags.AF : 0));
  }

  private static Op bound(Insn insn, int offset) {
    int size = insn.operandSize;
    int register = CpuState.GPR + insn.reg * 8;
    Ea ea = Ea.of(insn, offset, 2 * size, false);
    int shift = 64 - 8 * size;
    return c -> {
      long va = ea.at(c);
      long index = c.get64(register) << shift >> shift;
      long lower = c.load(va, size) << shift >> shift;
      long upper = c.load(va + size, size) << shift >> shift;
      if (index < lower || index > upper) {
        throw c.fault(GuestFault.BR);
      }
    };
  }
}
