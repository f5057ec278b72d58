package parhelion.cpu.interp;

import parhelion.cpu.Cpu;
import parhelion.cpu.CpuState;
import parhelion.cpu.decode.Insn;
import parhelion.cpu.decode.Opcode;

/**
 * Tells a #SS from a #GP after the fact, so that the hot paths need not know which segment an
 * address came from.
 */
final class StackAccess {
  private StackAccess() {}

  /**
   * True when the #GP(0) that {@code insn} (at the CPU's RIP) raised came from a non-canonical
   * stack address: an operand based on rSP or rBP without FS or GS override, or an implicit stack
   * access. Only 64-bit mode has that question: in other modes {@link
   * parhelion.cpu.Segments#linear} raises the right vector itself.
   */
  static boolean faultsAsStack(Cpu c, Insn insn) {
    if (insn.codeBits != 64 || (insn.opcode.has(Opcode.PRIVILEGED) && c.cpl() != 0)) {
      return false;
    }
    if (insn.opcode.has(Opcode.VSIB)) {
      return insn.segment() == CpuState.SS; // a gather has no other #GP
    }
    if (insn.isMemory() && insn.segment() == CpuState.SS && !insn.ripRelative) {
      int size = Math.max(1, memorySize(insn));
      if (crossesHole(
          Ea.of(insn, (int) (c.rip() - c.get64(CpuState.RIP_BASE)), size, false).at(c), size)) {
        return true;
      }
    }
    long rsp = c.get64(CpuState.RSP);
    return switch (insn.mnemonic()) {
      case PUSH, PUSHF, CALL, ENTER, CALLF -> crossesHole(rsp - insn.operandSize, insn.operandSize);
      case POP, POPF, RET, RETF, IRET -> crossesHole(rsp, insn.operandSize);
      case LEAVE -> crossesHole(c.get64(CpuState.RBP), insn.operandSize);
      default -> false;
    };
  }

  private static int memorySize(Insn insn) {
    for (int i = 0; i < insn.opcode.operands().length; i++) {
      switch (insn.opcode.operands()[i].kind()) {
        case E, M, W, Q -> {
          return insn.size(i);
        }
        default -> {}
      }
    }
    return 1;
  }

  private static boolean crossesHole(long va, int size) {
    long last = va + size - 1;
    return va << 16 >> 16 != va || last << 16 >> 16 != last;
  }
}
