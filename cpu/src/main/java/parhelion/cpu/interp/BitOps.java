package parhelion.cpu.interp;

import org.jspecify.annotations.Nullable;
import parhelion.cpu.Cpu;
import parhelion.cpu.Flags;
import parhelion.cpu.decode.Insn;
import parhelion.cpu.decode.Mnemonic;

/** Bit tests, bit scans, byte swaps. */
final class BitOps {
  private BitOps() {}

  static @Nullable Op translate(Insn insn, int offset) {
    return switch (insn.mnemonic()) {
      case BT, BTS, BTR, BTC -> bitTest(insn, offset);
      case BSF, BSR, TZCNT, LZCNT, POPCNT -> scan(insn, offset);
      case BSWAP -> byteSwap(insn);
      default -> null;
    };
  }

  private static long apply(Mnemonic m, long a, long bit) {
    return switch (m) {
      case BTS -> a | bit;
      case BTR -> a & ~bit;
      case BTC -> a ^ bit;
      default -> a;
    };
  }

  private static Op bitTest(Insn insn, int offset) {
    Mnemonic m = insn.mnemonic();
    int size = insn.size(0);
    int bits = size * 8;
    boolean immediate = Operands.isImmediate(insn, 1);
    int imm = immediate ? (int) Operands.immediate(insn, 1) & (bits - 1) : 0;
    int s = immediate ? 0 : Operands.register(insn, 1);
    if (!Operands.isMemory(insn, 0)) {
      int d = Operands.register(insn, 0);
      return c -> {
        int n = immediate ? imm : (int) c.get(s, size) & (bits - 1);
        long a = c.get(d, size);
        if (m != Mnemonic.BT) {
          c.put(d, size, apply(m, a, 1L << n));
        }
        Flags.setCarry(c, ((a >>> n) & 1) != 0);
      };
    }
    Ea ea = Ea.of(insn, offset, size, m != Mnemonic.BT);
    boolean lock = insn.lock;
    int sizeShift = Integer.numberOfTrailingZeros(bits);
    int unused = 64 - bits;
    return c -> {
      long va;
      int n;
      if (immediate) {
        va = ea.at(c);
        n = imm;
      } else {
        // The bit offset is signed and may reach outside the operand.
        long index = c.get(s, size) << unused >> unused;
        va = ea.at(c, (index >> sizeShift) * size);
        n = (int) index & (bits - 1);
      }
      testMemory(c, m, va, size, n, lock);
    };
  }

  private static void testMemory(Cpu c, Mnemonic m, long va, int size, int n, boolean lock) {
    long a;
    if (m == Mnemonic.BT) {
      a = c.load(va, size);
    } else if (lock) {
      do {
        a = c.loadForWrite(va, size);
      } while (!c.compareAndSet(va, size, a, apply(m, a, 1L << n)));
    } else {
      a = c.loadForWrite(va, size);
      c.store(va, size, apply(m, a, 1L << n));
    }
    Flags.setCarry(c, ((a >>> n) & 1) != 0);
  }

  private static Op scan(Insn insn, int offset) {
    Mnemonic m = insn.mnemonic();
    int size = insn.size(0);
    int d = Operands.register(insn, 0);
    if (Operands.isMemory(insn, 1)) {
      Ea ea = Ea.of(insn, offset, size, false);
      return c -> scan(c, m, d, size, c.load(ea.at(c), size));
    }
    int s = Operands.register(insn, 1);
    return c -> scan(c, m, d, size, c.get(s, size));
  }

  private static void scan(Cpu c, Mnemonic m, int d, int size, long a) {
    int bits = size * 8;
    switch (m) {
      case BSF, BSR -> {
        if (a == 0) {
          // The destination keeps its value; AMD says so and Intel does so (32-bit forms included).
          Flags.result(c, 0, 0, false, false);
          return;
        }
        int n =
            m == Mnemonic.BSF ? Long.numberOfTrailingZeros(a) : 63 - Long.numberOfLeadingZeros(a);
        c.put(d, size, n);
        Flags.result(c, 1, 0, false, false);
      }
      case TZCNT, LZCNT -> {
        int n =
            a == 0
                ? bits
                : m == Mnemonic.TZCNT
                    ? Long.numberOfTrailingZeros(a)
                    : Long.numberOfLeadingZeros(a) - (64 - bits);
        c.put(d, size, n);
        Flags.result(c, n, 0, n == bits, false);
      }
      default -> {
        int n = Long.bitCount(a);
        c.put(d, size, n);
        // POPCNT clears all flags but ZF, PF included.
        Flags.set(c, n == 0 ? parhelion.cpu.Rflags.ZF : 0);
      }
    }
  }

  private static Op byteSwap(Insn insn) {
    int size = insn.size(0);
    int d = Operands.register(insn, 0);
    return switch (size) {
      case 8 -> c -> c.put64(d, Long.reverseBytes(c.get64(d)));
      case 4 -> c -> c.put32(d, Integer.reverseBytes(c.get32(d)));
      // Undefined by the SDM; processors give zero.
      default -> c -> c.put16(d, 0);
    };
  }
}
