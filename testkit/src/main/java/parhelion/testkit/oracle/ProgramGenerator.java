package parhelion.testkit.oracle;

import java.util.ArrayList;
import java.util.List;
import parhelion.cpu.decode.Decoder;
import parhelion.cpu.decode.Insn;
import parhelion.cpu.decode.Mnemonic;
import parhelion.cpu.decode.Opcode;
import parhelion.cpu.decode.Operand;
import parhelion.testkit.InsnGenerator;

/**
 * Short programs of random instructions with branches forward, counted loops, calls, pairs of
 * pushes and pops, and string instructions, anywhere in the code area. R15 points to the operands,
 * R14 counts loops and RSP is the stack, so no other instruction writes them.
 *
 * <p>An instruction that reads flags which an earlier one may have left undefined gets a comparison
 * before it.
 */
final class ProgramGenerator {
  private static final int RSP = 4;
  private static final int COUNTER = 14;
  private static final int BASE = 15;

  /** Displacements from R15 for operands and strings. */
  private static final int RANGE = Arena.OPERANDS_TO - Arena.OPERANDS_FROM - 512;

  private static final int MAX_BYTES = 3000;
  private static final int[] FREE = {0, 1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12, 13};
  private static final int[] STRINGS = {0xa4, 0xa5, 0xa6, 0xa7, 0xaa, 0xab, 0xac, 0xad, 0xae, 0xaf};

  private final Arena arena;
  private final List<Opcode> rows;
  private final FastRandom r;
  private final Decoder decoder = Decoder.ofEverything();
  private final Insn insn = new Insn();
  private CodeWriter out = new CodeWriter();

  /** Flags that may be undefined at this point. */
  private int undefined;

  private boolean inLoop;
  private int depth;

  ProgramGenerator(Arena arena, List<Opcode> all, FastRandom r) {
    this.arena = arena;
    this.r = r;
    rows = new ArrayList<>(all);
    rows.removeIf(ProgramGenerator::isUnsuitable);
  }

  private static boolean isUnsuitable(Opcode row) {
    if (row.has(Opcode.D64 | Opcode.STRING | Opcode.ENDS_BLOCK | Opcode.VSIB)
        || OracleRows.isBranch(row)) {
      return true;
    }
    for (Operand operand : row.operands()) {
      if (operand.kind() == Operand.Kind.O) {
        return true;
      }
    }
    return switch (row.mnemonic()) {
      case XLAT, MASKMOVQ, MASKMOVDQU, VMASKMOVDQU, DIV, IDIV, WRGSBASE -> true;
      // Their operands in memory would have to be made first; single cases have them.
      case FLDCW, LDMXCSR, VLDMXCSR, FLDENV, FRSTOR, FXRSTOR, FXSAVE, FNSTENV, FNSAVE -> true;
      default -> false;
    };
  }

  Program next() {
    out = new CodeWriter();
    undefined = 0;
    inLoop = false;
    depth = 0;
    block(r.between(5, 31));
    byte[] code = out.toBytes();
    if (code.length > MAX_BYTES) {
      return next();
    }
    return new Program(arena, code, place(r, code.length), false, undefined);
  }

  /** Where in the code area to put so many bytes: half of them across a page's end. */
  static int place(FastRandom r, int length) {
    int room = Arena.CODE_BYTES - length - 2 * Program.EXIT_BYTES;
    if (r.oneIn(2)) {
      return r.nextInt(room);
    }
    int at = Arena.PAGE * r.between(1, Arena.CODE_PAGES) - r.nextInt(length + Program.EXIT_BYTES);
    return Math.max(0, Math.min(at, room));
  }

  /** The state for the next run. */
  static void fill(CaseInput to, FastRandom r, boolean first) {
    MachineState s = to.state;
    for (int i = 0; i < 16; i++) {
      s.gprs[i] = RandomValues.integer(r);
    }
    s.gprs[BASE] = to.arena.dataVa() + Arena.OPERANDS_FROM;
    s.gprs[RSP] = to.arena.dataVa() + Arena.OPERANDS_TO + 1024 - r.nextInt(64);
    s.flags = RandomValues.flags(r, 4);
    s.gsBase = 0;
    RandomValues.floats(s, r);
    if (first) {
      RandomValues.fill(to.data, Arena.DATA_BYTES, r, r.oneIn(2));
    } else {
      int at = r.nextInt(Arena.DATA_BYTES - 512);
      RandomValues.fill(to.data + at, 512, r, r.oneIn(2));
    }
  }

  private void block(int instructions) {
    depth++;
    int left = instructions;
    while (left > 0) {
      int inner = Math.min(left, r.between(1, 6));
      switch (depth > 3 ? 15 : r.nextInt(16)) {
        case 0, 1, 2 -> {
          branch(inner);
          left -= inner + 1;
        }
        case 3 -> {
          if (inLoop) {
            insn();
            left--;
          } else {
            loop(inner);
            left -= inner + 2;
          }
        }
        case 4 -> {
          pushPop(inner);
          left -= inner + 2;
        }
        case 5 -> {
          call(inner);
          left -= inner + 3;
        }
        case 6 -> {
          string();
          left -= 2;
        }
        case 7 -> {
          oddities();
          left -= 2;
        }
        default -> {
          insn();
          left--;
        }
      }
    }
    depth--;
  }

  private int free() {
    return FREE[r.nextInt(FREE.length)];
  }

  private int disp() {
    return r.nextInt(RANGE);
  }

  /** REX with W if {@code wide}, R from {@code reg}, B from {@code rm}. */
  private static int rex(boolean wide, int reg, int rm) {
    return 0x40 | (wide ? 8 : 0) | reg >> 3 << 2 | rm >> 3;
  }

  private static int direct(int reg, int rm) {
    return 0xc0 | (reg & 7) << 3 | rm & 7;
  }

  // --- one instruction ---

  private void insn() {
    while (true) {
      Opcode row = rows.get(r.nextInt(rows.size()));
      byte[] code = InsnGenerator.withMemoryAt(row, r, BASE, RANGE);
      if (code == null) {
        continue;
      }
      decode(code);
      if (!isAllowed()) {
        continue;
      }
      if (insn.isMemory() && (row.has(Opcode.ALIGNED) || isLocked())) {
        code[code.length - SingleCase.immediateBytes(insn) - 4] &= (byte) 0xe0;
      }
      define(row.flagsRead());
      switch (row.mnemonic()) {
        // They leave C1 undefined, so it is cleared: FINCSTP, FDECSTP.
        case FCOMI, FCOMIP, FUCOMI, FUCOMIP -> out.emit(0xd9, 0xf7, 0xd9, 0xf6);
        default -> {}
      }
      out.emit(code);
      undefined = undefined & ~row.flagsWritten() | FlagMasks.mayBeUndefined(insn);
      return;
    }
  }

  private void decode(byte[] code) {
    if (decoder.decode(code, 0, code.length, 64, insn) != Decoder.OK) {
      throw new IllegalStateException("generated code does not decode");
    }
  }

  private boolean isLocked() {
    return insn.lock || insn.mnemonic() == Mnemonic.XCHG;
  }

  private boolean isAllowed() {
    for (Operand operand : insn.opcode.operands()) {
      boolean reserved =
          switch (operand.kind()) {
            case G -> isReserved(insn.reg);
            case E, R -> !insn.isMemory() && isReserved(insn.rm);
            case Z -> isReserved(insn.opcodeReg);
            case B -> isReserved(insn.vvvv);
            default -> false;
          };
      if (reserved) {
        return false;
      }
    }
    return switch (insn.mnemonic()) {
      case BT, BTS, BTR, BTC -> !insn.isMemory() || insn.opcode.operands()[1] == Operand.Ib;
      case SHLD, SHRD -> insn.operandSize != 2;
      default -> true;
    };
  }

  private static boolean isReserved(int register) {
    return register == RSP || register == COUNTER || register == BASE;
  }

  /** Sees to it that {@code flags} are defined. */
  private void define(int flags) {
    if ((undefined & flags & FlagMasks.ARITHMETIC) != 0) {
      int a = free();
      int b = free();
      out.emit(rex(r.oneIn(2), a, b), 0x39, direct(a, b));
      undefined = 0;
    }
  }

  // --- several ---

  /** What compilers put before a branch, which the interpreter may run together with it. */
  private void comparison() {
    int a = free();
    int b = free();
    boolean wide = r.oneIn(2);
    boolean wordPrefix = r.oneIn(6);
    switch (r.nextInt(4)) {
      case 0 -> out.emit(rex(true, a, b), 0x89, direct(a, b)); // mov b, a
      case 1 -> out.emit(rex(true, 0, b), 0xc7, direct(0, b)).int32(r.nextInt(4) - 1);
      default -> {}
    }
    if (wordPrefix) {
      out.emit(0x66);
      wide = false;
    }
    int[] values = {0, 1, -1, 0x7f, 0x80, -0x80, 0x100, r.nextInt()};
    int imm = values[r.nextInt(values.length)];
    boolean word = wordPrefix;
    int test = 0;
    switch (r.nextInt(9)) {
      case 0 -> out.emit(rex(wide, a, b), 0x39, direct(a, b));
      case 1 -> out.emit(rex(wide, a, b), 0x3b, direct(a, b));
      case 2 -> out.emit(rex(wide, 0, b), 0x83, direct(7, b), imm & 0xff);
      case 3 -> out.emit(rex(wide, a, 15), 0x3b, 0x87 | (a & 7) << 3).int32(disp());
      case 4 -> out.emit(rex(wide, 0, b), 0x38, direct(a & 3, b & 3));
      case 5 -> immediate(out.emit(rex(wide, 0, b), 0x81, direct(7, b)), word, imm);
      case 6 -> {
        immediate(out.emit(rex(wide, 0, b), 0xf7, direct(0, b)), word, imm);
        test = 0x10;
      }
      case 7 -> {
        out.emit(rex(wide, a, b), 0x85, direct(a, b));
        test = 0x10;
      }
      default -> {
        out.emit(rex(false, 0, b), 0xf6, direct(0, b), imm & 0xff);
        test = 0x10;
      }
    }
    undefined = test;
  }

  private static void immediate(CodeWriter to, boolean word, int imm) {
    if (word) {
      to.int16(imm);
    } else {
      to.int32(imm);
    }
  }

  private void branch(int inner) {
    int kind = r.nextInt(12);
    if (kind == 0) {
      // LOOPNE, LOOPE, LOOP, JRCXZ forward
      if (r.oneIn(3)) {
        out.emit(0xb9).int32(r.nextInt(3));
      }
      define(0x40);
      if (r.oneIn(4)) {
        out.emit(0x67);
      }
      forward(inner, 0xe0 + r.nextInt(4), -1);
      return;
    }
    if (kind == 1) {
      forward(inner, 0xeb, 0xe9);
      return;
    }
    if (kind == 2) {
      jumpByRegister(inner);
      return;
    }
    if (!r.oneIn(3)) {
      comparison();
    }
    define(FlagMasks.ARITHMETIC & ~0x10);
    int cc = r.oneIn(3) ? 4 + r.nextInt(2) : r.nextInt(16);
    forward(inner, 0x70 + cc, r.oneIn(2) ? 0x0f80 + cc : -1);
    if (r.oneIn(2)) {
      define(FlagMasks.ARITHMETIC & ~0x10);
      int b = free();
      out.emit(rex(false, 0, b), 0x0f, 0x90 + r.nextInt(16), direct(0, b)); // setcc
    }
  }

  /** A jump over some instructions: the opcodes of its short form and of its long form or -1. */
  private void forward(int inner, int shortOpcode, int longOpcode) {
    int before = undefined;
    int start = out.at();
    block(inner);
    undefined |= before;
    int length = out.at() - start;
    if (longOpcode < 0 && length > 127) {
      if (shortOpcode < 0xe0) {
        longOpcode = 0x0f10 + shortOpcode;
      } else {
        return; // no long form: then without the branch
      }
    }
    if (longOpcode < 0) {
      out.insert(start, 2);
      out.put(start, shortOpcode);
      out.put(start + 1, length);
      return;
    }
    int opcodeBytes = longOpcode > 0xff ? 2 : 1;
    out.insert(start, opcodeBytes + 4);
    out.put(start, opcodeBytes == 2 ? longOpcode >> 8 : longOpcode);
    out.put(start + opcodeBytes - 1, longOpcode & 0xff);
    out.relative32(start + opcodeBytes, start + opcodeBytes + 4 + length);
  }

  /** JMP to an address in a register or in memory. */
  private void jumpByRegister(int inner) {
    int a = free();
    out.emit(rex(true, a, 0), 0x8d, 5 | (a & 7) << 3).int32(0); // lea a, [rip+...]
    int place = out.at() - 4;
    if (r.oneIn(2)) {
      out.emit(rex(false, 0, a), 0xff, direct(4, a)); // jmp a
    } else {
      int disp = disp();
      out.emit(rex(true, a, 15), 0x89, 0x87 | (a & 7) << 3).int32(disp); // mov [r15+...], a
      out.emit(0x41, 0xff, 0xa7).int32(disp); // jmp [r15+...]
    }
    int before = undefined;
    block(inner);
    undefined |= before;
    out.relative32(place, out.at());
  }

  private void loop(int inner) {
    if (r.oneIn(3)) {
      tinyLoop();
      return;
    }
    inLoop = true;
    out.emit(0x41, 0xbe).int32(r.between(1, 6)); // mov r14d, count
    int head = out.at();
    undefined = FlagMasks.ARITHMETIC;
    block(inner);
    switch (r.nextInt(4)) {
      case 0 -> {
        out.emit(0x41, 0xff, 0xce); // dec r14d
        undefined &= 1;
      }
      case 1 -> {
        out.emit(0x49, 0x83, 0xee, 1); // sub r14, 1
        undefined = 0;
      }
      case 2 -> {
        out.emit(0x49, 0xff, 0xce, 0x45, 0x85, 0xf6); // dec r14; test r14d, r14d
        undefined = 0x10;
      }
      default -> {
        out.emit(0x4d, 0x8d, 0x76, 0xff, 0x49, 0x83, 0xfe, 0); // lea r14, [r14-1]; cmp r14, 0
        undefined = 0;
      }
    }
    out.emit(0x0f, 0x85).int32(0);
    out.relative32(out.at() - 4, head);
    inLoop = false;
  }

  /** A loop of one block that ends in LOOP, or in DEC and JNZ. */
  private void tinyLoop() {
    out.emit(0xb9).int32(r.between(1, 20)); // mov ecx, count
    int head = out.at();
    for (int i = r.nextInt(4); i >= 0; i--) {
      int a = 8 + r.nextInt(6);
      int b = 8 + r.nextInt(6);
      int[] opcodes = {0x01, 0x29, 0x31, 0x09, 0x21, 0x89};
      out.emit(rex(r.oneIn(2), a, b), opcodes[r.nextInt(opcodes.length)], direct(a, b));
    }
    if (r.oneIn(2)) {
      out.emit(0xe2, head - (out.at() + 2));
      undefined |= 0x10;
    } else {
      out.emit(0xff, 0xc9, 0x75, head - (out.at() + 4)); // dec ecx; jnz
      undefined |= 0x10;
    }
    define(0x10);
  }

  private void pushPop(int inner) {
    boolean word = r.oneIn(5);
    boolean flags = r.oneIn(4);
    if (flags) {
      define(FlagMasks.ARITHMETIC);
    }
    if (word) {
      out.emit(0x66);
    }
    if (flags) {
      out.emit(0x9c);
    } else {
      int a = r.nextInt(14);
      switch (r.nextInt(4)) {
        case 0 -> out.emit(rex(false, 0, a), 0x50 + (a & 7));
        case 1 -> out.emit(0x6a, r.nextInt(256));
        case 2 -> {
          out.emit(0x68);
          if (word) {
            out.int16(r.nextInt());
          } else {
            out.int32(r.nextInt());
          }
        }
        default -> out.emit(0x41, 0xff, 0xb7).int32(disp());
      }
    }
    block(inner);
    if (word) {
      out.emit(0x66);
    }
    int b = free();
    if (flags && r.oneIn(2)) {
      out.emit(0x9d);
      undefined = 0;
    } else if (r.oneIn(4)) {
      out.emit(0x41, 0x8f, 0x87).int32(disp());
    } else {
      out.emit(rex(false, 0, b), 0x58 + (b & 7));
    }
  }

  private void call(int inner) {
    int arguments = r.oneIn(2) ? 0 : r.between(1, 4);
    for (int i = 0; i < arguments; i++) {
      out.emit(0x6a, r.nextInt(256)); // push
    }
    int a = free();
    int place;
    switch (r.nextInt(3)) {
      case 0 -> {
        out.emit(0xe8).int32(0);
        place = out.at() - 4;
      }
      case 1 -> {
        out.emit(rex(true, a, 0), 0x8d, 5 | (a & 7) << 3).int32(0); // lea a, [rip+...]
        place = out.at() - 4;
        out.emit(rex(false, 0, a), 0xff, direct(2, a)); // call a
      }
      default -> {
        int disp = disp();
        out.emit(rex(true, a, 0), 0x8d, 5 | (a & 7) << 3).int32(0);
        place = out.at() - 4;
        out.emit(rex(true, a, 15), 0x89, 0x87 | (a & 7) << 3).int32(disp); // mov [r15+...], a
        out.emit(0x41, 0xff, 0x97).int32(disp); // call [r15+...]
      }
    }
    out.emit(0xe9).int32(0); // jmp over
    int over = out.at() - 4;
    out.relative32(place, out.at());
    block(inner);
    if (arguments == 0) {
      out.emit(0xc3);
    } else {
      out.emit(0xc2).int16(arguments * 8);
    }
    out.relative32(over, out.at());
  }

  private void string() {
    out.emit(0x49, 0x8d, 0xb7).int32(disp()); // lea rsi, [r15+...]
    out.emit(0x49, 0x8d, 0xbf).int32(disp()); // lea rdi, [r15+...]
    out.emit(0xb9).int32(r.nextInt(40)); // mov ecx, ...
    define(FlagMasks.ARITHMETIC);
    for (int i = r.between(1, 3); i > 0; i--) {
      if (r.oneIn(5)) {
        out.emit(0x67);
      }
      if (r.oneIn(4)) {
        out.emit(0x66);
      }
      if (!r.oneIn(3)) {
        out.emit(0xf2 + r.nextInt(2));
      }
      if (r.oneIn(3)) {
        out.emit(0x48);
      }
      out.emit(STRINGS[r.nextInt(STRINGS.length)]);
    }
  }

  /** Divisions that fit, bit strings in memory, XLAT. */
  private void oddities() {
    int a = 8 + r.nextInt(6);
    boolean wide = r.oneIn(2);
    switch (r.nextInt(3)) {
      case 0 -> {
        boolean signed = r.oneIn(2);
        out.emit(rex(wide, 0, a), 0x83, direct(1, a), 1); // or a, 1
        if (signed) {
          out.emit(rex(wide, 0, 0), 0x99); // cdq, cqo
        } else {
          out.emit(0x31, 0xd2); // xor edx, edx
        }
        out.emit(rex(wide, 0, a), 0xf7, direct(signed ? 7 : 6, a));
        undefined = FlagMasks.ARITHMETIC;
      }
      case 1 -> {
        int[] opcodes = {0xa3, 0xab, 0xb3, 0xbb};
        out.emit(rex(false, 0, a), 0x81, direct(4, a)).int32(0x7ff); // and a, 7ff
        out.emit(rex(wide, a, 15), 0x0f, opcodes[r.nextInt(4)], 0x87 | (a & 7) << 3);
        out.int32(disp());
        undefined = FlagMasks.ARITHMETIC & ~1;
      }
      default -> out.emit(0x49, 0x8d, 0x9f).int32(disp()).emit(0xd7); // lea rbx, [r15+...]; xlat
    }
  }
}
