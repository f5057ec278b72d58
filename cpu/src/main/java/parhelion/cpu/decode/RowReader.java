package parhelion.cpu.decode;

/** Reads the rows of the opcode map; {@link OpcodeMap} describes their notation. */
final class RowReader {
  /** RFLAGS bits read by each pair of conditions: O, C, Z, CZ, S, P, SO, SZO. */
  private static final int[] CONDITION_FLAGS = {
    0x800, 0x001, 0x040, 0x041, 0x080, 0x004, 0x880, 0x8c0
  };

  private final OpcodeMap map;
  private String text = "";
  private int at;

  // Defaults of the section.
  private Feature sectionFeature = Feature.BASE;
  private int sectionAttributes;

  // The row being read.
  private int opcodeMap;
  private int code;
  private int prefix;
  private int regField;
  private int rmField;
  private int modForm;
  private int attributes;
  private Feature feature = Feature.BASE;
  private boolean conditions;
  private int flagsRead;
  private int flagsWritten;
  private int flagsUndefined;

  RowReader(OpcodeMap map) {
    this.map = map;
  }

  void read(String rows) {
    text = rows;
    at = 0;
    while (at < text.length()) {
      char c = text.charAt(at);
      if (c == '\n') {
        at++;
      } else if (c == ';') {
        at = text.indexOf('\n', at) + 1;
      } else if (c == '@') {
        at++;
        section();
      } else {
        row();
      }
    }
  }

  private void section() {
    feature = Feature.BASE;
    attributes = 0;
    attributes();
    sectionFeature = feature;
    sectionAttributes = attributes;
  }

  private void row() {
    opcodeMap = 0;
    code = -1;
    prefix = -1;
    regField = -1;
    rmField = -1;
    modForm = -1;
    attributes = sectionAttributes;
    feature = sectionFeature;
    conditions = false;
    flagsRead = 0;
    flagsWritten = 0;
    flagsUndefined = 0;
    String token = token();
    while (encoding(token)) {
      token = token();
    }
    Mnemonic mnemonic = Mnemonic.valueOf(token);
    Operand[] operands = map.operands(token());
    attributes();
    if (modForm < 0 && (regField >= 0 || needsModrm(operands))) {
      modForm = 0;
    }
    for (int cc = 0; cc < (conditions ? 16 : 1); cc++) {
      map.add(
          new Opcode(
              opcodeMap,
              code + cc,
              prefix,
              regField,
              rmField,
              modForm,
              mnemonic,
              operands,
              feature,
              attributes,
              flagsRead | (conditions ? CONDITION_FLAGS[cc >> 1] : 0),
              flagsWritten,
              flagsUndefined));
    }
  }

  private static boolean needsModrm(Operand[] operands) {
    for (Operand operand : operands) {
      boolean found =
          switch (operand.kind()) {
            case E, G, M, R, C, D, V, W, U, P, Q, N, STI -> true;
            case S -> operand.fixedReg() < 0;
            default -> false;
          };
      if (found) {
        return true;
      }
    }
    return false;
  }

  /** Takes one word of the encoding column; false if it is the mnemonic. */
  private boolean encoding(String token) {
    int hi = Character.digit(token.charAt(0), 16);
    int lo = token.length() < 2 ? -1 : Character.digit(token.charAt(1), 16);
    boolean plus = token.length() > 2 && token.charAt(2) == '+';
    if (hi >= 0 && lo >= 0 && (token.length() == 2 || plus)) {
      opcodeByte(hi << 4 | lo, plus ? token.charAt(3) : ' ');
      return true;
    }
    if (token.charAt(0) == '/') {
      regField = lo;
      return true;
    }
    switch (token) {
      case "NP" -> prefix = 0;
      case "N6" -> attributes |= Opcode.NO_REP;
      case "mem" -> modForm = 1;
      case "reg" -> modForm = 3;
      case "W0" -> attributes |= Opcode.W0;
      case "W1" -> attributes |= Opcode.W1;
      case "L0" -> attributes |= Opcode.L0;
      case "L1" -> attributes |= Opcode.L1;
      default -> {
        return false;
      }
    }
    return true;
  }

  private void opcodeByte(int value, char plus) {
    if (code < 0
        && opcodeMap == 0
        && prefix < 0
        && (value == 0x66 || value >= 0xf2 && value <= 0xf3)) {
      prefix = value;
    } else if (code < 0 && opcodeMap == 0 && value == 0x0f) {
      opcodeMap = 1;
    } else if (code < 0 && opcodeMap == 1 && (value == 0x38 || value == 0x3a)) {
      opcodeMap = value == 0x38 ? 2 : 3;
    } else if (code < 0) {
      code = value;
      conditions = plus == 'c';
      attributes |= plus == 'r' ? Opcode.PLUS_R : 0;
    } else if (value == 0xb0) {
      attributes |= Opcode.B0;
    } else {
      modForm = 3;
      regField = value >> 3 & 7;
      rmField = plus == 'i' ? -1 : value & 7;
    }
  }

  private void attributes() {
    String token = token();
    while (!token.isEmpty()) {
      if (token.length() > 1 && token.charAt(1) == '=') {
        flags(token);
      } else {
        attribute(token);
      }
      token = token();
    }
  }

  private void flags(String token) {
    int bits = 0;
    if (!token.equals("r=cc")) {
      for (int i = 2; i < token.length(); i++) {
        bits |= flag(token.charAt(i));
      }
    }
    switch (token.charAt(0)) {
      case 'r' -> flagsRead |= bits;
      case 'w' -> flagsWritten |= bits;
      case 'u' -> flagsUndefined |= bits;
      default -> throw new IllegalStateException("opcode map: " + token);
    }
  }

  private static int flag(char letter) {
    return switch (letter) {
      case 'C' -> 1;
      case 'P' -> 1 << 2;
      case 'A' -> 1 << 4;
      case 'Z' -> 1 << 6;
      case 'S' -> 1 << 7;
      case 'I' -> 1 << 9;
      case 'D' -> 1 << 10;
      case 'O' -> 1 << 11;
      default -> throw new IllegalStateException("opcode map: flag " + letter);
    };
  }

  private void attribute(String token) {
    switch (token) {
      case "lock" -> attributes |= Opcode.LOCK;
      case "not64" -> attributes |= Opcode.NOT64;
      case "only64" -> attributes |= Opcode.ONLY64;
      case "d64" -> attributes |= Opcode.D64;
      case "f64" -> attributes |= Opcode.F64;
      case "priv" -> attributes |= Opcode.PRIVILEGED;
      case "str" -> attributes |= Opcode.STRING;
      case "block" -> attributes |= Opcode.ENDS_BLOCK;
      case "x87" -> attributes |= Opcode.X87;
      case "sse" -> attributes |= Opcode.SSE;
      case "aligned" -> attributes |= Opcode.ALIGNED;
      case "iopl" -> attributes |= Opcode.IOPL;
      case "vex" -> attributes |= Opcode.VEX;
      case "vsib" -> attributes |= Opcode.VSIB;
      case "unaligned" -> attributes &= ~Opcode.ALIGNED;
      default -> feature = Feature.valueOf(token);
    }
  }

  /** Next word of the line, or the empty string at its end (which is consumed). */
  private String token() {
    while (text.charAt(at) == ' ') {
      at++;
    }
    int start = at;
    while (text.charAt(at) > ' ') {
      at++;
    }
    if (start == at) {
      at++;
    }
    return text.substring(start, at == start + 1 && text.charAt(start) == '\n' ? start : at);
  }
}
