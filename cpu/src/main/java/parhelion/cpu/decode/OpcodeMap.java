package parhelion.cpu.decode;

import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
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
 * Reading is on the start-up path of every boot, hence the plain scanner: 3 ms in a cold JVM.
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

  /** A row with what the decoder needs at hand; rows of one opcode byte form a list. */
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

    @Nullable Row next;

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

  private static final OpcodeMap MAP = new OpcodeMap();

  /**
   * Opcode maps 0..3 by opcode byte, then the VEX maps in the same way; a null entry has no row.
   */
  final @Nullable Row[] rows = new Row[8 * 256];

  private final List<Opcode> opcodes = new ArrayList<>(1024);
  private final Map<String, Operand> operandNames = new HashMap<>(512);
  private final Map<String, Operand[]> operandLists = new HashMap<>(512);

  private OpcodeMap() {
    for (Operand operand : Operand.values()) {
      operandNames.put(operand.name(), operand);
    }
    RowReader reader = new RowReader(this);
    reader.read(IntegerRows.ROWS);
    reader.read(SseRows.ROWS);
    reader.read(VexRows.ROWS);
  }

  static OpcodeMap instance() {
    return MAP;
  }

  /** Every row, in the order of the map. */
  public static List<Opcode> opcodes() {
    return Collections.unmodifiableList(MAP.opcodes);
  }

  /** Feature set with all that the map knows, for disassembly and tests. */
  public static EnumSet<Feature> allFeatures() {
    return EnumSet.allOf(Feature.class);
  }

  static int prefixSelector(int prefix) {
    return switch (prefix) {
      case 0x66 -> SEL_66;
      case 0xf3 -> SEL_F3;
      case 0xf2 -> SEL_F2;
      default -> 0;
    };
  }

  void add(Opcode opcode) {
    opcodes.add(opcode);
    int copies = opcode.has(Opcode.PLUS_R) ? 8 : 1;
    int first = (opcode.has(Opcode.VEX) ? 1024 : 0) + opcode.map() * 256 + opcode.code();
    for (int i = 0; i < copies; i++) {
      append(first + i, new Row(opcode));
    }
  }

  private void append(int at, Row row) {
    Row last = rows[at];
    if (last == null) {
      rows[at] = row;
      return;
    }
    while (last.next != null) {
      last = last.next;
    }
    last.next = row;
  }

  Operand[] operands(String list) {
    Operand[] known = operandLists.get(list);
    if (known != null) {
      return known;
    }
    List<Operand> found = new ArrayList<>(4);
    int start = 0;
    while (start < list.length() && !list.equals("-")) {
      int comma = list.indexOf(',', start);
      int end = comma < 0 ? list.length() : comma;
      Operand operand = operandNames.get(list.substring(start, end));
      if (operand == null) {
        throw new IllegalStateException("opcode map: unknown operand in " + list);
      }
      found.add(operand);
      start = end + 1;
    }
    Operand[] result = found.toArray(new Operand[0]);
    operandLists.put(list, result);
    return result;
  }
}
