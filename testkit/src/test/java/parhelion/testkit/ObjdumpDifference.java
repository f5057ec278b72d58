package parhelion.testkit;

import org.jspecify.annotations.Nullable;
import parhelion.cpu.decode.Insn;
import parhelion.cpu.decode.Mnemonic;
import parhelion.cpu.decode.Opcode;
import parhelion.cpu.decode.Operand;

/** Where our disassembly differs from that of objdump (binutils 2.40) and why that is right. */
enum ObjdumpDifference {
  FWAIT_AS_PREFIX("objdump joins FWAIT to the next x87 instruction, and splits prefixes from it"),
  FENCE_ALIAS("processors accept any ModRM.rm in LFENCE, MFENCE and SFENCE, objdump only 0"),
  PREFETCH_REGISTER("0F 0D with a register is a NOP on processors and (bad) in objdump"),
  X87_ALIAS("processors accept these x87 encodings, objdump does not know them"),
  HINT_NOP("without MPX, CET and PREFETCHI these are hint NOPs"),
  ADDRESS_32("objdump does not cut a target to 32 bits though the address size does"),
  PCLMUL_NAME("objdump looks at bits 1:0 of the immediate, the instruction at bits 4 and 0"),
  VMOV_STORE("objdump prints the destination of VMOVSS and VMOVSD as YMM if VEX.L is set"),
  WBINVD_PREFIX("processors ignore 66 and F2 before WBINVD"),
  MOVSXD_SIZE("with 66 and REX.W objdump prints a word source; REX.W wins"),
  WRAPPED_TARGET("objdump does not wrap the target of a short jump at operand size");

  final String why;

  ObjdumpDifference(String why) {
    this.why = why;
  }

  /** The known reason for a difference, or null: then it is a mistake of ours. */
  static @Nullable ObjdumpDifference of(Insn insn, String ours, String theirs) {
    Opcode opcode = insn.opcode;
    if (ours.contains("[eip") || ours.contains("[eiz")) {
      return ADDRESS_32;
    }
    return switch (opcode.mnemonic()) {
      case FWAIT -> FWAIT_AS_PREFIX;
      case LFENCE, MFENCE, SFENCE -> insn.rm % 8 != 0 ? FENCE_ALIAS : null;
      case FCOM, FCOMP, FXCH, FSTP -> theirs.contains("(bad)") ? X87_ALIAS : null;
      case PCLMULQDQ, VPCLMULQDQ -> (insn.imm & ~3) == 0 ? PCLMUL_NAME : null;
      case VMOVSS, VMOVSD -> insn.vectorLength == 32 ? VMOV_STORE : null;
      case WBINVD -> theirs.contains("(bad)") ? WBINVD_PREFIX : null;
      case MOVSXD -> (insn.rex & 8) != 0 && insn.opSizePrefix ? MOVSXD_SIZE : null;
      case LOOP, LOOPE, LOOPNE, JRCXZ, JMP, JCC -> jump(insn, theirs);
      case NOP -> nop(opcode, insn, theirs);
      default -> null;
    };
  }

  private static @Nullable ObjdumpDifference nop(Opcode opcode, Insn insn, String theirs) {
    boolean prefetch = opcode.map() == 1 && opcode.code() == 0x0d && insn.mod == 3;
    boolean extended = opcode.map() == 1 && opcode.code() >= 0x18 && opcode.code() <= 0x1e;
    return prefetch ? PREFETCH_REGISTER : extended && !theirs.contains("nop") ? HINT_NOP : null;
  }

  private static @Nullable ObjdumpDifference jump(Insn insn, String theirs) {
    boolean isShort = insn.opcode.operands()[0] == Operand.Jb;
    return isShort && insn.codeBits != 64 && theirs.matches(".*0x(ffff|1)[0-9a-f]{4}")
        ? WRAPPED_TARGET
        : null;
  }

  /** What objdump says of instructions that we do not offer: those processors lack them too. */
  static boolean isBeyondTheMap(Mnemonic ours, String theirs, byte first) {
    return ours == Mnemonic.INVALID
        && (first == 0x62 // EVEX
            || theirs.matches(
                "(k(and|andn|or|xor|xnor|not|mov|ortest|test|add|unpck|shift)[a-z]*"
                    + "|x(abort|begin|end|test)|(rd|wr)pkru|incssp[dq]|rdssp[dq]|rstorssp|saveprevssp"
                    + "|vf(n?madd|n?msub)(sd|ss|pd|ps)|vp(dp|rot|cmov|perm2|sh)[a-z0-9]*)( .*)?"));
  }
}
