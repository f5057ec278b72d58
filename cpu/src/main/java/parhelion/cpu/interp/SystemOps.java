package parhelion.cpu.interp;

import org.jspecify.annotations.Nullable;
import parhelion.cpu.ControlRegisters;
import parhelion.cpu.Cpu;
import parhelion.cpu.CpuState;
import parhelion.cpu.Flags;
import parhelion.cpu.GuestFault;
import parhelion.cpu.Msrs;
import parhelion.cpu.Rflags;
import parhelion.cpu.SystemCalls;
import parhelion.cpu.decode.Insn;
import parhelion.cpu.decode.Mnemonic;
import parhelion.cpu.memory.Host;

/**
 * System instructions: the dispatch to their families, and those that are of none. What the current
 * privilege level forbids is offered to the monitor ({@link #privileged}): that path is a
 * paravirtual guest's everyday life and must stay cheap.
 */
final class SystemOps {
  private static final Op NOTHING = c -> {};

  private SystemOps() {}

  static @Nullable Op translate(Insn insn, int offset, int modeKey) {
    Op op = plain(insn, offset);
    if (op == null) {
      op = SegmentOps.translate(insn, offset);
    }
    if (op == null) {
      op = RegisterOps.translate(insn, offset);
    }
    if (op == null) {
      op = PortOps.translate(insn, offset);
    }
    if (op == null) {
      op = LegacyOps.translate(insn, offset);
    }
    return op;
  }

  private static @Nullable Op plain(Insn insn, int offset) {
    int length = insn.length;
    return switch (insn.mnemonic()) {
      case PAUSE -> c -> c.monitor.pause(c);
      case NOP, ENDBR32, ENDBR64, LFENCE, SFENCE -> NOTHING;
      case PREFETCH, PREFETCHW, PREFETCHWT1, PREFETCHNTA, PREFETCHT0, PREFETCHT1, PREFETCHT2 ->
          NOTHING;
      case MFENCE -> c -> Host.U.fullFence();
      case CLFLUSH, CLFLUSHOPT, CLWB -> flushLine(insn, offset);
      case INVD, WBINVD -> {
        Mnemonic by = insn.mnemonic();
        yield guarded(insn, offset, c -> c.monitor.sensitive(c, by));
      }
      case HLT -> guarded(insn, offset, c -> c.monitor.halt(c));
      case CLI -> clearInterrupts(insn, offset);
      case STI -> setInterrupts(insn, offset);
      case PUSHF -> pushFlags(insn.operandSize);
      case POPF -> popFlags(insn.operandSize);
      case INT -> {
        int vector = (int) insn.imm & 0xff;
        yield c -> interrupt(c, vector, length);
      }
      case INT3 -> c -> interrupt(c, GuestFault.BP, length);
      case INTO ->
          c -> {
            if (Flags.of(c)) {
              interrupt(c, GuestFault.OF, length);
            }
          };
      case INT1 -> c -> c.monitor.exception(c, GuestFault.DB, 0, 0);
      case SYSCALL -> syscall();
      case SYSRET -> sysret(insn, offset);
      case SYSENTER -> sysenter();
      case SYSEXIT -> sysexit(insn, offset);
      case CPUID -> c -> c.monitor.cpuid(c);
      case RDTSC -> timeStamp(insn, offset, false);
      case RDTSCP -> timeStamp(insn, offset, true);
      case RDRAND, RDSEED -> random(insn);
      case CLAC -> alignmentCheck(false);
      case STAC -> alignmentCheck(true);
      case UD0, UD1, UD2 -> Translator.undefined(offset);
      default -> null;
    };
  }

  // --- privilege ---

  /** {@code op} at CPL 0; at other levels the monitor's to emulate, or #GP(0). */
  static Op guarded(Insn insn, int offset, Op op) {
    Insn copy = insn.copy();
    return c -> {
      if (c.cpl() == 0) {
        op.exec(c);
      } else {
        privileged(c, offset, copy);
      }
    };
  }

  /**
   * Offers an instruction to the monitor with RIP at it; #GP(0) if that declines. Where the
   * instruction is not the last of its block, RIP is that of the block's end again afterwards.
   */
  static void privileged(Cpu c, int offset, Insn insn) {
    long end = c.rip();
    long rip = c.get64(CpuState.RIP_BASE) + offset;
    c.rip(rip);
    if (!c.monitor.privileged(c, insn)) {
      c.rip(end);
      throw c.fault(GuestFault.GP, 0);
    }
    if (c.rip() == rip + insn.length && endsInBlock(insn)) {
      c.rip(end);
    }
  }

  /** Sensitive instructions that do not end their block. */
  private static boolean endsInBlock(Insn insn) {
    return switch (insn.mnemonic()) {
      case RDTSC, RDTSCP, RDPMC -> true;
      default -> false;
    };
  }

  /** Whether IOPL (or real mode) allows CLI, STI and ports. */
  static boolean withinIopl(Cpu c) {
    return c.cpl() <= (c.get32(CpuState.RFLAGS) >>> 12 & 3);
  }

  // --- flags ---

  private static Op clearInterrupts(Insn insn, int offset) {
    Insn copy = insn.copy();
    return c -> {
      if (withinIopl(c)) {
        c.monitor.sensitive(c, Mnemonic.CLI);
        c.put64(CpuState.RFLAGS, c.get64(CpuState.RFLAGS) & ~(long) Rflags.IF);
      } else {
        privileged(c, offset, copy);
      }
    };
  }

  private static Op setInterrupts(Insn insn, int offset) {
    Insn copy = insn.copy();
    return c -> {
      if (!withinIopl(c)) {
        privileged(c, offset, copy);
        return;
      }
      c.monitor.sensitive(c, Mnemonic.STI);
      long flags = c.get64(CpuState.RFLAGS);
      if ((flags & Rflags.IF) == 0) {
        c.put64(CpuState.RFLAGS, flags | Rflags.IF);
        c.requestAttention();
        shadow(c);
      }
    };
  }

  /** Holds interrupts and debug traps back until the next instruction is done. */
  static void shadow(Cpu c) {
    c.interruptShadow = true;
    c.updateSlow();
  }

  private static Op pushFlags(int size) {
    return c -> StackOps.push(c, c.rflags() & ~(long) (Rflags.RF | Rflags.VM), size);
  }

  private static Op popFlags(int size) {
    long always =
        Rflags.ARITHMETIC | Rflags.TF | Rflags.DF | Rflags.NT | Rflags.AC | Rflags.ID | Rflags.RF;
    long width = size == 2 ? 0xffffL : 0xffff_ffffL;
    return c -> {
      long value = StackOps.peek(c, 0, size) & ~(long) Rflags.RF;
      long mask = always;
      int cpl = c.cpl();
      if (cpl == 0) {
        mask |= Rflags.IOPL;
      }
      if (cpl <= (c.get32(CpuState.RFLAGS) >>> 12 & 3)) {
        mask |= Rflags.IF;
        c.monitor.sensitive(c, Mnemonic.POPF);
      }
      mask &= width;
      StackOps.release(c, size);
      c.rflags((c.rflags() & ~mask) | (value & mask));
    };
  }

  private static Op alignmentCheck(boolean set) {
    return c -> {
      if (c.cpl() != 0) {
        throw c.fault(GuestFault.UD);
      }
      c.alignmentCheck(set);
    };
  }

  // --- system calls ---

  private static void interrupt(Cpu c, int vector, int length) {
    c.stepTrapSuppressed = true;
    c.monitor.softwareInterrupt(c, vector, length);
  }

  private static Op syscall() {
    return c -> {
      if ((c.get64(CpuState.EFER) & ControlRegisters.EFER_SCE) == 0) {
        throw c.fault(GuestFault.UD);
      }
      c.stepTrapSuppressed = true;
      c.monitor.syscall(c);
    };
  }

  private static Op sysret(Insn insn, int offset) {
    boolean wide = insn.operandSize == 8;
    Op op =
        guarded(
            insn,
            offset,
            c -> {
              SystemCalls.sysret(c, wide);
              c.monitor.sensitive(c, Mnemonic.SYSRET);
            });
    return c -> {
      if ((c.get64(CpuState.EFER) & ControlRegisters.EFER_SCE) == 0 || c.codeBits != 64) {
        throw c.fault(GuestFault.UD);
      }
      op.exec(c);
    };
  }

  private static Op sysenter() {
    return c -> {
      if (!c.protectedMode()) {
        throw c.fault(GuestFault.GP, 0);
      }
      c.monitor.sysenter(c);
    };
  }

  private static Op sysexit(Insn insn, int offset) {
    boolean wide = insn.operandSize == 8;
    return guarded(
        insn,
        offset,
        c -> {
          SystemCalls.sysexit(c, wide);
          c.monitor.sensitive(c, Mnemonic.SYSEXIT);
        });
  }

  // --- time, chance, cache ---

  private static Op timeStamp(Insn insn, int offset, boolean withAux) {
    Insn copy = insn.copy();
    return c -> {
      if ((c.get64(CpuState.CR4) & ControlRegisters.CR4_TSD) != 0 && c.cpl() != 0) {
        privileged(c, offset, copy);
        return;
      }
      long tsc = Msrs.tsc(c);
      c.put32(CpuState.RAX, (int) tsc);
      c.put32(CpuState.RDX, (int) (tsc >>> 32));
      if (withAux) {
        c.put32(CpuState.RCX, c.get32(CpuState.TSC_AUX));
      }
    };
  }

  private static Op random(Insn insn) {
    int size = insn.operandSize;
    int to = CpuState.GPR + insn.rm * 8;
    return c -> {
      c.put(to, size, c.monitor.random(c));
      Flags.set(c, Rflags.CF);
    };
  }

  /** The line need not be flushed from anything, but must be readable. */
  private static Op flushLine(Insn insn, int offset) {
    Ea ea = Ea.of(insn, offset, 1, false);
    return c -> {
      int unused = c.load8(ea.at(c));
    };
  }
}
