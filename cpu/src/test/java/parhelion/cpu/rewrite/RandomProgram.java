package parhelion.cpu.rewrite;

import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/**
 * A program of random instructions that never ends: it begins anew whatever happens. Unlike single
 * cases it has what engines differ in: loops, calls through tables, frames, flags that are carried
 * a long way, accesses that cross pages, fault or hit the code itself. Two registers point to data,
 * two count loops; all others hold anything.
 *
 * <p>It notes where its instructions begin and which flags have no defined value there, so that the
 * state can be compared at any instruction.
 */
final class RandomProgram {
  static final int DATA_PAGES = 8;
  static final int DATA_BYTES = DATA_PAGES * 4096;
  static final int AF = 0x10;
  private static final int CF = 1;
  private static final int OF = 0x800;
  private static final int ALL = 0x8d5;
  private static final int NONE = -1;

  /** Where it lies: code, the same once more to be written by itself, data, and the stack's top. */
  record Places(long code, long alias, long data, long stack) {}

  private record Mem(int base, int index, int scale, long disp, int segment, boolean ripRelative) {}

  private final Random r;
  private final Places places;

  /** Whether it writes to itself: only to immediates, or to opcodes too. */
  private final boolean modifies;

  private final boolean modifiesOpcodes;

  private byte[] code = new byte[8192];
  private int at;

  /** For each offset 1 + the flags undefined there, or 0 where no instruction begins. */
  private int[] undefinedAt = new int[8192];

  /** Offset of the next instruction. */
  private int[] nextAt = new int[8192];

  private int undefined = AF;

  private final int data0;
  private final int data1;
  private final int counter0;
  private final int counter1;
  private final int[] free;

  private final List<Integer> functions = new ArrayList<>();

  /** Offsets of bytes that may be changed, and of opcodes. */
  final List<Integer> immediates = new ArrayList<>();

  private final List<Integer> opcodes = new ArrayList<>();

  /** Places of displacements that lead to a byte that is to be changed; then the code's end. */
  private final List<int[]> patches = new ArrayList<>();

  private final List<int[]> calls = new ArrayList<>();
  private final List<int[]> tables = new ArrayList<>();
  private int loops;

  /** How many functions there are, and which is being written: it calls only later ones. */
  private int functionCount;

  private int owner = -1;

  RandomProgram(Random r, Places places, boolean modifies, boolean modifiesOpcodes) {
    this.r = r;
    this.places = places;
    this.modifies = modifies;
    this.modifiesOpcodes = modifiesOpcodes;
    boolean swap = r.nextBoolean();
    data0 = 8 + r.nextInt(2);
    counter0 = 10 + r.nextInt(2);
    data1 = swap ? 3 : 12 + r.nextInt(2);
    counter1 = 14 + r.nextInt(2);
    List<Integer> rest = new ArrayList<>();
    for (int i = 0; i < 16; i++) {
      if (i != 4 && i != 5 && i != data0 && i != data1 && i != counter0 && i != counter1) {
        rest.add(i);
      }
    }
    free = rest.stream().mapToInt(Integer::intValue).toArray();
    write();
  }

  byte[] code() {
    return Arrays.copyOf(code, at);
  }

  /** Flags without a defined value before the instruction at an offset; all where none begins. */
  int undefinedAt(long offset) {
    return isInstruction(offset) ? undefinedAt[(int) offset] - 1 : ALL;
  }

  boolean isInstruction(long offset) {
    return offset >= 0 && offset < at && undefinedAt[(int) offset] != 0;
  }

  int next(long offset) {
    return nextAt[(int) offset];
  }

  // --- the whole ---

  private void write() {
    functionCount = 2 + r.nextInt(4);
    startOfAll();
    block(20 + r.nextInt(40), 0);
    jump(0);
    for (owner = 0; owner < functionCount; owner++) {
      function();
    }
    finish();
  }

  private void startOfAll() {
    movImm64(4, places.stack() - 512 - 8 * r.nextInt(8));
    movImm64(data0, places.data() + 4 * 4096 + r.nextInt(64));
    movImm64(data1, places.data() + 4 * 4096 - r.nextInt(4096));
    insn(0xfc);
    if (r.nextInt(3) == 0) {
      insn(0xdb, 0xe3); // fninit
    }
  }

  private void function() {
    undefined = AF;
    functions.add(at);
    boolean frame = r.nextBoolean();
    if (frame) {
      insn(0x55);
      insn(0x48, 0x89, 0xe5);
      rm(8, 0, 5, 4, 0x40, 1, 0x83); // sub rsp, 40
      undefined = AF;
    }
    int saved = free();
    if (!frame && r.nextBoolean()) {
      plusR(0x50, saved);
      block(1 + r.nextInt(12), 1);
      plusR(0x58, saved);
    } else {
      block(1 + r.nextInt(12), 1);
    }
    if (frame) {
      insn(0xc9);
    }
    insn(0xc3);
    jump(0);
  }

  private void finish() {
    for (int[] table : tables) {
      while ((at & 7) != 0) {
        room(1);
        code[at++] = (byte) 0xcc;
      }
      long here = at;
      patch32(table[0], here - table[1]);
      for (int i = 2; i < table.length; i++) {
        room(8);
        int target = table[i] < 0 ? functionBehind(-2 - table[i]) : table[i];
        for (int b = 0; b < 8; b++) {
          code[at++] = (byte) (places.code() + target >>> 8 * b);
        }
      }
    }
    for (int[] call : calls) {
      patch32(call[0], functionBehind(call[1]) - (call[0] + 4));
    }
    for (int[] patch : patches) {
      List<Integer> from = patch[2] != 0 && !opcodes.isEmpty() ? opcodes : immediates;
      int target = from.isEmpty() ? 3 : from.get(r.nextInt(from.size()));
      patch32(patch[0], places.alias() - places.code() + target - patch[1]);
    }
  }

  private int functionBehind(int caller) {
    return functions.get(caller + 1 + r.nextInt(functionCount - caller - 1));
  }

  // --- writing ---

  private void room(int n) {
    if (at + n + 16 > code.length) {
      code = Arrays.copyOf(code, code.length * 2 + n);
      undefinedAt = Arrays.copyOf(undefinedAt, code.length);
      nextAt = Arrays.copyOf(nextAt, code.length);
    }
  }

  private void insn(int... bytes) {
    room(bytes.length);
    undefinedAt[at] = 1 + undefined;
    int start = at;
    for (int b : bytes) {
      code[at++] = (byte) b;
    }
    nextAt[start] = at;
  }

  private void patch32(int place, long value) {
    for (int i = 0; i < 4; i++) {
      code[place + i] = (byte) (value >> 8 * i);
    }
  }

  private int free() {
    return free[r.nextInt(free.length)];
  }

  /** ModRM instruction with two registers. {@code immBytes} of {@code imm} follow. */
  private void rm(int size, int prefix, int reg, int rm, long imm, int immBytes, int... opcode) {
    encode(size, prefix, reg, rm, null, imm, immBytes, opcode);
  }

  private void mem(int size, int prefix, int reg, Mem m, long imm, int immBytes, int... opcode) {
    int before = undefined;
    encode(size, prefix, reg, 0, m, imm, immBytes, opcode);
    undefined |= before;
  }

  private void encode(
      int size,
      int prefix,
      int reg,
      int rm,
      @Nullable Mem m,
      long imm,
      int immBytes,
      int... opcode) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    if (m != null && m.segment != 0) {
      out.write(m.segment);
    }
    if (size == 2) {
      out.write(0x66);
    }
    if (prefix != 0) {
      out.write(prefix);
    }
    int b = m == null ? rm : m.base;
    int x = m == null ? 0 : m.index;
    int rex =
        (size == 8 ? 8 : 0)
            | (reg & 8) >> 1
            | (x > 0 ? (x & 8) >> 2 : 0)
            | (b > 0 ? (b & 8) >> 3 : 0);
    boolean byteRex = size == 1 && (reg >= 4 && reg < 8 || m == null && rm >= 4 && rm < 8);
    if (rex != 0 || byteRex && (reg == 4 || reg == 5 || rm == 4 || rm == 5 || r.nextBoolean())) {
      out.write(0x40 | rex);
    }
    for (int o : opcode) {
      out.write(o);
    }
    int ripPlace = -1;
    if (m == null) {
      out.write(0xc0 | (reg & 7) << 3 | rm & 7);
    } else if (m.ripRelative) {
      out.write((reg & 7) << 3 | 5);
      ripPlace = out.size();
      number(out, 0, 4);
    } else {
      memory(out, reg, m);
    }
    number(out, imm, immBytes);
    byte[] bytes = out.toByteArray();
    if (ripPlace >= 0) {
      long disp = m.disp - (places.code() + at + bytes.length);
      for (int i = 0; i < 4; i++) {
        bytes[ripPlace + i] = (byte) (disp >> 8 * i);
      }
    }
    int[] ints = new int[bytes.length];
    Arrays.setAll(ints, i -> bytes[i]);
    insn(ints);
  }

  private static void memory(ByteArrayOutputStream out, int reg, Mem m) {
    int middle = (reg & 7) << 3;
    boolean noBase = m.base == NONE;
    boolean sib = noBase || m.index != NONE || (m.base & 7) == 4;
    int mod;
    if (noBase) {
      mod = 0;
    } else if (m.disp == (byte) m.disp) {
      mod = m.disp == 0 && (m.base & 7) != 5 ? 0 : 1;
    } else {
      mod = 2;
    }
    out.write(mod << 6 | middle | (sib ? 4 : m.base & 7));
    if (sib) {
      int scale = Integer.numberOfTrailingZeros(m.scale == 0 ? 1 : m.scale);
      int index = m.index == NONE ? 4 : m.index & 7;
      out.write(scale << 6 | index << 3 | (noBase ? 5 : m.base & 7));
    }
    if (noBase || mod == 2) {
      number(out, m.disp, 4);
    } else if (mod == 1) {
      out.write((int) m.disp);
    }
  }

  private static void number(ByteArrayOutputStream out, long value, int bytes) {
    for (int i = 0; i < bytes; i++) {
      out.write((int) (value >> 8 * i));
    }
  }

  private void movImm64(int reg, long value) {
    int[] bytes = new int[10];
    bytes[0] = 0x48 | reg >> 3;
    bytes[1] = 0xb8 | reg & 7;
    for (int i = 0; i < 8; i++) {
      bytes[2 + i] = (int) (value >>> 8 * i);
    }
    insn(bytes);
  }

  private void movImm32(int reg, int value) {
    plusR(0xb8, reg, value, value >> 8, value >> 16, value >> 24);
  }

  private void plusR(int opcode, int reg, int... behind) {
    int[] bytes = new int[behind.length + (reg >= 8 ? 2 : 1)];
    int i = 0;
    if (reg >= 8) {
      bytes[i++] = 0x41;
    }
    bytes[i++] = opcode | reg & 7;
    System.arraycopy(behind, 0, bytes, i, behind.length);
    insn(bytes);
  }

  private void jump(int target) {
    int distance = target - (at + 5);
    insn(0xe9, distance, distance >> 8, distance >> 16, distance >> 24);
  }

  // --- operands ---

  private static final int[] SIZES = {1, 2, 4, 4, 4, 8, 8, 8};

  private int size() {
    return SIZES[r.nextInt(SIZES.length)];
  }

  /** Offset in the data: anywhere, at the end of a page, or where many others are. */
  private int dataOffset(int size, boolean aligned) {
    int offset =
        switch (r.nextInt(4)) {
          case 0 -> r.nextInt(DATA_BYTES - 64);
          case 1 -> (1 + r.nextInt(DATA_PAGES - 1)) * 4096 - r.nextInt(size + 3);
          default -> r.nextInt(4) * 4096 + 8 * r.nextInt(16);
        };
    return aligned ? offset & -16 : offset;
  }

  private Mem operand(int size) {
    return operand(size, false);
  }

  private Mem operand(int size, boolean aligned) {
    long target = places.data() + dataOffset(size, aligned);
    boolean low = target == (int) target;
    switch (r.nextInt(12)) {
      case 0, 1 -> {
        return new Mem(NONE, NONE, 1, target, 0, true);
      }
      case 2 -> {
        if (low) {
          return new Mem(NONE, NONE, 1, target, 0, false);
        }
      }
      case 3, 4 -> {
        int index = free();
        int scale = 1 << r.nextInt(4);
        rm(4, 0, index, free(), 0, 0, 0x0f, 0xb6); // movzx index, r8
        if (low && r.nextInt(4) == 0) {
          return new Mem(NONE, index, scale, target - 128L * scale, 0, false);
        }
        return viaPointer(target - 128L * scale, index, scale);
      }
      case 5 -> {
        return new Mem(NONE, NONE, 1, target - places.data(), r.nextBoolean() ? 0x64 : 0x65, false);
      }
      case 6 -> {
        int pointer = free();
        Mem m = viaPointer(target - 40, NONE, 1);
        mem(8, 0, pointer, m, 0, 0, 0x8d);
        return new Mem(pointer, NONE, 1, 40, 0, false);
      }
      case 7 -> {
        if (!aligned) {
          return new Mem(4, NONE, 1, r.nextInt(400) - 64, 0, false);
        }
      }
      case 8 -> {
        // Anywhere: most are not canonical.
        if (r.nextInt(4) == 0) {
          return new Mem(free(), NONE, 1, r.nextInt(256) - 128, 0, false);
        }
      }
      default -> {}
    }
    return viaPointer(target, NONE, 1);
  }

  private Mem viaPointer(long target, int index, int scale) {
    boolean first = r.nextBoolean();
    // The pointers are near the middle; that they vary by some bytes does not matter.
    long disp = target - (places.data() + (first ? 4 * 4096 : 4 * 4096 - 2048));
    return new Mem(first ? data0 : data1, index, scale, disp, 0, false);
  }

  // --- flags ---

  /** Gives all flags defined values if one of {@code wanted} has none. */
  private void define(int wanted) {
    if ((undefined & wanted) != 0) {
      rm(r.nextBoolean() ? 8 : 4, 0, free(), free(), 0, 0, 0x39);
      undefined = 0;
    }
  }

  /** At labels and jumps only AF may be undefined. */
  private void defineMost() {
    define(ALL & ~AF);
  }

  private void label() {
    undefined |= AF;
  }

  // --- what a program consists of ---

  private void block(int n, int depth) {
    for (int i = 0; i < n; i++) {
      item(depth);
    }
    defineMost();
  }

  private void item(int depth) {
    switch (r.nextInt(depth < 4 ? 33 : 22)) {
      case 0, 1, 2, 3 -> arithmetic();
      case 4, 5, 6 -> move();
      case 7 -> unary();
      case 8 -> shift();
      case 9 -> multiply();
      case 10 -> readFlags();
      case 11 -> vector();
      case 12 -> locked();
      case 13 -> bits();
      case 14 -> string();
      case 15 -> divide();
      case 16 -> x87();
      case 17 -> oddity();
      case 18, 19 -> {
        if (modifies) {
          modify();
        } else {
          arithmetic();
        }
      }
      case 20, 21 -> stack();
      case 22, 23 -> branch(depth);
      case 24, 25 -> loop(depth);
      case 26, 27 -> call(depth);
      case 28 -> pushPop(depth);
      case 29, 30, 31 -> walk();
      default -> table(depth);
    }
  }

  private void arithmetic() {
    int op = r.nextInt(9);
    int size = size();
    if (op == 2 || op == 3) {
      define(CF);
    }
    boolean logic = op == 1 || op == 4 || op == 6 || op == 8;
    int wide = size == 1 ? 0 : 1;
    int form = r.nextInt(5);
    if (op == 8) { // test
      if (form < 3) {
        mem(size, 0, free(), operand(size), 0, 0, 0x84 | wide);
      } else {
        rm(size, 0, free(), free(), 0, 0, 0x84 | wide);
        undefined = 0;
      }
    } else {
      switch (form) {
        case 0 -> {
          rm(size, 0, free(), free(), 0, 0, op * 8 | wide | (r.nextBoolean() ? 2 : 0));
          undefined = 0;
        }
        case 1 -> {
          rm(size, 0, op, free(), r.nextInt(), 1, size == 1 ? 0x80 : 0x83);
          undefined = 0;
        }
        case 2 -> mem(size, 0, free(), operand(size), 0, 0, op * 8 | wide | 2);
        case 3 -> mem(size, 0, free(), operand(size), 0, 0, op * 8 | wide);
        default -> mem(size, 0, op, operand(size), r.nextInt(), Math.min(size, 4), 0x80 | wide);
      }
    }
    undefined |= logic ? AF : 0;
  }

  private void move() {
    int size = size();
    int wide = size == 1 ? 0 : 1;
    switch (r.nextInt(9)) {
      case 0, 1 -> mem(size, 0, free(), operand(size), 0, 0, 0x8a | wide);
      case 2, 3 -> mem(size, 0, free(), operand(size), 0, 0, 0x88 | wide);
      case 4 -> mem(size, 0, 0, operand(size), r.nextInt(), Math.min(size, 4), 0xc6 | wide);
      case 5 -> mem(size == 1 ? 4 : size, 0, free(), operand(2), 0, 0, 0x0f, extend());
      case 6 -> rm(size, 0, free(), free(), 0, 0, 0x88 | wide);
      case 7 -> {
        Mem m = operand(8);
        if (m.segment == 0) {
          mem(size < 4 ? 4 : size, 0, free(), m, 0, 0, 0x8d);
        }
      }
      default -> mem(8, 0, free(), operand(4), 0, 0, 0x63); // movsxd
    }
  }

  private int extend() {
    int[] opcodes = {0xb6, 0xb7, 0xbe, 0xbf};
    return opcodes[r.nextInt(4)];
  }

  private void unary() {
    int size = size();
    int wide = size == 1 ? 0 : 1;
    int kind = r.nextInt(4);
    int opcode = kind < 2 ? 0xfe | wide : 0xf6 | wide;
    if (r.nextBoolean()) {
      mem(size, 0, kind, operand(size), 0, 0, opcode);
      return;
    }
    int before = undefined;
    rm(size, 0, kind, free(), 0, 0, opcode);
    undefined = kind == 2 ? before : kind == 3 ? 0 : before & CF; // not, neg, inc and dec
  }

  private void shift() {
    int size = size();
    int wide = size == 1 ? 0 : 1;
    int op = r.nextInt(7); // not 6
    op = op == 6 ? 7 : op;
    if (op == 2 || op == 3) {
      define(CF);
    }
    int before = undefined;
    boolean memory = r.nextInt(3) == 0;
    int form = r.nextInt(3);
    int opcode = (form == 0 ? 0xc0 : form == 1 ? 0xd0 : 0xd2) | wide;
    int bytes = form == 0 ? 1 : 0;
    if (memory) {
      mem(size, 0, op, operand(size), r.nextInt(40), bytes, opcode);
    } else {
      rm(size, 0, op, free(), r.nextInt(40), bytes, opcode);
    }
    undefined = before | AF | (form == 1 ? 0 : OF | CF);
    if (r.nextInt(4) == 0) {
      int wideSize = r.nextBoolean() ? 8 : 4;
      rm(wideSize, 0, free(), free(), r.nextInt(64), 1, 0x0f, r.nextBoolean() ? 0xa4 : 0xac);
      undefined |= AF | OF | CF;
    }
  }

  private void multiply() {
    int size = r.nextBoolean() ? 8 : 4;
    switch (r.nextInt(4)) {
      case 0 -> mem(size, 0, free(), operand(size), 0, 0, 0x0f, 0xaf);
      case 1 -> rm(size, 0, free(), free(), r.nextInt(), 1, 0x6b);
      case 2 -> rm(size, 0, 4 + r.nextInt(2), free(), 0, 0, 0xf7);
      default -> mem(size, 0, 4 + r.nextInt(2), operand(size), 0, 0, 0xf7);
    }
    undefined |= 0xd4;
  }

  /** Now and then it does not divide by zero. */
  private void divide() {
    int size = size();
    int wide = size == 1 ? 0 : 1;
    int divisor = free();
    if (r.nextBoolean()) {
      rm(4, 0, 2, 2, 0, 0, 0x31); // xor edx, edx
      undefined = AF;
    } else {
      insn(size == 8 ? 0x48 : 0x40, 0x99); // cdq, cqo
    }
    if (r.nextInt(3) > 0) {
      rm(size, 0, 1, divisor, 1, 1, size == 1 ? 0x80 : 0x83);
      undefined = AF;
    }
    int before = undefined;
    if (r.nextInt(3) == 0) {
      mem(size, 0, 6 + r.nextInt(2), operand(size), 0, 0, 0xf6 | wide);
    } else {
      rm(size, 0, 6 + r.nextInt(2), divisor, 0, 0, 0xf6 | wide);
    }
    undefined = before | ALL;
  }

  private void readFlags() {
    switch (r.nextInt(6)) {
      case 0 -> {
        defineMost();
        rm(1, 0, 0, free(), 0, 0, 0x0f, 0x90 + r.nextInt(16));
      }
      case 1 -> {
        defineMost();
        mem(1, 0, 0, operand(1), 0, 0, 0x0f, 0x90 + r.nextInt(16));
      }
      case 2 -> {
        defineMost();
        mem(r.nextBoolean() ? 8 : 4, 0, free(), operand(8), 0, 0, 0x0f, 0x40 + r.nextInt(16));
      }
      case 3 -> {
        define(ALL);
        insn(0x9f); // lahf
      }
      case 4 -> {
        insn(0x9e); // sahf
        undefined &= OF;
      }
      default -> {
        define(CF);
        insn(r.nextBoolean() ? 0xf5 : 0xf9); // cmc, stc
        undefined &= ~CF;
      }
    }
  }

  private void vector() {
    int x = r.nextInt(16);
    int[] plain = {0xfe, 0xef, 0xd4, 0xeb, 0x6f};
    int opcode = plain[r.nextInt(plain.length)];
    switch (r.nextInt(8)) {
      case 0 -> mem(4, 0xf3, x, operand(16), 0, 0, 0x0f, r.nextBoolean() ? 0x6f : 0x7f);
      case 1 -> mem(4, 0x66, x, operand(16, r.nextInt(4) > 0), 0, 0, 0x0f, opcode);
      case 2 ->
          mem(4, 0, x, operand(16, r.nextInt(4) > 0), 0, 0, 0x0f, r.nextBoolean() ? 0x28 : 0x29);
      case 3 -> rm(4, 0x66, x, r.nextInt(16), 0, 0, 0x0f, opcode);
      case 4 ->
          rm(r.nextBoolean() ? 8 : 4, 0x66, x, free(), 0, 0, 0x0f, r.nextBoolean() ? 0x6e : 0x7e);
      case 5 -> rm(r.nextBoolean() ? 8 : 4, 0xf2, x, free(), 0, 0, 0x0f, 0x2a);
      case 6 -> mem(4, 0xf2, x, operand(8), 0, 0, 0x0f, r.nextBoolean() ? 0x58 : 0x59);
      default -> mem(4, 0xf2, x, operand(8), 0, 0, 0x0f, r.nextBoolean() ? 0x10 : 0x11);
    }
  }

  private void x87() {
    switch (r.nextInt(6)) {
      case 0, 1 -> mem(4, 0, 0, operand(8), 0, 0, 0xdd); // fld
      case 2 -> mem(4, 0, r.nextBoolean() ? 0 : 1, operand(8), 0, 0, 0xdc); // fadd, fmul
      case 3 -> mem(4, 0, 3, operand(8), 0, 0, 0xdd); // fstp
      case 4 -> mem(4, 0, 5, operand(8), 0, 0, 0xdf); // fild
      default -> insn(0xd9, 0xe8); // fld1
    }
  }

  private void locked() {
    int size = size();
    int wide = size == 1 ? 0 : 1;
    switch (r.nextInt(5)) {
      case 0 -> mem(size, 0xf0, free(), operand(size), 0, 0, r.nextInt(7) * 8 & 0x28 | wide);
      case 1 -> mem(size, 0, free(), operand(size), 0, 0, 0x86 | wide); // xchg
      case 2 -> mem(size, 0xf0, free(), operand(size), 0, 0, 0x0f, 0xc0 | wide); // xadd
      case 3 -> mem(size, 0xf0, free(), operand(size), 0, 0, 0x0f, 0xb0 | wide); // cmpxchg
      default -> {
        boolean sixteen = r.nextBoolean();
        Mem m = operand(16, r.nextInt(4) > 0);
        mem(sixteen ? 8 : 4, 0xf0, 1, m, 0, 0, 0x0f, 0xc7);
      }
    }
    undefined |= AF;
  }

  private void bits() {
    int size = r.nextBoolean() ? 8 : 4;
    int[] opcodes = {0xa3, 0xab, 0xb3, 0xbb};
    int offset = free();
    if (r.nextBoolean()) {
      rm(4, 0, offset, free(), 0, 0, 0x0f, r.nextBoolean() ? 0xb6 : 0xbe);
      mem(size, 0, offset, operand(size), 0, 0, 0x0f, opcodes[r.nextInt(4)]);
    } else {
      mem(size, 0, 4 + r.nextInt(4), operand(size), r.nextInt(64), 1, 0x0f, 0xba);
    }
    undefined |= 0x894;
    if (r.nextBoolean()) {
      mem(size, 0xf3, free(), operand(size), 0, 0, 0x0f, 0xb8); // popcnt
      undefined |= AF;
    }
  }

  private void string() {
    int size = size();
    int from = dataOffset(16, false);
    int to = r.nextBoolean() ? Math.max(0, from + r.nextInt(40) - 20) : dataOffset(16, false);
    mem(8, 0, 6, viaPointer(places.data() + from, NONE, 1), 0, 0, 0x8d);
    mem(8, 0, 7, viaPointer(places.data() + to, NONE, 1), 0, 0, 0x8d);
    movImm32(1, r.nextInt(8) == 0 ? r.nextInt(4200) : r.nextInt(40));
    define(ALL); // a comparison that is not made leaves them
    int[] opcodes = {0xa4, 0xaa, 0xa4, 0xaa, 0xa6, 0xac, 0xae};
    int opcode = opcodes[r.nextInt(opcodes.length)] | (size == 1 ? 0 : 1);
    boolean backward = r.nextInt(8) == 0;
    if (backward) {
      insn(0xfd);
    }
    List<Integer> bytes = new ArrayList<>();
    if (r.nextInt(16) == 0) {
      bytes.add(0x67);
    }
    if (size == 2) {
      bytes.add(0x66);
    }
    if (r.nextInt(5) > 0) {
      bytes.add(0xf2 + r.nextInt(2));
    }
    if (size == 8) {
      bytes.add(0x48);
    }
    bytes.add(opcode);
    insn(bytes.stream().mapToInt(Integer::intValue).toArray());
    if (backward) {
      insn(0xfc);
    }
  }

  private void oddity() {
    switch (r.nextInt(8)) {
      case 0 -> insn(0x90);
      case 1 -> insn(0xf3, 0x90);
      case 2 -> insn(0x0f, 0xae, 0xe8);
      case 3 -> rm(4, 0, 3, free(), 0, 0, 0x8c); // mov r32, ds
      case 4 -> {
        int a = free();
        insn(0x48 | a >> 3, 0x0f, 0xc8 | a & 7); // bswap
      }
      case 5 -> insn(0x0f, 0xa2); // cpuid
      case 6 -> {
        movImm32(0, 0x1b);
        insn(0x8e, 0xd0); // mov ss, eax
      }
      default -> insn(0x0f, 0x31); // rdtsc
    }
  }

  /** Writes to an instruction somewhere, and has one that is written to. */
  private void modify() {
    if (r.nextBoolean()) {
      movImm32(free(), r.nextInt());
      immediates.add(at - 4);
      immediates.add(at - 1);
      return;
    }
    if (modifiesOpcodes && r.nextInt(3) == 0) {
      define(ALL);
      int a = free();
      int b = free();
      opcodes.add(at + 1);
      insn(0x48 | (a & 8) >> 1 | (b & 8) >> 3, 1, 0xc0 | (a & 7) << 3 | b & 7);
      undefined = AF;
      return;
    }
    boolean opcode = modifiesOpcodes && r.nextInt(3) == 0;
    int size = opcode ? 1 : r.nextBoolean() ? 1 : 4;
    int before = undefined;
    if (opcode || r.nextBoolean()) {
      int[] values = {0x01, 0x11, 0x19, 0x29, 0x31, 0x39, 0x89};
      int value = opcode ? values[r.nextInt(values.length)] : r.nextInt();
      // Four bytes may be beside code that is still wanted: only where the immediate begins.
      mem(1, 0, 0, new Mem(NONE, NONE, 1, places.code(), 0, true), value, 1, 0xc6);
      patches.add(new int[] {at - 5, at, opcode ? 1 : 0});
    } else {
      mem(
          1,
          0,
          free(),
          new Mem(NONE, NONE, 1, places.code(), 0, true),
          0,
          0,
          size == 1 ? 0x88 : 0x00);
      patches.add(new int[] {at - 4, at, 0});
      before |= AF;
    }
    undefined |= before;
  }

  private void stack() {
    if (r.nextBoolean()) {
      mem(8, 0, 6, operand(8), 0, 0, 0xff); // push
    } else {
      plusR(0x50, free());
    }
    switch (r.nextInt(4)) {
      case 0 -> mem(4, 0, 0, operand(8), 0, 0, 0x8f);
      case 1 -> {
        define(ALL);
        insn(0x9c);
        plusR(0x58, free());
        plusR(0x58, free());
      }
      default -> plusR(0x58, free());
    }
  }

  private void comparison() {
    if (r.nextBoolean()) {
      int size = size();
      rm(size, 0, 7, free(), r.nextInt(256) - 128, 1, size == 1 ? 0x80 : 0x83);
      undefined = 0;
    } else {
      arithmetic();
    }
  }

  private void branch(int depth) {
    comparison();
    defineMost();
    int kind = r.nextInt(8);
    int place;
    if (kind == 0) {
      insn(0xe3, 5); // jrcxz over a jump
      jump(0);
      place = at - 4;
    } else if (kind == 1) {
      jump(0);
      place = at - 4;
    } else {
      insn(0x0f, 0x80 + r.nextInt(16), 0, 0, 0, 0);
      place = at - 4;
    }
    if (r.nextInt(5) == 0) {
      pad();
    }
    block(1 + r.nextInt(5), depth + 1);
    label();
    patch32(place, at - (place + 4));
  }

  /** Bytes that nobody executes: what follows is in another granule or page. */
  private void pad() {
    int skip = r.nextInt(3) == 0 ? 1000 + r.nextInt(2000) : r.nextInt(80);
    insn(0xe9, skip, skip >> 8, 0, 0);
    room(skip);
    at += skip;
  }

  private void loop(int depth) {
    if (loops == 2) {
      arithmetic();
      return;
    }
    int counter = loops == 0 ? counter0 : counter1;
    loops++;
    movImm32(counter, 1 + r.nextInt(loops == 1 ? 30 : 6));
    defineMost();
    label();
    int head = at;
    block(1 + r.nextInt(6), depth + 1);
    int before = undefined;
    if (r.nextBoolean()) {
      rm(8, 0, 1, counter, 0, 0, 0xff); // dec
      undefined = before & CF;
    } else {
      rm(4, 0, 5, counter, 1, 1, 0x83); // sub
      undefined = 0;
    }
    int distance = head - (at + 6);
    insn(0x0f, 0x85, distance, distance >> 8, distance >> 16, distance >> 24);
    loops--;
  }

  /** A loop of a few rounds, known beforehand, by an index and two registers that stay. */
  private void walk() {
    List<Integer> registers = new ArrayList<>();
    for (int register : free) {
      registers.add(register);
    }
    Collections.shuffle(registers, r);
    int index = registers.get(0);
    int value = registers.get(1);
    for (int pointer : registers.subList(2, 4)) {
      Mem m = viaPointer(places.data() + dataOffset(8, r.nextBoolean()), NONE, 1);
      mem(8, 0, pointer, m, 0, 0, 0x8d);
    }
    int start = r.nextInt(3) * 4;
    if (start == 0) {
      rm(4, 0, index, index, 0, 0, 0x31);
      undefined = AF;
    } else {
      movImm32(index, start);
    }
    defineMost();
    label();
    int head = at;
    int exit = 0;
    for (int n = 2 + r.nextInt(4); n > 0; n--) {
      int pointer = registers.get(2 + r.nextInt(2));
      boolean indexed = r.nextBoolean();
      int scale = 1 << r.nextInt(4);
      walkAccess(
          value, new Mem(pointer, indexed ? index : NONE, scale, 8 * r.nextInt(5), 0, false));
      if (exit == 0 && r.nextInt(6) == 0) {
        rm(8, 0, value, value, 0, 0, 0x85);
        undefined = AF;
        insn(0x0f, 0x84, 0, 0, 0, 0); // jz
        exit = at;
      }
    }
    int step = 1 << r.nextInt(4);
    rm(8, 0, 0, index, step, 1, 0x83);
    int last = start + step * (1 + r.nextInt(10));
    int[] conditions = {0x85, 0x82, 0x8c, 0x86, 0x8e}; // jne, jb, jl; jbe, jle
    int kind = r.nextInt(conditions.length);
    rm(r.nextBoolean() ? 8 : 4, 0, 7, index, kind < 3 ? last : last - 1, 1, 0x83);
    undefined = 0;
    int distance = head - (at + 6);
    insn(0x0f, conditions[kind], distance, distance >> 8, distance >> 16, distance >> 24);
    label();
    if (exit != 0) {
      patch32(exit - 4, at - exit);
    }
  }

  private void walkAccess(int value, Mem m) {
    switch (r.nextInt(6)) {
      case 0 -> mem(8, 0, value, m, 0, 0, 0x8b);
      case 1 -> mem(8, 0, value, m, 0, 0, 0x89);
      case 2 -> mem(8, 0, value, m, 0, 0, 0x03);
      case 3 -> mem(4, 0, value, m, 0, 0, 0x01);
      case 4 -> mem(4, 0xf2, r.nextInt(16), m, 0, 0, 0x0f, 0x10 | r.nextInt(2)); // movsd
      default -> mem(4, 0, r.nextInt(16), m, 0, 0, 0x0f, r.nextInt(3) > 0 ? 0x11 : 0x28);
    }
  }

  private void call(int depth) {
    defineMost();
    boolean possible = depth <= 1 && owner < functionCount - 1;
    switch (possible ? r.nextInt(3) : 3) {
      case 0 -> {
        insn(0xe8, 0, 0, 0, 0);
        calls.add(new int[] {at - 4, owner});
      }
      case 1 -> {
        int a = free();
        mem(8, 0, a, new Mem(NONE, NONE, 1, places.code(), 0, true), 0, 0, 0x8d);
        calls.add(new int[] {at - 4, owner});
        rm(4, 0, 2, a, 0, 0, 0xff);
      }
      case 2 -> {
        int a = free();
        rm(4, 0, a, free(), 0, 0, 0x0f, 0xb6);
        rm(4, 0, 4, a, 3, 1, 0x83); // and a, 3
        undefined = AF;
        int table = free();
        while (table == a) {
          table = free();
        }
        mem(8, 0, table, new Mem(NONE, NONE, 1, places.code(), 0, true), 0, 0, 0x8d);
        int function = -2 - owner;
        tables.add(new int[] {at - 4, at, function, function, function, function});
        mem(4, 0, 2, new Mem(table, a, 8, 0, 0, false), 0, 0, 0xff);
      }
      default -> arithmetic();
    }
    if (possible) {
      undefined = AF;
    }
  }

  private void table(int depth) {
    int a = free();
    rm(4, 0, a, free(), 0, 0, 0x0f, 0xb6);
    rm(4, 0, 4, a, 1, 1, 0x83); // and a, 1
    undefined = AF;
    int table = free();
    while (table == a) {
      table = free();
    }
    mem(8, 0, table, new Mem(NONE, NONE, 1, places.code(), 0, true), 0, 0, 0x8d);
    int[] entry = {at - 4, at, 0, 0};
    mem(4, 0, 4, new Mem(table, a, 8, 0, 0, false), 0, 0, 0xff);
    entry[2] = at;
    block(1 + r.nextInt(3), depth + 1);
    label();
    entry[3] = at;
    tables.add(entry);
  }

  private void pushPop(int depth) {
    boolean flags = r.nextInt(3) == 0;
    if (flags) {
      define(ALL);
      insn(0x9c);
    } else {
      insn(0x68, r.nextInt(), r.nextInt(), r.nextInt(), r.nextInt());
    }
    block(1 + r.nextInt(4), depth + 1);
    if (flags) {
      insn(0x9d);
      undefined |= AF;
    } else {
      plusR(0x58, free());
    }
  }
}
