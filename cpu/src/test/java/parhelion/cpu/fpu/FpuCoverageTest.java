package parhelion.cpu.fpu;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import parhelion.cpu.CpuModel;
import parhelion.cpu.decode.Insn;
import parhelion.cpu.decode.Opcode;
import parhelion.cpu.decode.OpcodeMap;

/** Nothing in the opcode map that is offered to guests is missing here. */
class FpuCoverageTest {
  @Test
  void everyRowOfX87AndVectorInstructionsTranslates() {
    List<String> missing = new ArrayList<>();
    for (Opcode row : OpcodeMap.opcodes()) {
      boolean ours = row.has(Opcode.X87) || row.has(Opcode.SSE);
      if (!ours || !CpuModel.MAX.has(row.feature())) {
        continue;
      }
      for (int form = 0; form < 2; form++) {
        boolean register = form == 1;
        if (row.modForm() == 1 && register || row.modForm() == 3 && !register) {
          continue;
        }
        Insn insn = new Insn();
        insn.opcode = row;
        insn.codeBits = 64;
        insn.addressSize = 8;
        insn.operandSize = 4;
        insn.modrm = register ? 0xc0 : 0;
        insn.mod = register ? 3 : 0;
        insn.base = register ? Insn.NONE : 0;
        insn.vvvv = row.has(Opcode.VEX) ? 1 : Insn.NONE;
        insn.index = row.has(Opcode.VSIB) ? 2 : Insn.NONE;
        if (FpuOps.translate(insn, 0, 4) == null) {
          missing.add(row.mnemonic() + (register ? " register" : " memory"));
        }
      }
    }
    assertEquals(List.of(), missing);
  }
}
