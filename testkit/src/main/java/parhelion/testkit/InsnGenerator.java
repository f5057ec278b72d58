package parhelion.testkit;

import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import parhelion.cpu.decode.Decoder;
import parhelion.cpu.decode.Insn;
import parhelion.cpu.decode.Opcode;
import parhelion.cpu.decode.Operand;

/**
 * Makes random encodings of a row of the opcode map: valid ones, that decode to this row in the
 * given mode. The same seed gives the same bytes.
 */
public final class InsnGenerator {
  private static final int[] CONTROL_REGISTERS = {0, 2, 3, 4, 8};
  private static final int[] SEGMENT_PREFIXES = {0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65};

  private static final int MAX_ATTEMPTS = 1000;
  private static final ThreadLocal<Decoder> DECODER =
      ThreadLocal.withInitial(Decoder::ofEverything);

  private final Opcode opcode;
  private final int codeBits;
  private final Random random;
  private final ByteArrayOutputStream out = new ByteArrayOutputStream(16);

  /** Base register that all memory operands use, or -1 for any form; their displacement's range. */
  private final int baseRegister;

  private final int dispRange;

  private boolean operandSizePrefix;
  private boolean addressSizePrefix;
  private boolean wide;
  private int rex;
  private int mod;
  private int reg;
  private int rm;

  private InsnGenerator(
      Opcode opcode, int codeBits, Random random, int baseRegister, int dispRange) {
    this.opcode = opcode;
    this.codeBits = codeBits;
    this.random = random;
    this.baseRegister = baseRegister;
    this.dispRange = dispRange;
  }

  /**
   * A random encoding for 64-bit code.
   *
   * @return the bytes, at most 15, or null if the row does not exist in 64-bit mode
   */
  public static byte @Nullable [] random(Opcode opcode, Random random) {
    return random(opcode, 64, random);
  }

  /**
   * A random encoding: operands, and prefixes that are allowed there.
   *
   * @param codeBits 16, 32 or 64
   * @return the bytes, at most 15, or null if the row does not exist in this mode
   */
  public static byte @Nullable [] random(Opcode opcode, int codeBits, Random random) {
    return generate(opcode, codeBits, random, -1, 1);
  }

  /**
   * A random encoding for 64-bit code that is to be executed: where it has a memory operand, that
   * is {@code [baseRegister + disp]} without segment and address-size prefixes. Gathers still use
   * an index, absolute offsets (moffs) are what they are, and string instructions use their own
   * registers.
   *
   * @param baseRegister 0..15
   * @param dispRange displacements are from 0 up to, and without, this
   * @return the bytes, at most 15, or null if the row does not exist in 64-bit mode
   */
  public static byte @Nullable [] withMemoryAt(
      Opcode opcode, Random random, int baseRegister, int dispRange) {
    return generate(opcode, 64, random, baseRegister, dispRange);
  }

  private static byte @Nullable [] generate(
      Opcode opcode, int codeBits, Random random, int baseRegister, int dispRange) {
    if (codeBits == 64 ? opcode.has(Opcode.NOT64) : opcode.has(Opcode.ONLY64)) {
      return null;
    }
    if (codeBits != 64 && opcode.has(Opcode.W1) && (!opcode.has(Opcode.VEX) || usesEq(opcode))) {
      return null;
    }
    for (int attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      InsnGenerator generator =
          new InsnGenerator(opcode, codeBits, random, baseRegister, dispRange);
      generator.generate();
      byte[] bytes = generator.out.toByteArray();
      Insn insn = new Insn();
      // Some choices are another row, or undefined (a gather with the same register twice).
      if (DECODER.get().decode(bytes, 0, bytes.length, codeBits, insn) != Decoder.INVALID
          && insn.opcode == opcode) {
        return bytes;
      }
    }
    throw new IllegalStateException("no encoding decodes to " + opcode.mnemonic());
  }

  private static boolean usesEq(Opcode opcode) {
    return Arrays.asList(opcode.operands()).contains(Operand.Eq);
  }

  private boolean oneIn(int n) {
    return random.nextInt(n) == 0;
  }

  private void generate() {
    chooseModrm();
    wide = opcode.has(Opcode.W1) || !opcode.has(Opcode.W0) && oneIn(3);
    rex = random.nextInt(8);
    if (opcode.has(Opcode.B0) || mod == 3 && hasKind(Operand.Kind.S)) {
      rex &= ~1;
    }
    if (hasKind(Operand.Kind.S, Operand.Kind.C, Operand.Kind.D)) {
      rex &= ~4;
      if (reg == 8) {
        rex |= 4;
        reg = 0;
      }
    }
    if (codeBits != 64) {
      rex = 0;
    }
    if (baseRegister >= 0 && opcode.modForm() >= 0 && mod != 3) {
      mod = 2;
      rm = opcode.has(Opcode.VSIB) ? 4 : baseRegister & 7;
      rex = rex & 4 | baseRegister >> 3;
    }
    prefixes();
    if (opcode.has(Opcode.VEX)) {
      vex();
    } else {
      if (codeBits == 64 && (wide || (rex & 4) != 0 || baseRegister >= 8 || oneIn(2))) {
        out.write(0x40 | (wide ? 8 : 0) | rex);
      } else {
        rex = 0;
        wide = false;
      }
      switch (opcode.map()) {
        case 1 -> out.write(0x0f);
        case 2 -> write(0x0f, 0x38);
        case 3 -> write(0x0f, 0x3a);
        default -> {}
      }
    }
    out.write(opcode.code() | (opcode.has(Opcode.PLUS_R) ? plusR() : 0));
    if (opcode.modForm() >= 0) {
      modrm();
    }
    immediates();
  }

  private int plusR() {
    // 90 is NOP, not XCHG, without REX.B.
    return opcode.code() == 0x90 && (rex & 1) == 0 ? 1 + random.nextInt(7) : random.nextInt(8);
  }

  private void write(int... bytes) {
    for (int b : bytes) {
      out.write(b);
    }
  }

  private boolean hasKind(Operand.Kind... kinds) {
    for (Operand operand : opcode.operands()) {
      for (Operand.Kind kind : kinds) {
        if (operand.kind() == kind && operand.fixedReg() < 0) {
          return true;
        }
      }
    }
    return false;
  }

  private void chooseModrm() {
    mod =
        switch (opcode.modForm()) {
          case 3 -> 3;
          case 1 -> random.nextInt(3);
          default -> random.nextInt(4);
        };
    rm = opcode.rmField() >= 0 ? opcode.rmField() : random.nextInt(8);
    if (opcode.has(Opcode.VSIB)) {
      rm = 4;
    }
    reg = opcode.regField() >= 0 ? opcode.regField() : random.nextInt(8);
    if (hasKind(Operand.Kind.C)) {
      reg = CONTROL_REGISTERS[random.nextInt(codeBits == 64 ? 5 : 4)];
    } else if (hasKind(Operand.Kind.S)) {
      do {
        reg = random.nextInt(6);
      } while (reg == 1 && opcode.code() == 0x8e);
    }
  }

  private void prefixes() {
    List<Integer> prefixes = new ArrayList<>();
    int mandatory = opcode.prefix();
    boolean vex = opcode.has(Opcode.VEX);
    if (!vex && mandatory > 0) {
      prefixes.add(mandatory);
    }
    if (!vex && mandatory == -1 && oneIn(4)) {
      prefixes.add(0x66);
      operandSizePrefix = true;
    }
    boolean memory = opcode.modForm() >= 0 && mod != 3;
    // 16-bit addresses have no SIB byte, which gathers need.
    boolean plain = baseRegister >= 0;
    if (opcode.has(Opcode.VSIB) ? codeBits == 16 : oneIn(16) && !plain) {
      prefixes.add(0x67);
      addressSizePrefix = true;
    }
    if ((memory || opcode.has(Opcode.STRING)) && oneIn(6) && !plain) {
      prefixes.add(SEGMENT_PREFIXES[codeBits == 64 ? 4 + random.nextInt(2) : random.nextInt(6)]);
    }
    if (memory && opcode.has(Opcode.LOCK) && oneIn(2)) {
      prefixes.add(0xf0);
    }
    if (opcode.has(Opcode.STRING) && oneIn(2)) {
      prefixes.add(0xf2 + random.nextInt(2));
    }
    Collections.shuffle(prefixes, random);
    prefixes.forEach(out::write);
  }

  private void vex() {
    int pp =
        switch (opcode.prefix()) {
          case 0x66 -> 1;
          case 0xf3 -> 2;
          case 0xf2 -> 3;
          default -> 0;
        };
    int l = opcode.has(Opcode.L1) ? 1 : opcode.has(Opcode.L0) ? 0 : random.nextInt(2);
    boolean source = hasKind(Operand.Kind.H, Operand.Kind.B);
    int vvvv = source ? random.nextInt(codeBits == 64 ? 16 : 8) : 0;
    int tail = (~vvvv & 15) << 3 | l << 2 | pp;
    if (opcode.map() == 1 && !wide && (rex & 3) == 0 && oneIn(2)) {
      write(0xc5, (~rex & 4) << 5 | tail);
    } else {
      write(0xc4, (~rex & 7) << 5 | opcode.map(), (wide ? 0x80 : 0) | tail);
    }
  }

  private void modrm() {
    out.write(mod << 6 | reg << 3 | rm);
    if (mod == 3) {
      return;
    }
    if (baseRegister >= 0) {
      if (rm == 4) {
        out.write(opcode.has(Opcode.VSIB) ? random.nextInt(8) << 3 | baseRegister & 7 : 0x24);
      }
      int disp = random.nextInt(dispRange);
      write(disp & 0xff, disp >> 8 & 0xff, disp >> 16 & 0xff, disp >> 24 & 0xff);
      return;
    }
    int addressSize = addressSize();
    int dispBytes = mod == 1 ? 1 : mod == 2 ? 4 : 0;
    if (addressSize == 2) {
      dispBytes = mod == 0 && rm == 6 ? 2 : mod;
    } else if (rm == 4) {
      int base = random.nextInt(8);
      out.write(random.nextInt(4) << 6 | random.nextInt(8) << 3 | base);
      dispBytes = mod == 0 && base == 5 ? 4 : dispBytes;
    } else if (mod == 0 && rm == 5) {
      dispBytes = 4;
    }
    bytes(dispBytes);
  }

  private void bytes(int count) {
    // Small numbers and edges are as likely as anything.
    int kind = random.nextInt(4);
    for (int i = 0; i < count; i++) {
      out.write(
          switch (kind) {
            case 0 -> i == 0 ? random.nextInt(256) : 0;
            case 1 -> i == 0 ? 0x80 | random.nextInt(128) : 0xff;
            default -> random.nextInt(256);
          });
    }
  }

  private int addressSize() {
    return switch (codeBits) {
      case 64 -> addressSizePrefix ? 4 : 8;
      case 32 -> addressSizePrefix ? 2 : 4;
      default -> addressSizePrefix ? 4 : 2;
    };
  }

  private int operandSize() {
    if (codeBits != 64) {
      return (codeBits == 16) != operandSizePrefix ? 2 : 4;
    }
    if (wide || opcode.has(Opcode.F64)) {
      return 8;
    }
    return operandSizePrefix ? 2 : opcode.has(Opcode.D64) ? 8 : 4;
  }

  private void immediates() {
    for (Operand operand : opcode.operands()) {
      switch (operand) {
        case Ib, Ibs, Jb, Lx -> bytes(1);
        case Iw -> bytes(2);
        case Iz, Jz -> bytes(Math.min(4, operandSize()));
        case Iv -> bytes(operandSize());
        case Ap -> bytes(operandSize() + 2);
        case Ob, Ov -> bytes(addressSize());
        default -> {}
      }
    }
  }
}
