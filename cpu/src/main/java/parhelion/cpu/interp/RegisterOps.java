package parhelion.cpu.interp;

import org.jspecify.annotations.Nullable;
import parhelion.cpu.Breakpoints;
import parhelion.cpu.ControlRegisters;
import parhelion.cpu.Cpu;
import parhelion.cpu.CpuState;
import parhelion.cpu.GuestFault;
import parhelion.cpu.Msrs;
import parhelion.cpu.decode.Feature;
import parhelion.cpu.decode.Insn;
import parhelion.cpu.decode.Mnemonic;
import parhelion.cpu.decode.Operand;
import parhelion.cpu.fpu.StateArea;

/**
 * Instructions on control, debug, extended control and model-specific registers, segment bases, and
 * the TLB.
 */
final class RegisterOps {
  private RegisterOps() {}

  static @Nullable Op translate(Insn insn, int offset) {
    return switch (insn.mnemonic()) {
      case MOV -> move(insn, offset);
      case CLTS ->
          SystemOps.guarded(
              insn,
              offset,
              c -> writeControl(c, 0, c.get64(CpuState.CR0) & ~ControlRegisters.CR0_TS));
      case LMSW -> loadStatusWord(insn, offset);
      case SMSW -> SegmentOps.storeWord(insn, offset, c -> c.get64(CpuState.CR0));
      case INVLPG -> {
        Ea ea = Ea.of(insn, offset, 1, false);
        yield SystemOps.guarded(
            insn,
            offset,
            c -> {
              long va = ea.at(c);
              c.flushPage(va);
              c.monitor.pageInvalidated(c, va);
            });
      }
      case INVPCID -> {
        Ea ea = Ea.of(insn, offset, 16, false);
        int type = CpuState.GPR + insn.reg * 8;
        yield SystemOps.guarded(insn, offset, c -> invalidate(c, ea.at(c), type));
      }
      case RDMSR -> SystemOps.guarded(insn, offset, RegisterOps::readMsr);
      case WRMSR -> SystemOps.guarded(insn, offset, RegisterOps::writeMsr);
      case RDPMC -> readCounter(insn, offset);
      case XGETBV -> extendedControl();
      case XSETBV -> setExtendedControl(insn, offset);
      case SWAPGS -> SystemOps.guarded(insn, offset, RegisterOps::swapGs);
      case RDFSBASE -> readBase(insn, CpuState.FS_BASE);
      case RDGSBASE -> readBase(insn, CpuState.GS_BASE);
      case WRFSBASE -> writeBase(insn, CpuState.FS_BASE);
      case WRGSBASE -> writeBase(insn, CpuState.GS_BASE);
      default -> null;
    };
  }

  // --- MOV to and from control and debug registers ---

  private static @Nullable Op move(Insn insn, int offset) {
    Operand.Kind to = Operands.kind(insn, 0);
    Operand.Kind from = Operands.kind(insn, 1);
    int number = insn.reg;
    int register = CpuState.GPR + insn.rm * 8;
    boolean wide = insn.codeBits == 64;
    if (from == Operand.Kind.C) {
      int source = controlRegister(number);
      return SystemOps.guarded(
          insn,
          offset,
          c -> {
            c.put(register, wide ? 8 : 4, c.get64(source));
            c.monitor.sensitive(c, Mnemonic.MOV);
          });
    }
    if (to == Operand.Kind.C) {
      return SystemOps.guarded(
          insn,
          offset,
          c -> writeControl(c, number, wide ? c.get64(register) : c.get(register, 4)));
    }
    if (from == Operand.Kind.D) {
      return SystemOps.guarded(
          insn,
          offset,
          c -> {
            int source = ControlRegisters.debugRegister(c, number);
            Breakpoints.generalDetect(c);
            c.put(register, wide ? 8 : 4, c.get64(CpuState.DR + source * 8));
            c.monitor.sensitive(c, Mnemonic.MOV);
          });
    }
    if (to == Operand.Kind.D) {
      return SystemOps.guarded(
          insn,
          offset,
          c -> {
            int target = ControlRegisters.debugRegister(c, number);
            Breakpoints.generalDetect(c);
            ControlRegisters.writeDebug(c, target, wide ? c.get64(register) : c.get(register, 4));
            c.monitor.sensitive(c, Mnemonic.MOV);
          });
    }
    return null;
  }

  private static int controlRegister(int number) {
    return switch (number) {
      case 0 -> CpuState.CR0;
      case 2 -> CpuState.CR2;
      case 3 -> CpuState.CR3;
      case 4 -> CpuState.CR4;
      default -> CpuState.CR8;
    };
  }

  private static void writeControl(Cpu c, int number, long value) {
    switch (number) {
      case 0 -> ControlRegisters.writeCr0(c, value);
      case 2 -> c.put64(CpuState.CR2, value);
      case 3 -> ControlRegisters.writeCr3(c, value);
      case 4 -> ControlRegisters.writeCr4(c, value);
      default -> ControlRegisters.writeCr8(c, value);
    }
    c.monitor.controlWritten(c, number);
  }

  /** LMSW writes PE, MP, EM and TS, and cannot clear PE. */
  private static Op loadStatusWord(Insn insn, int offset) {
    SegmentOps.Source source = SegmentOps.word(insn, offset);
    return SystemOps.guarded(
        insn,
        offset,
        c -> {
          long old = c.get64(CpuState.CR0);
          long value = source.get(c) & 15;
          writeControl(c, 0, (old & ~14L) | value);
        });
  }

  // --- MSRs, counters, XCR0 ---

  private static void readMsr(Cpu c) {
    long value = Msrs.read(c, c.get32(CpuState.RCX));
    c.put32(CpuState.RAX, (int) value);
    c.put32(CpuState.RDX, (int) (value >>> 32));
  }

  private static void writeMsr(Cpu c) {
    Msrs.write(c, c.get32(CpuState.RCX), edxEax(c));
  }

  private static long edxEax(Cpu c) {
    return c.get(CpuState.RDX, 4) << 32 | c.get(CpuState.RAX, 4);
  }

  /** There are no performance counters. */
  private static Op readCounter(Insn insn, int offset) {
    Insn copy = insn.copy();
    return c -> {
      if (c.cpl() != 0 && (c.get64(CpuState.CR4) & ControlRegisters.CR4_PCE) == 0) {
        SystemOps.privileged(c, offset, copy);
        return;
      }
      throw c.fault(GuestFault.GP, 0);
    };
  }

  private static Op extendedControl() {
    return c -> {
      requireXsave(c);
      int index = c.get32(CpuState.RCX);
      if (index != 0 && !(index == 1 && c.model.has(Feature.XSAVEC))) {
        throw c.fault(GuestFault.GP, 0);
      }
      long value = c.get64(CpuState.XCR0);
      if (index == 1) {
        value &= StateArea.inUse(c);
      }
      c.put32(CpuState.RAX, (int) value);
      c.put32(CpuState.RDX, (int) (value >>> 32));
    };
  }

  private static Op setExtendedControl(Insn insn, int offset) {
    Op op =
        SystemOps.guarded(
            insn, offset, c -> ControlRegisters.writeXcr(c, c.get32(CpuState.RCX), edxEax(c)));
    return c -> {
      requireXsave(c);
      op.exec(c);
    };
  }

  private static void requireXsave(Cpu c) {
    if ((c.get64(CpuState.CR4) & ControlRegisters.CR4_OSXSAVE) == 0) {
      throw c.fault(GuestFault.UD);
    }
  }

  // --- segment bases ---

  private static void swapGs(Cpu c) {
    long base = c.get64(CpuState.GS_BASE);
    c.put64(CpuState.GS_BASE, c.get64(CpuState.KERNEL_GS_BASE));
    c.put64(CpuState.KERNEL_GS_BASE, base);
    c.monitor.sensitive(c, Mnemonic.SWAPGS);
  }

  private static void requireBaseAccess(Cpu c) {
    if ((c.get64(CpuState.CR4) & ControlRegisters.CR4_FSGSBASE) == 0) {
      throw c.fault(GuestFault.UD);
    }
  }

  private static Op readBase(Insn insn, int base) {
    int size = insn.size(0);
    int register = CpuState.GPR + insn.rm * 8;
    return c -> {
      requireBaseAccess(c);
      c.put(register, size, c.get64(base));
    };
  }

  private static Op writeBase(Insn insn, int base) {
    int size = insn.size(0);
    int register = CpuState.GPR + insn.rm * 8;
    return c -> {
      requireBaseAccess(c);
      long value = c.get(register, size);
      if (value << 16 >> 16 != value) {
        throw c.fault(GuestFault.GP, 0);
      }
      c.put64(base, value);
    };
  }

  // --- process-context identifiers ---

  private static final int ONE_PAGE = 0;
  private static final int ONE_CONTEXT = 1;
  private static final int LAST_TYPE = 3;

  /**
   * INVPCID (SDM volume 2) with its descriptor at {@code va}. Nothing is kept for contexts but the
   * current one, and global pages go with the others.
   */
  private static void invalidate(Cpu c, long va, int typeRegister) {
    long context = c.load64(va);
    long address = c.load64(va + 8);
    long type = c.codeBits == 64 ? c.get64(typeRegister) : c.get32(typeRegister) & 0xffff_ffffL;
    boolean contexts = (c.get64(CpuState.CR4) & ControlRegisters.CR4_PCIDE) != 0;
    boolean canonical = address << 16 >> 16 == address;
    if (type < 0
        || type > LAST_TYPE
        || context >>> 12 != 0
        || type <= ONE_CONTEXT && !contexts && context != 0
        || type == ONE_PAGE && !canonical) {
      throw c.fault(GuestFault.GP, 0);
    }
    boolean current = !contexts || context == (c.get64(CpuState.CR3) & 0xfff);
    if (type > ONE_CONTEXT || type == ONE_CONTEXT && current) {
      c.flushTlbs();
    } else if (current) {
      c.flushPage(address);
    }
    c.monitor.pageInvalidated(c, address);
  }
}
