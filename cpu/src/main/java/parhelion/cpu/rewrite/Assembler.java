package parhelion.cpu.rewrite;

import java.util.Arrays;
import parhelion.cpu.CpuState;

/**
 * Writes host x86-64 instructions into a buffer whose final address is known. Registers are numbers
 * 0 to 15 in the processor's order. Only the forms that the rewriter needs.
 */
public final class Assembler {
  public static final int RAX = 0;
  public static final int RCX = 1;
  public static final int RDX = 2;
  public static final int RBX = 3;
  public static final int RSP = 4;
  public static final int RBP = 5;
  public static final int RSI = 6;
  public static final int RDI = 7;
  public static final int R8 = 8;
  public static final int R9 = 9;
  public static final int R10 = 10;
  public static final int R11 = 11;
  public static final int R12 = 12;
  public static final int R13 = 13;
  public static final int R14 = 14;
  public static final int R15 = 15;

  /** Condition codes of Jcc. */
  public static final int BELOW = 2;

  public static final int AE = 3;
  public static final int E = 4;
  public static final int NE = 5;
  public static final int BE = 6;
  public static final int A = 7;
  public static final int S = 8;

  /** Shifts by the number that they have in C1 /n. */
  public static final int SHL = 4;

  public static final int SHR = 5;
  public static final int SAR = 7;

  /** ALU operations by the number that they have in 80 /n. */
  public static final int ADD = 0;

  public static final int OR = 1;
  public static final int AND = 4;
  public static final int SUB = 5;
  public static final int XOR = 6;
  public static final int CMP = 7;

  byte[] code = new byte[16384];
  int at;

  /** Host address that byte 0 will have. */
  long base;

  void start(long address) {
    base = address;
    at = 0;
  }

  void b(int value) {
    if (at + 16 > code.length) {
      code = Arrays.copyOf(code, code.length * 2);
    }
    code[at++] = (byte) value;
  }

  void b(int first, int second) {
    b(first);
    b(second);
  }

  void b(int first, int second, int third) {
    b(first);
    b(second);
    b(third);
  }

  void d(int value) {
    b(value);
    b(value >> 8);
    b(value >> 16);
    b(value >> 24);
  }

  void q(long value) {
    d((int) value);
    d((int) (value >> 32));
  }

  /** Rewrites four bytes that were written before. */
  void patch(int position, int value) {
    code[position] = (byte) value;
    code[position + 1] = (byte) (value >> 8);
    code[position + 2] = (byte) (value >> 16);
    code[position + 3] = (byte) (value >> 24);
  }

  private void rex(boolean wide, int reg, int index, int rm) {
    int rex = (wide ? 0x48 : 0x40) | (reg >> 3 & 1) << 2 | (index >> 3 & 1) << 1 | (rm >> 3 & 1);
    if (rex != 0x40) {
      b(rex);
    }
  }

  // --- operands ---

  /** ModRM for gs:[offset], whose prefix the caller has written. */
  private void state(int reg, int offset) {
    b((reg & 7) << 3 | 4, 0x25);
    d(offset);
  }

  /** ModRM (and SIB, displacement) for [base + index * 2^scale + disp]; base or index may be -1. */
  void memory(int reg, int baseReg, int index, int scale, int disp) {
    int r = (reg & 7) << 3;
    if (baseReg < 0) {
      b(r | 4, scale << 6 | (index < 0 ? 4 : index & 7) << 3 | 5);
      d(disp);
      return;
    }
    boolean sib = index >= 0 || (baseReg & 7) == 4;
    int mod = disp == 0 && (baseReg & 7) != 5 ? 0 : disp == (byte) disp ? 0x40 : 0x80;
    b(mod | r | (sib ? 4 : baseReg & 7));
    if (sib) {
      b(scale << 6 | (index < 0 ? 4 : index & 7) << 3 | (baseReg & 7));
    }
    if (mod == 0x40) {
      b(disp);
    } else if (mod == 0x80) {
      d(disp);
    }
  }

  // --- moves ---

  public void loadState(int reg, int offset) {
    b(0x65);
    rex(true, reg, 0, 0);
    b(0x8b);
    state(reg, offset);
  }

  public void loadState32(int reg, int offset) {
    b(0x65);
    rex(false, reg, 0, 0);
    b(0x8b);
    state(reg, offset);
  }

  public void storeState(int offset, int reg) {
    b(0x65);
    rex(true, reg, 0, 0);
    b(0x89);
    state(reg, offset);
  }

  public void storeState32(int offset, int reg) {
    b(0x65);
    rex(false, reg, 0, 0);
    b(0x89);
    state(reg, offset);
  }

  /** mov dword gs:[offset], value. */
  public void storeState32Imm(int offset, int value) {
    b(0x65, 0xc7);
    state(0, offset);
    d(value);
  }

  /** reg := gs:[index + offset]. */
  void loadStateIndexed(int reg, int index, int offset) {
    b(0x65);
    rex(true, reg, 0, index);
    b(0x8b);
    indexed(reg, index, offset);
  }

  /** gs:[index + offset] := reg. */
  void storeStateIndexed(int index, int offset, int reg) {
    b(0x65);
    rex(true, reg, 0, index);
    b(0x89);
    indexed(reg, index, offset);
  }

  private void indexed(int reg, int base, int offset) {
    b(0x80 | (reg & 7) << 3 | ((base & 7) == 4 ? 4 : base & 7));
    if ((base & 7) == 4) {
      b(0x24);
    }
    d(offset);
  }

  public void mov(int to, int from) {
    rex(true, from, 0, to);
    b(0x89, 0xc0 | (from & 7) << 3 | to & 7);
  }

  public void mov32(int to, int from) {
    rex(false, from, 0, to);
    b(0x89, 0xc0 | (from & 7) << 3 | to & 7);
  }

  /** movsxd to, from. */
  void movSignExtend(int to, int from) {
    rex(true, to, 0, from);
    b(0x63, 0xc0 | (to & 7) << 3 | from & 7);
  }

  /** The shortest move of a constant; leaves the flags. */
  public void movImm(int to, long value) {
    if (value >>> 32 == 0) {
      rex(false, 0, 0, to);
      b(0xb8 | to & 7);
      d((int) value);
    } else if (value == (int) value) {
      rex(true, 0, 0, to);
      b(0xc7, 0xc0 | to & 7);
      d((int) value);
    } else {
      rex(true, 0, 0, to);
      b(0xb8 | to & 7);
      q(value);
    }
  }

  /** A constant in its full eight bytes; gives their position. */
  int movImm64(int to, long value) {
    rex(true, 0, 0, to);
    b(0xb8 | to & 7);
    q(value);
    return at - 8;
  }

  public void load(int reg, int baseReg, int index, int disp) {
    rex(true, reg, index < 0 ? 0 : index, baseReg);
    b(0x8b);
    memory(reg, baseReg, index, 0, disp);
  }

  public void store(int baseReg, int index, int disp, int reg) {
    rex(true, reg, index < 0 ? 0 : index, baseReg);
    b(0x89);
    memory(reg, baseReg, index, 0, disp);
  }

  /** mov qword [base + index + disp], sign-extended value. */
  public void storeImm(int baseReg, int index, int disp, int value) {
    rex(true, 0, index < 0 ? 0 : index, baseReg);
    b(0xc7);
    memory(0, baseReg, index, 0, disp);
    d(value);
  }

  public void lea(int reg, int baseReg, int index, int scale, int disp) {
    lea(true, reg, baseReg, index, scale, disp);
  }

  public void lea(boolean wide, int reg, int baseReg, int index, int scale, int disp) {
    rex(wide, reg, index < 0 ? 0 : index, baseReg < 0 ? 0 : baseReg);
    b(0x8d);
    memory(reg, baseReg, index, scale, disp);
  }

  // --- arithmetic ---

  /** op reg, gs:[offset]. */
  public void aluState(int op, int reg, int offset) {
    b(0x65);
    rex(true, reg, 0, 0);
    b(op << 3 | 3);
    state(reg, offset);
  }

  /** op reg, gs:[index + offset]. */
  void aluStateIndexed(int op, int reg, int index, int offset) {
    b(0x65);
    rex(true, reg, 0, index);
    b(op << 3 | 3);
    indexed(reg, index, offset);
  }

  /** cmp gs:[index * 8 + offset], reg. */
  void cmpStateScaled(int index, int offset, int reg) {
    b(0x65);
    rex(true, reg, index, 0);
    b(0x39);
    b((reg & 7) << 3 | 4, 3 << 6 | (index & 7) << 3 | 5);
    d(offset);
  }

  /** reg := gs:[index * 8 + offset]. */
  void loadStateScaled(int reg, int index, int offset) {
    b(0x65);
    rex(true, reg, index, 0);
    b(0x8b);
    b((reg & 7) << 3 | 4, 3 << 6 | (index & 7) << 3 | 5);
    d(offset);
  }

  /** jmp gs:[index * 8 + offset]. */
  void jumpStateScaled(int index, int offset) {
    b(0x65);
    rex(false, 0, index, 0);
    b(0xff);
    b(4 << 3 | 4, 3 << 6 | (index & 7) << 3 | 5);
    d(offset);
  }

  /** jmp gs:[offset]. */
  void jumpState(int offset) {
    b(0x65, 0xff);
    state(4, offset);
  }

  public void alu(int op, int to, int from) {
    rex(true, from, 0, to);
    b(op << 3 | 1, 0xc0 | (from & 7) << 3 | to & 7);
  }

  public void alu32(int op, int to, int from) {
    rex(false, from, 0, to);
    b(op << 3 | 1, 0xc0 | (from & 7) << 3 | to & 7);
  }

  public void aluImm(int op, int reg, int value) {
    rex(true, 0, 0, reg);
    imm(op, reg, value);
  }

  public void aluImm32(int op, int reg, int value) {
    rex(false, 0, 0, reg);
    imm(op, reg, value);
  }

  private void imm(int op, int reg, int value) {
    if (value == (byte) value) {
      b(0x83, 0xc0 | op << 3 | reg & 7, value);
    } else {
      b(0x81, 0xc0 | op << 3 | reg & 7);
      d(value);
    }
  }

  /** reg := reg shifted by a constant: SHL, SHR or SAR. */
  public void shift(int op, int reg, int count) {
    rex(true, 0, 0, reg);
    b(0xc1, 0xc0 | op << 3 | reg & 7, count);
  }

  /** reg := zero-extended byte at [base + disp]. */
  public void loadByte(int reg, int baseReg, int disp) {
    rex(false, reg, 0, baseReg);
    b(0x0f, 0xb6);
    memory(reg, baseReg, -1, 0, disp);
  }

  /** reg := zero-extended 16 bits at [base + disp]. */
  public void loadWord(int reg, int baseReg, int disp) {
    rex(false, reg, 0, baseReg);
    b(0x0f, 0xb7);
    memory(reg, baseReg, -1, 0, disp);
  }

  /** mov byte [base + disp], value. */
  public void storeByteImm(int baseReg, int disp, int value) {
    rex(false, 0, 0, baseReg);
    b(0xc6);
    memory(0, baseReg, -1, 0, disp);
    b(value);
  }

  /** cmp byte [base + disp], 0. */
  public void cmpByteZero(int baseReg, int disp) {
    rex(false, 0, 0, baseReg);
    b(0x80);
    memory(7, baseReg, -1, 0, disp);
    b(0);
  }

  /** and dword gs:[offset], value. */
  void andState32(int offset, int value) {
    b(0x65, 0x81);
    state(AND, offset);
    d(value);
  }

  /** or dword gs:[offset], value. */
  void orState32(int offset, int value) {
    b(0x65, 0x81);
    state(OR, offset);
    d(value);
  }

  /** mul qword gs:[offset]: RDX:RAX := RAX times it. */
  void mulState(int offset) {
    b(0x65, 0x48, 0xf7);
    state(4, offset);
  }

  /** inc qword gs:[offset]. */
  public void incState(int offset) {
    b(0x65, 0x48, 0xff);
    state(0, offset);
  }

  /** test reg, sign-extended value. */
  public void testImm(int reg, int value) {
    rex(true, 0, 0, reg);
    b(0xf7, 0xc0 | reg & 7);
    d(value);
  }

  /** cmp byte gs:[offset], 0. */
  public void cmpStateByteZero(int offset) {
    b(0x65, 0x80);
    state(7, offset);
    b(0);
  }

  /** test byte gs:[offset], value. */
  void testStateByteImm(int offset, int value) {
    b(0x65, 0xf6);
    state(0, offset);
    b(value);
  }

  /** cmp dword gs:[offset], value. */
  public void cmpState32Imm(int offset, int value) {
    b(0x65, 0x81);
    state(7, offset);
    d(value);
  }

  /** cmp qword gs:[offset], sign-extended value. */
  void cmpState64Imm(int offset, int value) {
    b(0x65, 0x48, 0x81);
    state(7, offset);
    d(value);
  }

  /** cmp gs:[offset], reg. */
  public void cmpState(int offset, int reg) {
    b(0x65);
    rex(true, reg, 0, 0);
    b(0x39);
    state(reg, offset);
  }

  /** 32-bit rotate right without flags where the host has BMI2, else a shift that changes them. */
  void shiftRight32(int to, int from, int count, boolean bmi2) {
    if (bmi2) {
      int r = (to & 8) != 0 ? 0 : 0x80;
      int rm = (from & 8) != 0 ? 0 : 0x20;
      b(0xc4, r | 0x40 | rm | 3, 0x7b);
      b(0xf0, 0xc0 | (to & 7) << 3 | from & 7, count);
    } else {
      mov32(to, from);
      rex(false, 0, 0, to);
      b(0xc1, 0xe8 | to & 7, count);
    }
  }

  // --- flags ---

  /** Flags to {@link NativeState#FLAGS}, with {@code scratch} holding RAX meanwhile. */
  void saveFlags(int scratch) {
    mov(scratch, RAX);
    b(0x9f); // lahf
    b(0x0f, 0x90, 0xc0); // seto al
    storeState(NativeState.FLAGS, RAX);
    mov(RAX, scratch);
  }

  /** Flags from {@link NativeState#FLAGS}; no register changes. */
  void restoreFlags() {
    storeState(NativeState.SAVED_RAX, RAX);
    loadState(RAX, NativeState.FLAGS);
    b(0x04, 0x7f); // add al,127: OF from bit 0
    b(0x9e); // sahf
    loadState(RAX, NativeState.SAVED_RAX);
  }

  /**
   * The guest's RFLAGS, whose arithmetic ones are in {@link NativeState#FLAGS}, into a register.
   */
  void rflags(int to, int scratch) {
    loadState(to, NativeState.FLAGS);
    mov32(scratch, to);
    shift(SHR, to, 8);
    aluImm32(AND, to, 0xd5);
    aluImm32(AND, scratch, 1);
    shift(SHL, scratch, 11);
    alu(OR, to, scratch);
    aluState(OR, to, CpuState.RFLAGS);
  }

  // --- jumps: each gives the position of its 4-byte displacement ---

  public int jcc(int condition) {
    b(0x0f, 0x80 | condition);
    d(0);
    return at - 4;
  }

  public int jmp() {
    b(0xe9);
    d(0);
    return at - 4;
  }

  /** A jump whose displacement can be replaced while others run it: within eight aligned bytes. */
  int patchableJmp() {
    alignForPatch(1);
    return jmp();
  }

  int patchableJcc(int condition) {
    alignForPatch(2);
    return jcc(condition);
  }

  /** One instruction of one to three bytes that does nothing. */
  private void nop(int bytes) {
    switch (bytes) {
      case 1 -> b(0x90);
      case 2 -> b(0x66, 0x90);
      default -> b(0x0f, 0x1f, 0x00);
    }
  }

  private void alignForPatch(int opcodeBytes) {
    int place = at + opcodeBytes & 7;
    if (place > 4) {
      nop(8 - place);
    }
  }

  /** A jump to another place of the arena; gives the position of its displacement. */
  int jmpTo(long address) {
    b(0xe9);
    d((int) (address - (base + at + 4)));
    return at - 4;
  }

  int callTo(long address) {
    b(0xe8);
    d((int) (address - (base + at + 4)));
    return at - 4;
  }

  /** Lets the displacement at {@code position} lead to where writing stands now. */
  public void here(int position) {
    patch(position, at - (position + 4));
  }

  public void to(int position, int target) {
    patch(position, target - (position + 4));
  }

  void toAddress(int position, long address) {
    patch(position, (int) (address - (base + position + 4)));
  }
}
