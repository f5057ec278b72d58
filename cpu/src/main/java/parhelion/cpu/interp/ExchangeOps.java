package parhelion.cpu.interp;

import org.jspecify.annotations.Nullable;
import parhelion.cpu.Cpu;
import parhelion.cpu.CpuState;
import parhelion.cpu.Flags;
import parhelion.cpu.GuestFault;
import parhelion.cpu.Rflags;
import parhelion.cpu.decode.Insn;
import parhelion.cpu.memory.Host;

/**
 * XCHG, XADD and the compare-exchanges: atomic on memory (XCHG always, the others with LOCK; doing
 * so always is allowed).
 */
final class ExchangeOps {
  private ExchangeOps() {}

  static @Nullable Op translate(Insn insn, int offset) {
    return switch (insn.mnemonic()) {
      case XCHG -> exchange(insn, offset);
      case XADD -> exchangeAdd(insn, offset);
      case CMPXCHG -> compareExchange(insn, offset);
      case CMPXCHG8B -> compareExchange8(insn, offset);
      case CMPXCHG16B -> compareExchange16(insn, offset);
      default -> null;
    };
  }

  private static Op exchange(Insn insn, int offset) {
    int size = insn.size(0);
    int s = Operands.register(insn, 1);
    if (!Operands.isMemory(insn, 0)) {
      int d = Operands.register(insn, 0);
      return c -> {
        long a = c.get(d, size);
        c.put(d, size, c.get(s, size));
        c.put(s, size, a);
      };
    }
    Ea ea = Ea.of(insn, offset, size, true);
    return c -> {
      long va = ea.at(c);
      long value = c.get(s, size);
      long a;
      do {
        a = c.loadForWrite(va, size);
      } while (!c.compareAndSet(va, size, a, value));
      c.put(s, size, a);
    };
  }

  private static Op exchangeAdd(Insn insn, int offset) {
    int size = insn.size(0);
    int shift = 64 - 8 * size;
    int s = Operands.register(insn, 1);
    if (!Operands.isMemory(insn, 0)) {
      int d = Operands.register(insn, 0);
      return c -> {
        long a = c.get(d, size);
        long sum = Flags.add(c, a, c.get(s, size), shift);
        c.put(s, size, a);
        c.put(d, size, sum);
      };
    }
    Ea ea = Ea.of(insn, offset, size, true);
    return c -> {
      long va = ea.at(c);
      long b = c.get(s, size);
      long a;
      do {
        a = c.loadForWrite(va, size);
      } while (!c.compareAndSet(va, size, a, a + b));
      Flags.add(c, a, b, shift);
      c.put(s, size, a);
    };
  }

  private static Op compareExchange(Insn insn, int offset) {
    int size = insn.size(0);
    int shift = 64 - 8 * size;
    int s = Operands.register(insn, 1);
    if (!Operands.isMemory(insn, 0)) {
      int d = Operands.register(insn, 0);
      return c -> {
        long expected = c.get(CpuState.RAX, size);
        long a = c.get(d, size);
        Flags.sub(c, expected, a, shift);
        if (a == expected) {
          c.put(d, size, c.get(s, size));
        } else {
          c.put(CpuState.RAX, size, a);
        }
      };
    }
    Ea ea = Ea.of(insn, offset, size, true);
    return c -> {
      long va = ea.at(c);
      long expected = c.get(CpuState.RAX, size);
      while (true) {
        long a = c.loadForWrite(va, size);
        if (a != expected) {
          // The processor writes the old value back; nobody can tell, so it is not done.
          Flags.sub(c, expected, a, shift);
          c.put(CpuState.RAX, size, a);
          return;
        }
        if (c.compareAndSet(va, size, expected, c.get(s, size))) {
          Flags.sub(c, expected, expected, shift);
          return;
        }
      }
    };
  }

  private static void setZero(Cpu c, boolean zero) {
    Flags.set(c, (Flags.get(c) & ~Rflags.ZF) | (zero ? Rflags.ZF : 0));
  }

  private static Op compareExchange8(Insn insn, int offset) {
    Ea ea = Ea.of(insn, offset, 8, true);
    return c -> {
      long va = ea.at(c);
      long expected = ((long) c.get32(CpuState.RDX) << 32) | (c.get32(CpuState.RAX) & 0xffffffffL);
      long value = ((long) c.get32(CpuState.RCX) << 32) | (c.get32(CpuState.RBX) & 0xffffffffL);
      while (true) {
        long a = c.loadForWrite(va, 8);
        if (a != expected) {
          c.put32(CpuState.RAX, (int) a);
          c.put32(CpuState.RDX, (int) (a >>> 32));
          setZero(c, false);
          return;
        }
        if (c.compareAndSet(va, 8, expected, value)) {
          setZero(c, true);
          return;
        }
      }
    };
  }

  /** 16 bytes at once are not atomic towards other host threads; see docs/quirks.md. */
  private static Op compareExchange16(Insn insn, int offset) {
    Ea ea = Ea.of(insn, offset, 16, true);
    return c -> {
      long va = ea.at(c);
      if ((va & 15) != 0) {
        throw c.fault(GuestFault.GP, 0);
      }
      long pointer = c.writePointer(va, 16);
      long low = c.loadForWrite(va, 8);
      long high = c.loadForWrite(va + 8, 8);
      boolean equal = low == c.get64(CpuState.RAX) && high == c.get64(CpuState.RDX);
      if (equal) {
        Host.U.putLong(pointer, c.get64(CpuState.RBX));
        Host.U.putLong(pointer + 8, c.get64(CpuState.RCX));
        c.finishWrite(pointer, va, 16);
      } else {
        c.put64(CpuState.RAX, low);
        c.put64(CpuState.RDX, high);
      }
      setZero(c, equal);
    };
  }
}
