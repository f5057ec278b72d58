package parhelion.cpu.interp;

import org.jspecify.annotations.Nullable;
import parhelion.cpu.Cpu;
import parhelion.cpu.CpuState;
import parhelion.cpu.Flags;
import parhelion.cpu.decode.Insn;
import parhelion.cpu.decode.Mnemonic;
import parhelion.cpu.decode.Operand;

/**
 * Shifts and rotates, single and double precision (SDM volume 2, SAL/SAR/SHL/SHR, RCL/RCR/ROL/ROR,
 * SHLD, SHRD).
 */
final class ShiftOps {
  private ShiftOps() {}

  static @Nullable Op translate(Insn insn, int offset) {
    return switch (insn.mnemonic()) {
      case SHL, SHR, SAR, ROL, ROR, RCL, RCR -> single(insn, offset);
      case SHLD, SHRD -> doubled(insn, offset);
      default -> null;
    };
  }

  private static AluOps.Function function(Mnemonic mnemonic) {
    return switch (mnemonic) {
      case SHL -> ShiftOps::shl;
      case SHR -> ShiftOps::shr;
      case SAR -> ShiftOps::sar;
      case ROL -> ShiftOps::rol;
      case ROR -> ShiftOps::ror;
      case RCL -> ShiftOps::rcl;
      default -> ShiftOps::rcr;
    };
  }

  private static Op single(Insn insn, int offset) {
    int size = insn.size(0);
    int shift = 64 - 8 * size;
    Mnemonic m = insn.mnemonic();
    AluOps.Function f = function(m);
    boolean byCl = Operands.kind(insn, 1) == Operand.Kind.FIXED;
    int mask = size == 8 ? 63 : 31;
    int count = byCl ? 0 : (int) Operands.immediate(insn, 1) & mask;
    if (Operands.isMemory(insn, 0)) {
      Ea ea = Ea.of(insn, offset, size, true);
      return c -> {
        long va = ea.at(c);
        long a = c.loadForWrite(va, size);
        int n = byCl ? c.get8(CpuState.RCX) & mask : count;
        c.store(va, size, f.apply(c, a, n, shift));
      };
    }
    int d = Operands.register(insn, 0);
    if (!byCl && count != 0) {
      if (size == 8) {
        switch (m) {
          case SHL:
            return c -> c.put64(d, shl64(c, c.get64(d), count));
          case SHR:
            return c -> c.put64(d, shr64(c, c.get64(d), count));
          case SAR:
            return c -> c.put64(d, sar(c, c.get64(d), count, 0));
          case ROL:
            return c -> c.put64(d, rol64(c, c.get64(d), count));
          case ROR:
            return c -> c.put64(d, ror64(c, c.get64(d), count));
          default:
        }
      } else if (size == 4) {
        switch (m) {
          case SHL:
            return c -> c.put32(d, shl32(c, c.get32(d), count));
          case SHR:
            return c -> c.put32(d, shr32(c, c.get32(d), count));
          case SAR:
            return c -> c.put32(d, (int) sar(c, c.get32(d), count, 32));
          case ROL:
            return c -> c.put32(d, rol32(c, c.get32(d), count));
          case ROR:
            return c -> c.put32(d, ror32(c, c.get32(d), count));
          default:
        }
      }
    }
    return c -> {
      int n = byCl ? c.get8(CpuState.RCX) & mask : count;
      // A 32-bit destination is zero-extended even when the count is 0.
      c.put(d, size, f.apply(c, c.get(d, size), n, shift));
    };
  }

  // The frequent forms, by an immediate from 1 to 31 or 63, without a branch. Bit 63 of the carry
  // bits is
  // CF, bit 62 is CF xor OF: for a left shift that is the result's top bit, for a right rotate the
  // two are
  // the result's two top bits.

  private static long shl64(Cpu c, long a, int n) {
    long r = a << n;
    Flags.resultWithCarryBits(c, r, (a >>> (64 - n)) << 63 | r >>> 63 << 62);
    return r;
  }

  private static int shl32(Cpu c, int a, int n) {
    int r = a << n;
    Flags.resultWithCarryBits(c, r, (long) (a >>> (32 - n)) << 63 | (long) (r >>> 31) << 62);
    return r;
  }

  private static long shr64(Cpu c, long a, int n) {
    long r = a >>> n;
    long carry = a >>> (n - 1);
    long overflow = n == 1 ? a >>> 63 : 0;
    Flags.resultWithCarryBits(c, r, carry << 63 | ((carry ^ overflow) & 1) << 62);
    return r;
  }

  private static int shr32(Cpu c, int a, int n) {
    int r = a >>> n;
    long carry = a >>> (n - 1);
    long overflow = n == 1 ? a >>> 31 : 0;
    Flags.resultWithCarryBits(c, r, carry << 63 | ((carry ^ overflow) & 1) << 62);
    return r;
  }

  private static long rol64(Cpu c, long a, int n) {
    long r = Long.rotateLeft(a, n);
    Flags.carryBits(c, r << 63 | r >>> 63 << 62);
    return r;
  }

  private static int rol32(Cpu c, int a, int n) {
    int r = Integer.rotateLeft(a, n);
    Flags.carryBits(c, (long) r << 63 | (long) (r >>> 31) << 62);
    return r;
  }

  private static long ror64(Cpu c, long a, int n) {
    long r = Long.rotateRight(a, n);
    Flags.carryBits(c, r);
    return r;
  }

  private static int ror32(Cpu c, int a, int n) {
    int r = Integer.rotateRight(a, n);
    Flags.carryBits(c, (long) r << 32);
    return r;
  }

  // Operands are zero-extended; counts are already masked to 31 or 63.

  static long shl(Cpu c, long a, long count, int shift) {
    int n = (int) count;
    if (n == 0) {
      return a;
    }
    int bits = 64 - shift;
    long r = n >= bits ? 0 : a << n;
    boolean carry = n <= bits && ((a >>> (bits - n)) & 1) != 0;
    boolean top = ((r >>> (bits - 1)) & 1) != 0;
    Flags.result(c, r, shift, carry, carry != top);
    return r;
  }

  static long shr(Cpu c, long a, long count, int shift) {
    int n = (int) count;
    if (n == 0) {
      return a;
    }
    int bits = 64 - shift;
    long r = n >= bits ? 0 : a >>> n;
    boolean carry = n <= bits && ((a >>> (n - 1)) & 1) != 0;
    boolean overflow = n == 1 && ((a >>> (bits - 1)) & 1) != 0;
    Flags.result(c, r, shift, carry, overflow);
    return r;
  }

  static long sar(Cpu c, long a, long count, int shift) {
    int n = (int) count;
    if (n == 0) {
      return a;
    }
    long signed = a << shift >> shift;
    long r = signed >> Math.min(n, 63);
    boolean carry = ((signed >> Math.min(n - 1, 63)) & 1) != 0;
    Flags.result(c, r, shift, carry, false);
    return r;
  }

  static long rol(Cpu c, long a, long count, int shift) {
    int bits = 64 - shift;
    if (count == 0) {
      return a;
    }
    int n = (int) count % bits;
    long r = n == 0 ? a : (a << n) | (a >>> (bits - n));
    boolean carry = (r & 1) != 0;
    boolean top = ((r >>> (bits - 1)) & 1) != 0;
    Flags.keepCarryOverflow(c, carry, carry != top);
    return r;
  }

  static long ror(Cpu c, long a, long count, int shift) {
    int bits = 64 - shift;
    if (count == 0) {
      return a;
    }
    int n = (int) count % bits;
    long r = n == 0 ? a : (a >>> n) | (a << (bits - n));
    boolean top = ((r >>> (bits - 1)) & 1) != 0;
    boolean second = ((r >>> (bits - 2)) & 1) != 0;
    Flags.keepCarryOverflow(c, top, top != second);
    return r;
  }

  static long rcl(Cpu c, long a, long count, int shift) {
    int bits = 64 - shift;
    int n = bits >= 32 ? (int) count : (int) count % (bits + 1);
    if (count == 0) {
      return a;
    }
    boolean carry = Flags.cf(c);
    long r = a;
    for (int i = 0; i < n; i++) {
      boolean out = ((r >>> (bits - 1)) & 1) != 0;
      r = (r << 1) | (carry ? 1 : 0);
      carry = out;
    }
    boolean top = ((r >>> (bits - 1)) & 1) != 0;
    Flags.keepCarryOverflow(c, carry, carry != top);
    return r;
  }

  static long rcr(Cpu c, long a, long count, int shift) {
    int bits = 64 - shift;
    int n = bits >= 32 ? (int) count : (int) count % (bits + 1);
    if (count == 0) {
      return a;
    }
    boolean carry = Flags.cf(c);
    long mask = bits == 64 ? -1L : (1L << bits) - 1;
    long r = a & mask;
    for (int i = 0; i < n; i++) {
      boolean out = (r & 1) != 0;
      r = (r >>> 1) | (carry ? 1L << (bits - 1) : 0);
      carry = out;
    }
    boolean top = ((r >>> (bits - 1)) & 1) != 0;
    boolean second = ((r >>> (bits - 2)) & 1) != 0;
    Flags.keepCarryOverflow(c, carry, top != second);
    return r;
  }

  private static Op doubled(Insn insn, int offset) {
    int size = insn.size(0);
    boolean left = insn.mnemonic() == Mnemonic.SHLD;
    boolean byCl = Operands.kind(insn, 2) == Operand.Kind.FIXED;
    int mask = size == 8 ? 63 : 31;
    int count = byCl ? 0 : (int) Operands.immediate(insn, 2) & mask;
    int s = Operands.register(insn, 1);
    if (Operands.isMemory(insn, 0)) {
      Ea ea = Ea.of(insn, offset, size, true);
      return c -> {
        long va = ea.at(c);
        long a = c.loadForWrite(va, size);
        int n = byCl ? c.get8(CpuState.RCX) & mask : count;
        c.store(va, size, shiftDouble(c, left, a, c.get(s, size), n, size));
      };
    }
    int d = Operands.register(insn, 0);
    return c -> {
      int n = byCl ? c.get8(CpuState.RCX) & mask : count;
      c.put(d, size, shiftDouble(c, left, c.get(d, size), c.get(s, size), n, size));
    };
  }

  private static long shiftDouble(Cpu c, boolean left, long a, long b, int n, int size) {
    int bits = size * 8;
    int shift = 64 - bits;
    if (n == 0) {
      return a;
    }
    long r;
    boolean carry;
    if (size == 2) {
      // Counts above 16 shift the pair round, as processors do (the SDM leaves it undefined).
      long wide = left ? (a << 32) | (b << 16) | a : (a << 32) | (b << 16) | a;
      if (left) {
        long shifted = wide << n;
        r = (shifted >>> 32) & 0xffff;
        carry = ((wide >>> (48 - n)) & 1) != 0;
      } else {
        r = (wide >>> n) & 0xffff;
        carry = ((wide >>> (n - 1)) & 1) != 0;
      }
    } else if (left) {
      r = (a << n) | (b >>> (bits - n));
      carry = ((a >>> (bits - n)) & 1) != 0;
    } else {
      r = (a >>> n) | (b << (bits - n));
      carry = ((a >>> (n - 1)) & 1) != 0;
    }
    boolean overflow = (((r ^ a) >>> (bits - 1)) & 1) != 0;
    Flags.result(c, r, shift, carry, overflow);
    return r;
  }
}
