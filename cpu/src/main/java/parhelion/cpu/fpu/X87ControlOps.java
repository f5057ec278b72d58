package parhelion.cpu.fpu;

import static parhelion.cpu.memory.Host.U;

import org.jspecify.annotations.Nullable;
import parhelion.cpu.Cpu;
import parhelion.cpu.CpuState;
import parhelion.cpu.GuestFault;
import parhelion.cpu.decode.Insn;
import parhelion.cpu.interp.Ea;
import parhelion.cpu.interp.Op;

/**
 * x87 control: environment and whole-state images, control and status words, tags and the stack
 * pointer.
 */
final class X87ControlOps {
  private static final int CR0_MP_TS = 0xa;

  private X87ControlOps() {}

  static @Nullable Op translate(Insn insn, int offset) {
    int i = insn.rm & 7;
    return switch (insn.mnemonic()) {
      case FWAIT -> X87ControlOps::fwait;
      case FNINIT -> X87::init;
      case FNCLEX -> c -> X87.fsw(c, X87.fsw(c) & 0x7f00);
      case FNOP -> X87::check;
      // 8087 and 287 instructions that later processors ignore.
      case FNENI, FNDISI, FNSETPM -> c -> {};
      case FNSTCW -> {
        Ea ea = Ea.of(insn, offset, 2, true);
        yield c -> c.store16(ea.at(c), X87.fcw(c));
      }
      case FLDCW -> {
        Ea ea = Ea.of(insn, offset, 2, false);
        yield c -> {
          X87.check(c);
          X87.fcw(c, c.load16(ea.at(c)));
          X87.updateSummary(c);
        };
      }
      case FNSTSW -> fnstsw(insn, offset);
      case FDECSTP ->
          c -> {
            X87.check(c);
            X87.top(c, X87.top(c) - 1);
            X87.fsw(c, X87.fsw(c) & ~X87.C1);
          };
      case FINCSTP ->
          c -> {
            X87.check(c);
            X87.top(c, X87.top(c) + 1);
            X87.fsw(c, X87.fsw(c) & ~X87.C1);
          };
      case FFREE ->
          c -> {
            X87.check(c);
            X87.free(c, i);
            X87.fsw(c, X87.fsw(c) & ~X87.C1);
          };
      case FFREEP ->
          c -> {
            X87.check(c);
            X87.free(c, i);
            X87.fsw(c, X87.fsw(c) & ~X87.C1);
            X87.pop(c);
          };
      case FNSTENV -> {
        boolean wide = insn.operandSize != 2;
        Ea ea = Ea.of(insn, offset, wide ? 28 : 14, true);
        yield c -> fnstenv(c, ea.at(c), wide);
      }
      case FLDENV -> {
        boolean wide = insn.operandSize != 2;
        Ea ea = Ea.of(insn, offset, wide ? 28 : 14, false);
        yield c -> {
          X87.check(c);
          fldenv(c, ea.at(c), wide);
        };
      }
      case FNSAVE -> {
        boolean wide = insn.operandSize != 2;
        Ea ea = Ea.of(insn, offset, wide ? 108 : 94, true);
        yield c -> fnsave(c, ea.at(c), wide);
      }
      case FRSTOR -> {
        boolean wide = insn.operandSize != 2;
        Ea ea = Ea.of(insn, offset, wide ? 108 : 94, false);
        yield c -> {
          X87.check(c);
          frstor(c, ea.at(c), wide);
        };
      }
      default -> null;
    };
  }

  private static void fwait(Cpu c) {
    if ((c.get32(CpuState.CR0) & CR0_MP_TS) == CR0_MP_TS) {
      throw c.fault(GuestFault.NM);
    }
    X87.check(c);
  }

  private static Op fnstsw(Insn insn, int offset) {
    if (!insn.isMemory()) {
      return c -> c.put16(CpuState.RAX, X87.fsw(c));
    }
    Ea ea = Ea.of(insn, offset, 2, true);
    return c -> c.store16(ea.at(c), X87.fsw(c));
  }

  /**
   * In real mode the pointers are stored as 20-bit or 32-bit linear addresses with the opcode
   * between their parts.
   */
  private static boolean realFormat(Cpu c) {
    return !c.protectedMode() || (c.get64(CpuState.RFLAGS) & 1 << 17) != 0;
  }

  private static void storeEnvironment(Cpu c, long va, boolean wide) {
    int step = wide ? 4 : 2;
    long filler = wide ? 0xffff0000L : 0;
    c.store(va, step, X87.fcw(c) | filler);
    c.store(va + step, step, X87.fsw(c) | filler);
    c.store(va + 2 * step, step, X87.fullTags(c) | filler);
    long ip = c.get64(CpuState.FIP);
    long dp = c.get64(CpuState.FDP);
    long fop = c.get16(CpuState.FOP) & 0x7ff;
    long at = va + 3 * step;
    if (realFormat(c)) {
      long ipLinear = ip + ((long) c.get16(CpuState.FCS) << 4);
      long dpLinear = dp + ((long) c.get16(CpuState.FDS) << 4);
      if (wide) {
        c.store32(at, (int) (ipLinear & 0xffff));
        c.store32(at + 4, (int) ((ipLinear >> 16) << 12 & 0x0ffff000 | fop));
        c.store32(at + 8, (int) (dpLinear & 0xffff));
        c.store32(at + 12, (int) ((dpLinear >> 16) << 12 & 0x0ffff000));
      } else {
        c.store16(at, (int) ipLinear);
        c.store16(at + 2, (int) ((ipLinear >> 4) & 0xf000 | fop));
        c.store16(at + 4, (int) dpLinear);
        c.store16(at + 6, (int) ((dpLinear >> 4) & 0xf000));
      }
      return;
    }
    c.store(at, step, ip);
    c.store(at + step, step, wide ? c.get16(CpuState.FCS) | fop << 16 : c.get16(CpuState.FCS));
    c.store(at + 2 * step, step, dp);
    c.store(at + 3 * step, step, c.get16(CpuState.FDS) | filler);
  }

  private static void loadEnvironment(Cpu c, long va, boolean wide) {
    int step = wide ? 4 : 2;
    X87.fcw(c, c.load16(va));
    X87.fsw(c, c.load16(va + step));
    X87.loadTags(c, c.load16(va + 2 * step));
    long at = va + 3 * step;
    if (realFormat(c)) {
      int low = c.load16(at);
      int high = c.load(at + step, step) > 0 ? (int) c.load(at + step, step) : 0;
      int dataHigh = (int) c.load(at + 3 * step, step);
      long upper = wide ? (long) (high >> 12 & 0xffff) << 16 : (long) (high & 0xf000) << 4;
      long dataUpper =
          wide ? (long) (dataHigh >> 12 & 0xffff) << 16 : (long) (dataHigh & 0xf000) << 4;
      c.put64(CpuState.FIP, low | upper);
      c.put64(CpuState.FDP, c.load16(at + 2 * step) | dataUpper);
      c.put64(CpuState.FCS, 0);
      c.put64(CpuState.FDS, 0);
      c.put64(CpuState.FOP, high & 0x7ff);
    } else {
      c.put64(CpuState.FIP, c.load(at, step));
      c.put64(CpuState.FCS, c.load16(at + step));
      c.put64(CpuState.FDP, c.load(at + 2 * step, step));
      c.put64(CpuState.FDS, c.load16(at + 3 * step));
      c.put64(CpuState.FOP, wide ? c.load16(at + step + 2) & 0x7ff : 0);
    }
    X87.updateSummary(c);
  }

  static void fnstenv(Cpu c, long va, boolean wide) {
    c.checkWritable(va, wide ? 28 : 14);
    storeEnvironment(c, va, wide);
    X87.fcw(c, X87.fcw(c) | 0x3f);
    X87.updateSummary(c);
  }

  static void fldenv(Cpu c, long va, boolean wide) {
    probe(c, va, wide ? 28 : 14);
    loadEnvironment(c, va, wide);
  }

  private static void probe(Cpu c, long va, int bytes) {
    c.load8(va);
    c.load8(va + bytes - 1);
  }

  static void fnsave(Cpu c, long va, boolean wide) {
    c.checkWritable(va, wide ? 108 : 94);
    storeEnvironment(c, va, wide);
    long at = va + (wide ? 28 : 14);
    for (int i = 0; i < 8; i++) {
      long register = X87.st(c, i);
      c.store64(at + i * 10, U.getLong(register));
      c.store16(at + i * 10 + 8, U.getShort(register + 8));
    }
    X87.init(c);
  }

  static void frstor(Cpu c, long va, boolean wide) {
    probe(c, va, wide ? 108 : 94);
    loadEnvironment(c, va, wide);
    long at = va + (wide ? 28 : 14);
    for (int i = 0; i < 8; i++) {
      long register = X87.st(c, i);
      U.putLong(register, c.load64(at + i * 10));
      U.putShort(register + 8, (short) c.load16(at + i * 10 + 8));
    }
  }
}
