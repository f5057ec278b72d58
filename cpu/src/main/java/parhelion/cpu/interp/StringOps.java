package parhelion.cpu.interp;

import static parhelion.cpu.memory.Host.U;

import org.jspecify.annotations.Nullable;
import parhelion.cpu.Cpu;
import parhelion.cpu.CpuState;
import parhelion.cpu.Flags;
import parhelion.cpu.Rflags;
import parhelion.cpu.Segments;
import parhelion.cpu.decode.Insn;
import parhelion.cpu.decode.Mnemonic;

/**
 * MOVS, STOS, LODS, SCAS, CMPS with their repeat prefixes. A repeated instruction commits each
 * element as it goes and yields after {@link #BURST} elements by pointing RIP at itself, so it is
 * interruptible, restartable after a fault, and bounded. Forward moves and fills in 64-bit mode go
 * page by page.
 */
final class StringOps {
  private static final int BURST = 4096;
  private static final int RCX = CpuState.RCX;
  private static final int RSI = CpuState.RSI;
  private static final int RDI = CpuState.RDI;
  private static final int RAX = CpuState.RAX;

  private final Mnemonic mnemonic;
  private final int size;
  private final int addressSize;
  private final long addressMask;
  private final int sourceSegment;
  private final boolean flat;
  private final boolean repeated;

  /** ZF value on which a repeated comparison goes on. */
  private final boolean whileZero;

  private final int offset;

  private StringOps(Insn insn, int offset) {
    mnemonic = insn.mnemonic();
    size = insn.size(0);
    addressSize = insn.addressSize;
    addressMask = addressSize == 8 ? -1L : addressSize == 4 ? 0xffffffffL : 0xffffL;
    sourceSegment = insn.segmentOverride == Insn.NONE ? CpuState.DS : insn.segmentOverride;
    flat = insn.codeBits == 64;
    repeated = insn.rep || insn.repne;
    whileZero = !insn.repne;
    this.offset = offset;
  }

  static @Nullable Op translate(Insn insn, int offset) {
    return switch (insn.mnemonic()) {
      case MOVS, STOS, LODS, SCAS, CMPS -> {
        StringOps s = new StringOps(insn, offset);
        yield s.repeated ? s::repeat : s::once;
      }
      default -> null;
    };
  }

  private long source(Cpu c, long si) {
    long masked = si & addressMask;
    if (!flat) {
      return Segments.linear(c, sourceSegment, masked, size, false);
    }
    return sourceSegment == CpuState.FS || sourceSegment == CpuState.GS
        ? masked + c.get64(CpuState.SEG_BASE + sourceSegment * 8)
        : masked;
  }

  private long destination(Cpu c, long di, boolean write) {
    long masked = di & addressMask;
    return flat ? masked : Segments.linear(c, CpuState.ES, masked, size, write);
  }

  private void advance(Cpu c, int register, long by) {
    c.put(register, addressSize, c.get64(register) + by);
  }

  private void once(Cpu c) {
    element(c, (c.get64(CpuState.RFLAGS) & Rflags.DF) != 0 ? -size : size);
  }

  private void element(Cpu c, int step) {
    int shift = 64 - 8 * size;
    switch (mnemonic) {
      case MOVS -> {
        long value = c.load(source(c, c.get64(RSI)), size);
        c.store(destination(c, c.get64(RDI), true), size, value);
        advance(c, RSI, step);
        advance(c, RDI, step);
      }
      case STOS -> {
        c.store(destination(c, c.get64(RDI), true), size, c.get(RAX, size));
        advance(c, RDI, step);
      }
      case LODS -> {
        c.put(RAX, size, c.load(source(c, c.get64(RSI)), size));
        advance(c, RSI, step);
      }
      case SCAS -> {
        long value = c.load(destination(c, c.get64(RDI), false), size);
        Flags.sub(c, c.get(RAX, size), value, shift);
        advance(c, RDI, step);
      }
      default -> {
        long a = c.load(source(c, c.get64(RSI)), size);
        long b = c.load(destination(c, c.get64(RDI), false), size);
        Flags.sub(c, a, b, shift);
        advance(c, RSI, step);
        advance(c, RDI, step);
      }
    }
  }

  private void repeat(Cpu c) {
    boolean backward = (c.get64(CpuState.RFLAGS) & Rflags.DF) != 0;
    int step = backward ? -size : size;
    boolean compares = mnemonic == Mnemonic.SCAS || mnemonic == Mnemonic.CMPS;
    long count = c.get(RCX, addressSize);
    for (int done = 0; done < BURST && count != 0; ) {
      int bulk = backward || !flat || addressSize != 8 ? 0 : bulk(c, count);
      if (bulk > 0) {
        count -= bulk;
        done += 64;
        c.put(RCX, addressSize, count);
        continue;
      }
      element(c, step);
      done++;
      count--;
      c.put(RCX, addressSize, count);
      if (compares && Flags.zf(c) != whileZero) {
        return;
      }
    }
    if (count != 0) {
      c.put64(CpuState.RIP, c.get64(CpuState.RIP_BASE) + offset);
    }
  }

  /**
   * Moves or fills as many elements as lie in the current pages of source and destination; 0 where
   * that cannot be done.
   */
  private int bulk(Cpu c, long count) {
    if ((mnemonic != Mnemonic.MOVS && mnemonic != Mnemonic.STOS) || count < 8) {
      return 0;
    }
    long di = c.get64(RDI);
    long room = 4096 - (di & 4095);
    long si = 0;
    if (mnemonic == Mnemonic.MOVS) {
      si = source(c, c.get64(RSI));
      room = Math.min(room, 4096 - (si & 4095));
    }
    int n = (int) Math.min(room / size, count);
    if (n < 8) {
      return 0;
    }
    int bytes = n * size;
    long to = c.writableHostRange(di, bytes);
    if (to == 0) {
      return 0;
    }
    if (mnemonic == Mnemonic.MOVS) {
      long from = c.readableHostRange(si, bytes);
      if (from == 0 || (to > from && to < from + bytes)) {
        return 0;
      }
      U.copyMemory(from, to, bytes);
      advance(c, RSI, bytes);
    } else {
      fill(to, n, c.get64(RAX));
    }
    advance(c, RDI, bytes);
    return n;
  }

  private void fill(long to, int n, long value) {
    long end = to + (long) n * size;
    switch (size) {
      case 1 -> U.setMemory(to, n, (byte) value);
      case 2 -> {
        for (long at = to; at < end; at += 2) {
          U.putShort(at, (short) value);
        }
      }
      case 4 -> {
        for (long at = to; at < end; at += 4) {
          U.putInt(at, (int) value);
        }
      }
      default -> {
        for (long at = to; at < end; at += 8) {
          U.putLong(at, value);
        }
      }
    }
  }
}
