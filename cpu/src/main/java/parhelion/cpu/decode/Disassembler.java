package parhelion.cpu.decode;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Writes instructions in Intel syntax, as {@code objdump -M intel} prints them. The names come from
 * the opcode map; what objdump spells differently for some operand size or prefix is listed here.
 * For crash reports, traces and tests.
 */
public final class Disassembler {
  /** Names addresses of code and data. */
  public interface Symbols {
    /** A name such as {@code schedule+0x12}, or null. */
    @Nullable String at(long va);
  }

  private static final String[] CONDITIONS = {
    "o", "no", "b", "ae", "e", "ne", "be", "a", "s", "ns", "p", "np", "l", "ge", "le", "g"
  };
  private static final String[] COMPARISONS = {
    "eq", "lt", "le", "unord", "neq", "nlt", "nle", "ord",
    "eq_uq", "nge", "ngt", "false", "neq_oq", "ge", "gt", "true",
    "eq_os", "lt_oq", "le_oq", "unord_s", "neq_us", "nlt_uq", "nle_uq", "ord_s",
    "eq_us", "nge_uq", "ngt_uq", "false_os", "neq_os", "ge_oq", "gt_oq", "true_us"
  };

  private Disassembler() {}

  /**
   * One instruction as text.
   *
   * @param insn what the decoder gave with OK; others read "(bad)"
   * @param rip its address
   * @param symbols names for branch targets and rip-relative operands, or null
   */
  public static String disassemble(Insn insn, long rip, @Nullable Symbols symbols) {
    if (insn.opcode.mnemonic() == Mnemonic.INVALID) {
      return "(bad)";
    }
    StringBuilder out = new StringBuilder(48);
    prefixes(insn, out);
    int hidden = mnemonic(insn, out);
    Operand[] operands = insn.opcode.operands();
    OperandText text = new OperandText(insn, rip, symbols, out);
    boolean first = true;
    for (int i = 0; i < operands.length; i++) {
      if ((hidden >> i & 1) == 0) {
        out.append(first ? ' ' : ',');
        first = false;
        text.operand(operands[i]);
      }
    }
    text.comment();
    return out.toString();
  }

  // ---- Prefixes

  /**
   * Writes the prefixes that the instruction has no use for, and those that are part of its name.
   */
  private static void prefixes(Insn insn, StringBuilder out) {
    int used66 = usesOperandSize(insn) ? 1 : 0;
    int used67 = usesAddressSize(insn) ? 1 : 0;
    int usedSegment = usesSegment(insn) ? 1 : 0;
    boolean usedRep = insn.opcode.prefix() == 0xf2 || insn.opcode.prefix() == 0xf3;
    long left = insn.prefixes;
    String text = "";
    for (; left != 0; left >>>= 8) {
      int b = (int) left & 0xff;
      String name;
      switch (b) {
        case 0x66 -> {
          name = used66 != 0 ? "" : insn.codeBits == 16 ? "data32 " : "data16 ";
          used66 = 0;
        }
        case 0x67 -> {
          name = used67 != 0 ? "" : insn.codeBits == 32 ? "addr16 " : "addr32 ";
          used67 = 0;
        }
        case 0xf0 -> name = "lock ";
        case 0xf2, 0xf3 -> {
          name = usedRep ? "" : repeat(insn, b);
          usedRep = false;
        }
        default -> {
          name = usedSegment != 0 ? "" : segmentPrefix(insn, b);
          usedSegment = 0;
        }
      }
      text = name + text;
    }
    out.append(text);
    rex(insn, out);
  }

  private static String segmentPrefix(Insn insn, int b) {
    if (b == 0x3e && isIndirectNear(insn)) {
      return "notrack ";
    }
    return OperandText.SEGMENTS[b < 0x40 ? b >> 3 & 3 : b - 0x60] + " ";
  }

  /** Whether 3E is not DS but "notrack": the target needs no ENDBR. */
  static boolean isNotrack(Insn insn) {
    return insn.segmentOverride == 3 && isIndirectNear(insn);
  }

  private static boolean isIndirectNear(Insn insn) {
    return insn.opcode.map() == 0
        && insn.opcode.code() == 0xff
        && (insn.opcode.regField() == 2 || insn.opcode.regField() == 4);
  }

  private static String repeat(Insn insn, int b) {
    Opcode opcode = insn.opcode;
    if (opcode.has(Opcode.STRING)) {
      boolean compares = opcode.mnemonic() == Mnemonic.CMPS || opcode.mnemonic() == Mnemonic.SCAS;
      return b == 0xf2 ? "repnz " : compares ? "repz " : "rep ";
    }
    if (insn.isMemory() && (insn.lock || opcode.mnemonic() == Mnemonic.XCHG)) {
      return b == 0xf2 ? "xacquire " : "xrelease ";
    }
    if (b == 0xf3 && insn.isMemory() && opcode.mnemonic() == Mnemonic.MOV && isStore(opcode)) {
      return "xrelease ";
    }
    if (b == 0xf2 && isNearBranch(opcode)) {
      return "bnd ";
    }
    return b == 0xf2 ? "repnz " : "repz ";
  }

  private static boolean isStore(Opcode opcode) {
    return opcode.map() == 0
        && (opcode.code() == 0x88 || opcode.code() == 0x89 || opcode.code() >= 0xc6);
  }

  private static boolean isNearBranch(Opcode opcode) {
    return switch (opcode.mnemonic()) {
      case JCC, CALL, JMP, RET -> true;
      default -> false;
    };
  }

  /** Whether prefix 66 changes what the instruction does. */
  private static boolean usesOperandSize(Insn insn) {
    Opcode opcode = insn.opcode;
    if (opcode.prefix() == 0x66) {
      return true;
    }
    if (opcode.mnemonic() == Mnemonic.NOP) {
      boolean reserved = opcode.code() == 0x1a || opcode.code() == 0x1b;
      reserved |= opcode.code() == 0x18 && insn.isMemory() && (insn.reg & 7) >= 6;
      if (opcode.map() == 0 || reserved || opcode.code() == 0x1c || opcode.code() == 0x1e) {
        return true;
      }
    }
    switch (opcode.mnemonic()) {
      case BSF,
          BSR,
          MOVBE,
          RDRAND,
          RDSEED,
          CALLF,
          JMPF,
          LSS,
          LFS,
          LGS,
          FLDENV,
          FNSTENV,
          FRSTOR,
          FNSAVE -> {
        return true;
      }
      default -> {}
    }
    if (insn.codeBits == 64 && ((insn.rex & 8) != 0 || opcode.has(Opcode.F64))) {
      return false;
    }
    switch (opcode.mnemonic()) {
      case SGDT, SIDT, LGDT, LIDT -> {
        return insn.codeBits != 64;
      }
      case PUSHA, PUSH, POP, POPA, PUSHF, POPF, IRET, CBW, CWD, ENTER, LEAVE, RET, RETF -> {
        return true;
      }
      default -> {}
    }
    if (opcode.has(Opcode.D64)) {
      return true;
    }
    for (Operand operand : opcode.operands()) {
      if (operand.variesWithOperandSize(insn)) {
        return true;
      }
    }
    return false;
  }

  private static boolean usesAddressSize(Insn insn) {
    if (insn.isMemory()) {
      return insn.codeBits != 16 || insn.base != Insn.NONE || insn.index != Insn.NONE;
    }
    for (Operand operand : insn.opcode.operands()) {
      switch (operand.kind()) {
        case X, Y -> {
          return true;
        }
        default -> {}
      }
    }
    return insn.mnemonic() == Mnemonic.JRCXZ || insn.mnemonic() == Mnemonic.XLAT;
  }

  private static boolean usesSegment(Insn insn) {
    if (insn.opcode.has(Opcode.STRING)) {
      return switch (insn.mnemonic()) {
        case INS, SCAS, STOS -> false;
        default -> true;
      };
    }
    if (insn.segmentOverride == Insn.NONE || isNotrack(insn)) {
      return false;
    }
    if (insn.isMemory() || insn.mnemonic() == Mnemonic.XLAT) {
      return true;
    }
    for (Operand operand : insn.opcode.operands()) {
      switch (operand.kind()) {
        case O -> {
          return true;
        }
        default -> {}
      }
    }
    return false;
  }

  /** A REX prefix is shown if any of its bits does nothing. */
  private static void rex(Insn insn, StringBuilder out) {
    if (insn.rex < 0x40) {
      return;
    }
    int used = 0;
    boolean byteRegister = false;
    Opcode opcode = insn.opcode;
    if (opcode.has(Opcode.W1 | Opcode.W0)) {
      used |= 8;
    }
    if (opcode.mnemonic() == Mnemonic.NOP && opcode.map() == 0 && insn.opSizePrefix) {
      used |= 8;
    }
    if (insn.isMemory()) {
      used |= 1;
      used |= (insn.modrm & 7) == 4 ? 2 : 0;
    }
    for (Operand operand : opcode.operands()) {
      used |= operand.variesWithW(insn) && !ignoresW(opcode) ? 8 : 0;
      switch (operand.kind()) {
        case G, V, C, D -> used |= 4;
        case E, W, R, U -> used |= 1;
        case Z -> used |= 1;
        default -> {}
      }
      byteRegister |= operand.isRexByteRegister(insn);
    }
    switch (opcode.mnemonic()) {
      case CBW,
          CWD,
          IRET,
          FXSAVE,
          FXRSTOR,
          XSAVE,
          XRSTOR,
          XSAVEOPT,
          XSAVEC,
          XSAVES,
          XRSTORS,
          SYSRET,
          SYSEXIT,
          RETF,
          PCMPESTRI,
          PCMPESTRM ->
          used |= 8;
      default -> {}
    }
    if ((insn.rex & 15 & ~used) == 0 && (insn.rex != 0x40 || byteRegister)) {
      return;
    }
    out.append("rex");
    if (insn.rex != 0x40) {
      out.append('.');
      for (int i = 3; i >= 0; i--) {
        if ((insn.rex >> i & 1) != 0) {
          out.append("BXRW".charAt(i));
        }
      }
    }
    out.append(' ');
  }

  private static boolean ignoresW(Opcode opcode) {
    return opcode.has(Opcode.D64 | Opcode.F64)
        || opcode.mnemonic() == Mnemonic.JMPF
        || opcode.mnemonic() == Mnemonic.CALLF;
  }

  // ---- Names

  /** Writes the name; gives a bit mask of operands that the name already says. */
  private static int mnemonic(Insn insn, StringBuilder out) {
    Opcode opcode = insn.opcode;
    int size = insn.operandSize;
    switch (opcode.mnemonic()) {
      case JCC -> out.append('j').append(CONDITIONS[opcode.code() & 15]);
      case SETCC -> out.append("set").append(CONDITIONS[opcode.code() & 15]);
      case CMOVCC -> out.append("cmov").append(CONDITIONS[opcode.code() & 15]);
      case CBW -> out.append(size == 2 ? "cbw" : size == 4 ? "cwde" : "cdqe");
      case CWD -> out.append(size == 2 ? "cwd" : size == 4 ? "cdq" : "cqo");
      case CALL, JMP, RET -> {
        lower(opcode, out);
        boolean direct =
            opcode.operands().length == 0 || opcode.operands()[0].kind() != Operand.Kind.E;
        if (direct && opcode.code() != 0xeb && insn.codeBits != 64 && insn.opSizePrefix) {
          out.append(size == 2 ? 'w' : 'd');
        }
      }
      case CALLF -> out.append("call");
      case JMPF -> out.append("jmp");
      case JRCXZ ->
          out.append(insn.addressSize == 8 ? "jrcxz" : insn.addressSize == 4 ? "jecxz" : "jcxz");
      case FXSAVE, FXRSTOR, XSAVE, XRSTOR, XSAVEOPT, XSAVEC, XSAVES, XRSTORS -> {
        lower(opcode, out);
        out.append((insn.rex & 8) != 0 ? "64" : "");
      }
      case MOV -> {
        boolean absolute =
            insn.codeBits == 64
                && opcode.map() == 0
                && (opcode.code() >> 2 == 0xa0 >> 2 && insn.addressSize == 8
                    || opcode.code() == 0xb8 && size == 8);
        out.append(absolute ? "movabs" : "mov");
      }
      case CMPPS, CMPPD, CMPSS, CMPSD -> {
        return comparison(insn, out, 8, 2);
      }
      case VCMPPS, VCMPPD, VCMPSS, VCMPSD -> {
        return comparison(insn, out, 32, 3);
      }
      case NOP -> {
        boolean exchange = opcode.map() == 0 && insn.opSizePrefix;
        String register = size == 2 ? "ax" : size == 4 ? "eax" : "rax";
        out.append(exchange ? "xchg " + register + "," + register : "nop");
      }
      case PCLMULQDQ, VPCLMULQDQ -> {
        return carrylessMultiply(insn, out);
      }
      case PUSH, POP -> {
        boolean w = insn.opSizePrefix && size == (insn.codeBits == 16 ? 4 : 2);
        Operand.Kind kind = opcode.operands()[0].kind();
        lower(opcode, out);
        if (w && (kind == Operand.Kind.I || kind == Operand.Kind.S)) {
          out.append(insn.codeBits == 16 ? 'd' : 'w');
        }
      }
      default -> {
        return sized(insn, out);
      }
    }
    return 0;
  }

  private static void lower(Opcode opcode, StringBuilder out) {
    out.append(opcode.mnemonic().name().toLowerCase(Locale.ROOT));
  }

  private static int comparison(Insn insn, StringBuilder out, int names, int operand) {
    String name = insn.opcode.mnemonic().name().toLowerCase(Locale.ROOT);
    if (insn.imm >= names) {
      out.append(name);
      return 0;
    }
    int suffix = name.length() - 2;
    out.append(name, 0, suffix)
        .append(COMPARISONS[(int) insn.imm])
        .append(name, suffix, suffix + 2);
    return 1 << operand;
  }

  private static int carrylessMultiply(Insn insn, StringBuilder out) {
    boolean vex = insn.opcode.has(Opcode.VEX);
    out.append(vex ? "vpclmul" : "pclmul");
    if ((insn.imm & ~0x11) != 0) {
      out.append("qdq");
      return 0;
    }
    out.append((insn.imm & 1) != 0 ? "hq" : "lq")
        .append((insn.imm & 16) != 0 ? "hq" : "lq")
        .append("dq");
    return 1 << (vex ? 3 : 2);
  }

  /** Names that carry a suffix for an unusual operand size. */
  private static int sized(Insn insn, StringBuilder out) {
    lower(insn.opcode, out);
    int size = insn.operandSize;
    boolean bits16 = insn.codeBits == 16;
    switch (insn.opcode.mnemonic()) {
      case IRET, RETF ->
          out.append(size == 8 ? "q" : (size == 2) != bits16 ? bits16 ? "d" : "w" : "");
      case ENTER, LEAVE, PUSHA, POPA, PUSHF, POPF ->
          out.append((size == 2) != bits16 ? bits16 ? "d" : "w" : "");
      case FLDENV, FNSTENV, FRSTOR, FNSAVE ->
          out.append(insn.opSizePrefix ? bits16 ? "d" : "w" : "");
      case SGDT, SIDT, LGDT, LIDT -> {
        if (insn.codeBits != 64) {
          out.append(size == 2 ? "w" : "d");
        }
      }
      case SYSRET, SYSEXIT -> out.append(size == 8 ? "q" : insn.codeBits == 64 ? "d" : "");
      case PCMPESTRI, PCMPESTRM, VPCMPESTRI, VPCMPESTRM ->
          out.append(insn.codeBits == 64 && (insn.rex & 8) != 0 ? "q" : "");
      case XLAT -> xlat(insn, out);
      case FNENI, FNDISI -> out.append("(8087 only)");
      case FNSETPM -> out.append("(287 only)");
      default -> {}
    }
    return 0;
  }

  private static void xlat(Insn insn, StringBuilder out) {
    out.append(" BYTE PTR ").append(OperandText.segment(insn)).append(":[");
    out.append(insn.addressSize == 8 ? "r" : insn.addressSize == 4 ? "e" : "").append("bx]");
  }
}
