package parhelion.cpu.decode;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Reads rows of the opcode map; {@link OpcodeMap} describes their notation. Construction only finds
 * which lines belong to which opcode byte; a line is read when it is asked for. Guarded by the
 * map's lock.
 */
final class RowReader {
  /** RFLAGS bits read by each pair of conditions: O, C, Z, CZ, S, P, SO, SZO. */
  private static final int[] CONDITION_FLAGS = {
    0x800, 0x001, 0x040, 0x041, 0x080, 0x004, 0x880, 0x8c0
  };

  private static final NameTable<Mnemonic> MNEMONICS = new NameTable<>(Mnemonic.values());
  private static final NameTable<Operand> OPERANDS = new NameTable<>(Operand.values());
  private static final NameTable<Feature> FEATURES = new NameTable<>(Feature.values());

  private final String text;

  // By line: where it starts, where its section's "@" is (or -1), and its opcodes once it was read.
  private int lines;
  private int[] starts = new int[1024];
  private int[] sections = new int[1024];
  private Opcode[] @Nullable [] opcodes = new Opcode[1024][];

  // Lists of lines by slot: entries count from 1, 0 ends a list.
  private int entries;
  private int[] entryLine = new int[1280];
  private int[] entryNext = new int[1280];
  private final int[] first = new int[2 * OpcodeMap.VEX_SLOTS];
  private final int[] last = new int[2 * OpcodeMap.VEX_SLOTS];

  // The row being read.
  private int at;
  private int map;
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

  RowReader(String rows) {
    text = rows;
    // Bytes and plain loops: this runs before anything is compiled.
    byte[] bytes = rows.getBytes(StandardCharsets.ISO_8859_1);
    int section = -1;
    int slots = 0;
    int i = 0;
    while (i < bytes.length) {
      int end = i + 3;
      while (bytes[end] != '\n') {
        end++;
      }
      if (bytes[i] == '@') {
        section = i;
        slots = bytes[end - 3] == 'v' && bytes[end - 1] == 'x' ? OpcodeMap.VEX_SLOTS : 0;
      } else if (bytes[i] != ';') {
        addLine(bytes, i, section, slots);
      }
      i = end + 1;
    }
  }

  private void addLine(byte[] bytes, int start, int section, int slots) {
    if (lines == starts.length) {
      starts = Arrays.copyOf(starts, 2 * lines);
      sections = Arrays.copyOf(sections, 2 * lines);
      opcodes = Arrays.copyOf(opcodes, 2 * lines);
    }
    starts[lines] = start;
    sections[lines] = section;
    int i = start;
    int two = bytes[i] << 8 | bytes[i + 1];
    switch (two) {
      case 'N' << 8 | 'P', 'N' << 8 | '6', '6' << 8 | '6', 'F' << 8 | '2', 'F' << 8 | '3' -> {
        i += 3;
        two = bytes[i] << 8 | bytes[i + 1];
      }
      default -> {}
    }
    int slot = slots;
    if (two == ('0' << 8 | 'F')) {
      i += 3;
      slot += 256;
      if (bytes[i] == '3' && (bytes[i + 1] == '8' || bytes[i + 1] == 'A')) {
        slot += bytes[i + 1] == '8' ? 256 : 512;
        i += 3;
      }
    }
    slot += hex(bytes[i]) << 4 | hex(bytes[i + 1]);
    int copies = 1;
    if (bytes[i + 2] == '+') {
      copies = bytes[i + 3] == 'c' ? 16 : 8;
    }
    for (int k = 0; k < copies; k++) {
      addEntry(slot + k);
    }
    lines++;
  }

  private void addEntry(int slot) {
    int entry = ++entries;
    if (entry == entryLine.length) {
      entryLine = Arrays.copyOf(entryLine, 2 * entry);
      entryNext = Arrays.copyOf(entryNext, 2 * entry);
    }
    entryLine[entry] = lines;
    if (first[slot] == 0) {
      first[slot] = entry;
    } else {
      entryNext[last[slot]] = entry;
    }
    last[slot] = entry;
  }

  /** Value of a hexadecimal digit, or -1. */
  private static int hex(int c) {
    return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
  }

  /** Rows of one slot, in the order of the map. */
  List<Opcode> opcodes(int slot) {
    List<Opcode> found = new ArrayList<>();
    for (int entry = first[slot]; entry != 0; entry = entryNext[entry]) {
      int line = entryLine[entry];
      Opcode[] read = opcodes[line];
      if (read == null) {
        read = row(line);
        opcodes[line] = read;
      }
      found.add(read.length == 1 ? read[0] : read[slot & 15]);
    }
    return found;
  }

  private Opcode[] row(int line) {
    clear();
    if (sections[line] >= 0) {
      at = sections[line] + 1;
      attributes();
    }
    at = starts[line];
    boolean more = true;
    while (more) {
      more = encoding();
    }
    Mnemonic mnemonic = MNEMONICS.get(token());
    Operand[] operands = operands(token());
    attributes();
    if (modForm < 0 && (regField >= 0 || needsModrm(operands))) {
      modForm = 0;
    }
    Opcode[] result = new Opcode[conditions ? 16 : 1];
    for (int i = 0; i < result.length; i++) {
      result[i] =
          new Opcode(
              map,
              code + i,
              prefix,
              regField,
              rmField,
              modForm,
              mnemonic,
              operands,
              feature,
              attributes,
              flagsRead | (conditions ? CONDITION_FLAGS[i >> 1] : 0),
              flagsWritten,
              flagsUndefined);
    }
    return result;
  }

  private void clear() {
    map = 0;
    code = -1;
    prefix = -1;
    regField = -1;
    rmField = -1;
    modForm = -1;
    attributes = 0;
    feature = Feature.BASE;
    conditions = false;
    flagsRead = 0;
    flagsWritten = 0;
    flagsUndefined = 0;
  }

  private static Operand[] operands(String list) {
    if (list.equals("-")) {
      return new Operand[0];
    }
    List<Operand> found = new ArrayList<>(4);
    int start = 0;
    while (start < list.length()) {
      int comma = list.indexOf(',', start);
      int end = comma < 0 ? list.length() : comma;
      found.add(OPERANDS.get(list.substring(start, end)));
      start = end + 1;
    }
    return found.toArray(new Operand[0]);
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

  /** Takes one word of the encoding column; false, without moving, if it is the mnemonic. */
  private boolean encoding() {
    String token = token();
    int start = at - token.length();
    int hi = hex(text.charAt(start));
    int lo = hex(text.charAt(start + 1));
    boolean plus = token.length() > 3 && token.charAt(2) == '+';
    if (hi >= 0 && lo >= 0 && (token.length() == 2 || plus) && !(token.equals("B0") && code >= 0)) {
      opcodeByte(hi << 4 | lo, plus ? token.charAt(3) : ' ');
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
      case "B0" -> attributes |= Opcode.B0;
      default -> {
        if (token.charAt(0) != '/') {
          at = start;
          return false;
        }
        regField = lo;
      }
    }
    return true;
  }

  private void opcodeByte(int value, char plus) {
    if (code >= 0) {
      modForm = 3;
      regField = value >> 3 & 7;
      rmField = plus == 'i' ? -1 : value & 7;
    } else if (map == 0 && prefix < 0 && (value == 0x66 || value == 0xf2 || value == 0xf3)) {
      prefix = value;
    } else if (map == 0 && value == 0x0f) {
      map = 1;
    } else if (map == 1 && (value == 0x38 || value == 0x3a)) {
      map = value == 0x38 ? 2 : 3;
    } else {
      code = value;
      conditions = plus == 'c';
      attributes |= plus == 'r' ? Opcode.PLUS_R : 0;
    }
  }

  private void attributes() {
    for (String token = token(); !token.isEmpty(); token = token()) {
      if (token.length() > 1 && token.charAt(1) == '=') {
        flags(token);
      } else {
        attribute(token);
      }
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
      default -> feature = FEATURES.get(token);
    }
  }

  /** Next word of the line, or the empty string at its end, where it stays. */
  private String token() {
    while (text.charAt(at) == ' ') {
      at++;
    }
    int start = at;
    while (text.charAt(at) > ' ') {
      at++;
    }
    return text.substring(start, at);
  }
}
