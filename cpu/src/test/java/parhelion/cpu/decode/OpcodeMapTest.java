package parhelion.cpu.decode;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** What must be true of the rows taken together. */
final class OpcodeMapTest {
  @Test
  void everyNameIsUsedByARow() {
    Set<Mnemonic> mnemonics = EnumSet.of(Mnemonic.INVALID);
    Set<Operand> operands = EnumSet.noneOf(Operand.class);
    Set<Feature> features = EnumSet.noneOf(Feature.class);
    for (Opcode opcode : OpcodeMap.opcodes()) {
      mnemonics.add(opcode.mnemonic());
      operands.addAll(List.of(opcode.operands()));
      features.add(opcode.feature());
    }
    assertEquals(EnumSet.noneOf(Mnemonic.class), EnumSet.complementOf(EnumSet.copyOf(mnemonics)));
    assertEquals(EnumSet.noneOf(Operand.class), EnumSet.complementOf(EnumSet.copyOf(operands)));
    assertEquals(EnumSet.noneOf(Feature.class), EnumSet.complementOf(EnumSet.copyOf(features)));
  }

  @Test
  void theRowsOfAnOpcodeByteAgreeOnModrm() {
    List<String> odd = new ArrayList<>();
    OpcodeMap map = OpcodeMap.instance();
    for (int slot = 0; slot < map.slots.length; slot++) {
      OpcodeMap.Row[] rows = map.load(slot);
      for (OpcodeMap.Row row : rows) {
        if (row.modrm != rows[0].modrm) {
          odd.add(row.opcode.mnemonic() + " at slot " + Integer.toHexString(slot));
        }
      }
    }
    assertEquals(List.of(), odd);
  }

  @Test
  void noRowIsHiddenByAnEarlierOne() {
    List<String> hidden = new ArrayList<>();
    OpcodeMap map = OpcodeMap.instance();
    for (int slot = 0; slot < map.slots.length; slot++) {
      OpcodeMap.Row[] rows = map.load(slot);
      for (int i = 0; i < rows.length; i++) {
        for (int j = 0; j < i; j++) {
          // All that fits row i fits row j, and they are not alternatives by feature.
          if ((rows[i].mask & rows[j].mask) == rows[j].mask
              && (rows[i].value & rows[j].mask) == rows[j].value
              && rows[j].opcode.feature() == Feature.BASE) {
            hidden.add(rows[i].opcode.mnemonic() + " by " + rows[j].opcode.mnemonic());
          }
        }
      }
    }
    assertEquals(List.of(), hidden);
  }

  @Test
  void aFlagIsNotBothDefinedAndUndefined() {
    List<Mnemonic> odd = new ArrayList<>();
    for (Opcode opcode : OpcodeMap.opcodes()) {
      if ((opcode.flagsWritten() & opcode.flagsUndefined()) != 0) {
        odd.add(opcode.mnemonic());
      }
    }
    assertEquals(List.of(), odd);
  }

  @Test
  void lockableRowsHaveMemoryAsFirstOperand() {
    List<Mnemonic> odd = new ArrayList<>();
    for (Opcode opcode : OpcodeMap.opcodes()) {
      if (opcode.has(Opcode.LOCK)) {
        Operand.Kind kind = opcode.operands()[0].kind();
        if (kind != Operand.Kind.E && kind != Operand.Kind.M) {
          odd.add(opcode.mnemonic());
        }
      }
    }
    assertEquals(List.of(), odd);
  }

  @Test
  void vectorRowsSayThatTheyUseVectorState() {
    List<Mnemonic> odd = new ArrayList<>();
    for (Opcode opcode : OpcodeMap.opcodes()) {
      for (Operand operand : opcode.operands()) {
        boolean sse =
            switch (operand.kind()) {
              case V, W, U, H, L -> true;
              default -> false;
            };
        boolean x87 =
            switch (operand.kind()) {
              case P, Q, N, ST, STI -> true;
              default -> false;
            };
        if (sse && !opcode.has(Opcode.SSE)
            || x87 && !opcode.has(Opcode.X87) && !opcode.has(Opcode.SSE)) {
          odd.add(opcode.mnemonic());
        }
      }
    }
    assertEquals(List.of(), odd);
  }

  @Test
  void alignmentIsAskedOfWholeVectorsOnly() {
    Set<String> odd = new HashSet<>();
    for (Opcode opcode : OpcodeMap.opcodes()) {
      boolean wide = opcode.mnemonic().name().startsWith("FX");
      for (Operand operand : opcode.operands()) {
        wide |= operand.sizeBytes(new Insn()) == 16 && operand.kind() != Operand.Kind.V;
      }
      if (opcode.has(Opcode.ALIGNED) && !wide) {
        odd.add(opcode.mnemonic().name());
      }
    }
    assertEquals(Set.of(), odd);
  }

  @Test
  void everyRowIsOneObject() {
    int size = OpcodeMap.opcodes().size();
    assertTrue(size > 1400, "only " + size + " rows");
    assertSame(OpcodeMap.opcodes().get(0), OpcodeMap.opcodes().get(0), "a row is one object");
  }
}
