package parhelion.cpu.decode;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The opcode map: the only list of instructions in the project. Decoder, disassembler, CPUID gating
 * and test generation all read it. The rows are text in the SDM's notation (volume 2, appendix A),
 * a line per encoding:
 *
 * <pre>
 * 66 0F 38 00     PSHUFB       Vdq,Wdq      SSSE3 sse aligned
 * 80 /4           AND          Eb,Ib        lock w=OSZPC u=A
 * </pre>
 *
 * <ul>
 *   <li>Encoding: mandatory prefix (66, F3, F2; NP none of them; N6 none but 66, which keeps its
 *       meaning; nothing: prefixes keep their meaning), opcode bytes ({@code +r} register in the
 *       low bits, {@code +cc} sixteen conditions), {@code /0}..{@code /7} the value of ModRM.reg,
 *       {@code mem} or {@code reg} the form of ModRM, or a byte C0..FF for the whole ModRM ({@code
 *       C0+i} any ModRM.rm); W0, W1, L0, L1, B0 what REX.W, VEX.L, REX.B must be.
 *   <li>Mnemonic and operands ({@code -} for none), as in {@link Mnemonic} and {@link Operand}.
 *   <li>Feature (BASE if not given) and attributes: lock not64 only64 d64 f64 priv str block x87
 *       sse aligned iopl vex vsib; RFLAGS read {@code r=}, written {@code w=}, undefined {@code u=}
 *       as letters of I D O S Z A P C.
 *   <li>A line {@code @ ...} gives feature and attributes to the rows after it; {@code ;} starts a
 *       comment.
 * </ul>
 *
 * <p>The first row that fits wins, so a row with a narrower encoding stands above a wider one.
 * Loading is on the start-up path of every boot: at first only the place of each row in the text is
 * found, and a row is read when its opcode byte is first met.
 */
public final class OpcodeMap {
  /** Selector bits: what a row may ask of an instruction; see {@link Row#mask}. */
  static final int SEL_66 = 1;

  static final int SEL_F3 = 2;
  static final int SEL_F2 = 4;
  static final int SEL_W = 8;
  static final int SEL_B = 16;
  static final int SEL_64 = 32;
  static final int SEL_MOD3 = 64;
  static final int SEL_REG_SHIFT = 7;
  static final int SEL_RM_SHIFT = 10;
  static final int SEL_L = 1 << 13;

  /** Immediate bytes that follow ModRM. */
  static final int IMM_NONE = 0;

  static final int IMM_BYTE = 1;
  static final int IMM_BYTE_SIGNED = 2;
  static final int IMM_WORD = 3;
  static final int IMM_Z = 4;
  static final int IMM_V = 5;
  static final int IMM_ENTER = 6;
  static final int IMM_FAR = 7;
  static final int IMM_MOFFS = 8;

  /** A row with what the decoder needs at hand. */
  static final class Row {
    final Opcode opcode;

    /** The row fits if {@code (selector & mask) == value}. */
    final int mask;

    final int value;
    final long featureBit;
    final int attributes;
    final int immediate;
    final boolean modrm;
    final boolean usesVvvv;

    /** Sw, Cd or Dd where the row has such an operand. */
    final @Nullable Operand special;

    Row(Opcode opcode) {
      this.opcode = opcode;
      this.attributes = opcode.attributes();
      this.featureBit = 1L << opcode.feature().ordinal();
      int m = 0;
      int v = 0;
      if (opcode.prefix() >= 0) {
        m |= SEL_66 | SEL_F3 | SEL_F2;
        v |= prefixSelector(opcode.prefix());
      } else if (opcode.has(Opcode.NO_REP)) {
        m |= SEL_F3 | SEL_F2;
      }
      if (opcode.regField() >= 0) {
        m |= 7 << SEL_REG_SHIFT;
        v |= opcode.regField() << SEL_REG_SHIFT;
      }
      if (opcode.rmField() >= 0) {
        m |= 7 << SEL_RM_SHIFT;
        v |= opcode.rmField() << SEL_RM_SHIFT;
      }
      if (opcode.modForm() > 0) {
        m |= SEL_MOD3;
        v |= opcode.modForm() == 3 ? SEL_MOD3 : 0;
      }
      if (opcode.has(Opcode.NOT64 | Opcode.ONLY64)) {
        m |= SEL_64;
        v |= opcode.has(Opcode.ONLY64) ? SEL_64 : 0;
      }
      if (opcode.has(Opcode.W0 | Opcode.W1)) {
        m |= SEL_W;
        v |= opcode.has(Opcode.W1) ? SEL_W : 0;
      }
      if (opcode.has(Opcode.L0 | Opcode.L1)) {
        m |= SEL_L;
        v |= opcode.has(Opcode.L1) ? SEL_L : 0;
      }
      if (opcode.has(Opcode.B0)) {
        m |= SEL_B;
      }
      this.mask = m;
      this.value = v;
      this.modrm = opcode.modForm() >= 0;
      int imm = IMM_NONE;
      boolean h = false;
      @Nullable Operand checked = null;
      for (Operand operand : opcode.operands()) {
        h |= operand.kind() == Operand.Kind.H || operand.kind() == Operand.Kind.B;
        imm = immediate(imm, operand);
        if (operand == Operand.Sw || operand == Operand.Cd || operand == Operand.Dd) {
          checked = operand;
        }
      }
      this.immediate = imm;
      this.usesVvvv = h;
      this.special = checked;
    }

    private static int immediate(int before, Operand operand) {
      return switch (operand) {
        case Ib -> before == IMM_WORD ? IMM_ENTER : IMM_BYTE;
        case Lx -> IMM_BYTE;
        case Ibs, Jb -> IMM_BYTE_SIGNED;
        case Iw -> IMM_WORD;
        case Iz, Jz -> IMM_Z;
        case Iv -> IMM_V;
        case Ap -> IMM_FAR;
        case Ob, Ov -> IMM_MOFFS;
        default -> before;
      };
    }
  }

  /** First slot of the VEX maps. */
  static final int VEX_SLOTS = 1024;

  private static final OpcodeMap MAP = new OpcodeMap();

  /** What a slot holds that has no row. */
  private static final Row[] NO_ROWS = {};

  /**
   * Rows by slot: opcode maps 0..3 by opcode byte, then the VEX maps in the same way. Null until
   * the slot is first asked for. Rows are immutable, so that a slot filled by one thread is safe to
   * read without synchronisation by the others.
   */
  final Row[] @Nullable [] slots = new Row[2 * VEX_SLOTS][];

  private final RowReader legacy = new RowReader(IntegerRows.ROWS + SseRows.ROWS);
  private @Nullable RowReader vex;

  private OpcodeMap() {}

  static OpcodeMap instance() {
    return MAP;
  }

  /** Reads the rows of a slot that {@link #slots} does not have yet. */
  synchronized Row[] load(int slot) {
    Row[] found = slots[slot];
    if (found == null) {
      List<Opcode> opcodes = reader(slot).opcodes(slot);
      found = opcodes.isEmpty() ? NO_ROWS : new Row[opcodes.size()];
      for (int i = 0; i < found.length; i++) {
        found[i] = new Row(opcodes.get(i));
      }
      slots[slot] = found;
    }
    return found;
  }

  private RowReader reader(int slot) {
    if (slot < VEX_SLOTS) {
      return legacy;
    }
    if (vex == null) {
      vex = new RowReader(VexRows.ROWS);
    }
    return vex;
  }

  /**
   * Every row, by map and opcode byte. Rows with +r or +cc appear once, or once for each condition.
   */
  public static List<Opcode> opcodes() {
    Set<Opcode> all = Collections.newSetFromMap(new LinkedHashMap<>(4096));
    for (int slot = 0; slot < MAP.slots.length; slot++) {
      for (Row row : MAP.load(slot)) {
        all.add(row.opcode);
      }
    }
    return List.copyOf(all);
  }

  static int prefixSelector(int prefix) {
    return switch (prefix) {
      case 0x66 -> SEL_66;
      case 0xf3 -> SEL_F3;
      case 0xf2 -> SEL_F2;
      default -> 0;
    };
  }
}
