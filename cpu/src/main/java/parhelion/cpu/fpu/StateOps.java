package parhelion.cpu.fpu;

import static parhelion.cpu.fpu.StateArea.AVX_COMPONENT;
import static parhelion.cpu.fpu.StateArea.SSE_COMPONENT;
import static parhelion.cpu.fpu.StateArea.X87_COMPONENT;

import org.jspecify.annotations.Nullable;
import parhelion.cpu.Cpu;
import parhelion.cpu.CpuState;
import parhelion.cpu.GuestFault;
import parhelion.cpu.decode.Insn;
import parhelion.cpu.interp.Ea;
import parhelion.cpu.interp.Op;

/**
 * FXSAVE, FXRSTOR, XSAVE, XSAVEOPT, XSAVEC, XRSTOR, LDMXCSR and STMXCSR (SDM volume 1, chapter 13).
 */
final class StateOps {
  private static final int SSE_AND_AVX = 6;
  private static final long COMPACT = 1L << 63;

  /** In both formats, as there is no other component behind the header. */
  private static final int AVX_AT = StateArea.componentOffset(AVX_COMPONENT);

  private static final int CR4_OSXSAVE = 1 << 18;

  private StateOps() {}

  static @Nullable Op translate(Insn insn, int offset, int modeKey) {
    return switch (insn.mnemonic()) {
      case FXSAVE, FXRSTOR ->
          (modeKey & (Cpu.MODE_EM | Cpu.MODE_TS)) != 0
              ? Operands.raise(GuestFault.NM)
              : fx(insn, offset);
      case XSAVE, XSAVEOPT, XSAVEC, XRSTOR -> xsave(insn, offset, modeKey);
      case LDMXCSR, VLDMXCSR -> {
        Op gate = Operands.sseGate(insn, modeKey);
        Ea ea = Ea.of(insn, offset, 4, false);
        yield gate != null
            ? gate
            : c -> c.put64(CpuState.MXCSR, StateArea.checkMxcsr(c, c.load32(ea.at(c))));
      }
      case STMXCSR, VSTMXCSR -> {
        Op gate = Operands.sseGate(insn, modeKey);
        Ea ea = Ea.of(insn, offset, 4, true);
        yield gate != null ? gate : c -> c.store32(ea.at(c), c.get32(CpuState.MXCSR));
      }
      default -> null;
    };
  }

  private static boolean wide(Insn insn) {
    return insn.codeBits == 64 && (insn.rex & 8) != 0;
  }

  private static Op fx(Insn insn, int offset) {
    boolean wide = wide(insn);
    boolean save = insn.mnemonic() == parhelion.cpu.decode.Mnemonic.FXSAVE;
    Ea ea = Ea.of(insn, offset, StateArea.LEGACY_BYTES, save);
    return save
        ? c -> fxsave(c, Operands.aligned(c, ea.at(c)), wide)
        : c -> fxrstor(c, Operands.aligned(c, ea.at(c)), wide);
  }

  static void fxsave(Cpu c, long va, boolean wide) {
    c.checkWritable(va, StateArea.LEGACY_BYTES);
    StateArea.saveX87(c, va, wide);
    StateArea.saveMxcsr(c, va);
    StateArea.saveSse(c, va);
  }

  static void fxrstor(Cpu c, long va, boolean wide) {
    probe(c, va, StateArea.LEGACY_BYTES);
    c.put64(CpuState.MXCSR, StateArea.checkedMxcsr(c, va));
    StateArea.restoreX87(c, va, wide);
    StateArea.restoreSse(c, va);
  }

  /**
   * Raises the fault that reading any of the bytes would raise; the range spans at most two pages.
   */
  private static void probe(Cpu c, long va, int bytes) {
    c.load8(va);
    c.load8(va + bytes - 1);
  }

  private static Op xsave(Insn insn, int offset, int modeKey) {
    boolean notAvailable = (modeKey & Cpu.MODE_TS) != 0;
    boolean wide = wide(insn);
    boolean restore = insn.mnemonic() == parhelion.cpu.decode.Mnemonic.XRSTOR;
    Ea ea = Ea.of(insn, offset, StateArea.LEGACY_BYTES + StateArea.HEADER_BYTES, !restore);
    Area area =
        switch (insn.mnemonic()) {
          case XSAVE -> (c, va, mask) -> save(c, va, mask, wide, false);
          case XSAVEOPT -> (c, va, mask) -> save(c, va, mask, wide, true);
          case XSAVEC -> (c, va, mask) -> saveCompact(c, va, mask, wide);
          default -> (c, va, mask) -> restore(c, va, mask, wide);
        };
    return c -> {
      if ((c.get64(CpuState.CR4) & CR4_OSXSAVE) == 0) {
        throw c.fault(GuestFault.UD);
      }
      if (notAvailable) {
        throw c.fault(GuestFault.NM);
      }
      long va = ea.at(c);
      if ((va & 63) != 0) {
        throw c.fault(GuestFault.GP);
      }
      long asked = c.get64(CpuState.RAX) & 0xffffffffL | c.get64(CpuState.RDX) << 32;
      area.apply(c, va, asked & c.get64(CpuState.XCR0));
    };
  }

  @FunctionalInterface
  private interface Area {
    void apply(Cpu c, long va, long mask);
  }

  private static boolean has(long mask, int component) {
    return (mask >> component & 1) != 0;
  }

  static void save(Cpu c, long va, long mask, boolean wide, boolean onlyInUse) {
    c.checkWritable(va, StateArea.standardBytes(mask));
    long inUse = StateArea.inUse(c);
    long old = c.load64(va + StateArea.LEGACY_BYTES);
    saveComponents(c, va, onlyInUse ? mask & inUse : mask, mask, wide);
    c.store64(va + StateArea.LEGACY_BYTES, old & ~mask | inUse & mask);
  }

  static void saveCompact(Cpu c, long va, long mask, boolean wide) {
    c.checkWritable(va, StateArea.compactBytes(mask));
    long inUse = StateArea.inUse(c);
    if (c.get32(CpuState.MXCSR) != StateArea.MXCSR_INIT) {
      inUse |= 1 << SSE_COMPONENT;
    }
    long saved = mask & inUse;
    saveComponents(c, va, saved, has(saved, SSE_COMPONENT) ? 2 : 0, wide);
    long header = va + StateArea.LEGACY_BYTES;
    c.store64(header, saved);
    c.store64(header + 8, mask | COMPACT);
    for (int i = 16; i < StateArea.HEADER_BYTES; i += 8) {
      c.store64(header + i, 0);
    }
  }

  private static void saveComponents(Cpu c, long va, long saved, long mxcsrMask, boolean wide) {
    if (has(saved, X87_COMPONENT)) {
      StateArea.saveX87(c, va, wide);
    }
    if ((mxcsrMask & SSE_AND_AVX) != 0) {
      StateArea.saveMxcsr(c, va);
    }
    if (has(saved, SSE_COMPONENT)) {
      StateArea.saveSse(c, va);
    }
    if (has(saved, AVX_COMPONENT)) {
      StateArea.saveAvx(c, va + AVX_AT);
    }
  }

  static void restore(Cpu c, long va, long mask, boolean wide) {
    probe(c, va, StateArea.LEGACY_BYTES + StateArea.HEADER_BYTES);
    long header = va + StateArea.LEGACY_BYTES;
    long present = c.load64(header);
    long compaction = c.load64(header + 8);
    boolean compact = compaction < 0;
    checkHeader(c, header, present, compaction);
    probe(
        c,
        va,
        compact ? StateArea.compactBytes(compaction & ~COMPACT) : StateArea.standardBytes(mask));
    long loaded = mask & present;
    int mxcsr = c.get32(CpuState.MXCSR);
    if (compact ? has(loaded, SSE_COMPONENT) : (mask & SSE_AND_AVX) != 0) {
      mxcsr = StateArea.checkedMxcsr(c, va);
    } else if (compact && has(mask, SSE_COMPONENT)) {
      mxcsr = StateArea.MXCSR_INIT;
    }
    c.put64(CpuState.MXCSR, mxcsr);
    if (has(loaded, X87_COMPONENT)) {
      StateArea.restoreX87(c, va, wide);
    } else if (has(mask, X87_COMPONENT)) {
      StateArea.initX87(c);
    }
    if (has(loaded, SSE_COMPONENT)) {
      StateArea.restoreSse(c, va);
    } else if (has(mask, SSE_COMPONENT)) {
      StateArea.initSse(c);
    }
    if (has(loaded, AVX_COMPONENT)) {
      StateArea.restoreAvx(c, va + AVX_AT);
    } else if (has(mask, AVX_COMPONENT)) {
      StateArea.initAvx(c);
    }
  }

  private static void checkHeader(Cpu c, long header, long present, long compaction) {
    long xcr0 = c.get64(CpuState.XCR0);
    boolean bad;
    if (compaction < 0) {
      long components = compaction & ~COMPACT;
      bad = (components & ~xcr0) != 0 || (present & ~components) != 0;
      for (int i = 16; i < StateArea.HEADER_BYTES; i += 8) {
        bad |= c.load64(header + i) != 0;
      }
    } else {
      bad = (present & ~xcr0) != 0 || (compaction | c.load64(header + 16)) != 0;
    }
    if (bad) {
      throw c.fault(GuestFault.GP);
    }
  }
}
