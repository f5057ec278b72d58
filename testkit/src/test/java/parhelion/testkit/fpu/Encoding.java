package parhelion.testkit.fpu;

import java.io.ByteArrayOutputStream;
import java.util.Random;
import parhelion.cpu.decode.Opcode;
import parhelion.cpu.decode.Operand;

/**
 * Makes instruction bytes for a row of the opcode map, for 64-bit code. Memory operands are [RDI]
 * or [RSI + 32].
 */
final class Encoding {
  private Encoding() {}

  static byte[] random(Opcode row, boolean memory, Random random) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    if (row.prefix() > 0) {
      out.write(row.prefix());
    }
    boolean x87 = row.map() == 0;
    int rex = 0x40;
    if (!x87) {
      rex |= random.nextInt(8) & 5; // R and B
      if (memory) {
        rex &= ~1;
      }
      if (row.has(Opcode.W1) || (!row.has(Opcode.W0) && hasYOperand(row) && random.nextBoolean())) {
        rex |= 8;
      }
      if (rex != 0x40) {
        out.write(rex);
      }
    }
    if (row.map() > 0) {
      out.write(0x0f);
    }
    if (row.map() > 1) {
      out.write(row.map() == 2 ? 0x38 : 0x3a);
    }
    out.write(row.code());
    if (row.modForm() >= 0) {
      modrm(row, memory, random, out);
    }
    for (Operand operand : row.operands()) {
      if (operand.kind() == Operand.Kind.I) {
        out.write(random.nextInt(4) == 0 ? random.nextInt(256) : random.nextInt(32));
      }
    }
    return out.toByteArray();
  }

  private static boolean hasYOperand(Opcode row) {
    for (Operand operand : row.operands()) {
      if (operand == Operand.Ey || operand == Operand.Gy) {
        return true;
      }
    }
    return false;
  }

  private static void modrm(Opcode row, boolean memory, Random random, ByteArrayOutputStream out) {
    int reg = row.regField() >= 0 ? row.regField() : random.nextInt(8);
    int rm = row.rmField() >= 0 ? row.rmField() : random.nextInt(8);
    if (writesGeneralReg(row, 0, true)) {
      reg &= 3; // never RSP, RSI, RDI
    }
    if (!memory) {
      if (writesGeneralReg(row, 0, false)) {
        rm &= 3;
      }
      out.write(0xc0 | reg << 3 | rm);
    } else if (random.nextBoolean()) {
      out.write(reg << 3 | 7);
    } else {
      out.write(0x40 | reg << 3 | 6);
      out.write(32);
    }
  }

  private static boolean writesGeneralReg(Opcode row, int operand, boolean inReg) {
    if (row.operands().length <= operand) {
      return false;
    }
    Operand.Kind kind = row.operands()[operand].kind();
    return inReg ? kind == Operand.Kind.G : kind == Operand.Kind.E || kind == Operand.Kind.R;
  }
}
