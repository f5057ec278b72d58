package parhelion.cpu.fpu;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import parhelion.cpu.decode.Feature;
import parhelion.cpu.decode.Insn;
import parhelion.cpu.decode.Opcode;
import parhelion.cpu.decode.OpcodeMap;

/** Nothing in the opcode map that is offered to guests is missing here. */
class FpuCoverageTest {
  private static final Set<Feature> OFFERED =
      EnumSet.of(
          Feature.X87,
          Feature.MMX,
          Feature.SSE,
          Feature.SSE2,
          Feature.SSE3,
          Feature.SSSE3,
          Feature.SSE41,
          Feature.SSE42,
          Feature.FXSR,
          Feature.XSAVE,
          Feature.XSAVEOPT);

  @Test
  void everyRowOfX87MmxAndSseTranslates() {
    List<String> missing = new ArrayList<>();
    for (Opcode row : OpcodeMap.opcodes()) {
      boolean ours = row.has(Opcode.X87) || row.has(Opcode.SSE);
      if (!ours || row.has(Opcode.VEX) || !OFFERED.contains(row.feature())) {
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
        if (FpuOps.translate(insn, 0, 4) == null) {
          missing.add(row.mnemonic() + (register ? " register" : " memory"));
        }
      }
    }
    assertEquals(List.of(), missing);
  }
}
