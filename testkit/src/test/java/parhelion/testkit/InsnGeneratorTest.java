package parhelion.testkit;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashSet;
import java.util.Random;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import parhelion.cpu.decode.Decoder;
import parhelion.cpu.decode.Insn;
import parhelion.cpu.decode.Mnemonic;
import parhelion.cpu.decode.Opcode;
import parhelion.cpu.decode.OpcodeMap;

/** The generator and the decoder read the same map: what one writes the other reads back. */
final class InsnGeneratorTest {
  private final Decoder decoder = Decoder.ofEverything();
  private final Insn insn = new Insn();

  @ParameterizedTest
  @ValueSource(ints = {64, 32, 16})
  void everyRowDecodesFromItsEncodings(int codeBits) {
    Random random = new Random(Long.getLong("parhelion.seed", 1));
    Set<Mnemonic> seen = new HashSet<>();
    for (Opcode opcode : OpcodeMap.opcodes()) {
      for (int i = 0; i < 20; i++) {
        byte[] bytes = InsnGenerator.random(opcode, codeBits, random);
        if (bytes == null) {
          assertTrue(
              opcode.has(codeBits == 64 ? Opcode.NOT64 : Opcode.ONLY64 | Opcode.W1),
              opcode.mnemonic() + " has no encoding");
          continue;
        }
        assertEquals(Decoder.OK, decoder.decode(bytes, 0, bytes.length, codeBits, insn));
        assertEquals(opcode, insn.opcode);
        assertEquals(bytes.length, insn.length, opcode.mnemonic().name());
        seen.add(opcode.mnemonic());
      }
    }
    assertTrue(seen.size() > 850, "only " + seen.size() + " mnemonics");
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 3, 4, 5, 12, 13, 15})
  void memoryOperandsCanBeKeptAtOneRegister(int base) {
    Random random = new Random(base);
    int memory = 0;
    for (Opcode opcode : OpcodeMap.opcodes()) {
      byte[] bytes = withMemoryAt(opcode, random, base);
      if (bytes == null) {
        continue;
      }
      assertEquals(Decoder.OK, decoder.decode(bytes, 0, bytes.length, 64, insn));
      assertEquals(Insn.NONE, insn.segmentOverride);
      assertEquals(8, insn.addressSize);
      if (insn.isMemory()) {
        assertEquals(base, insn.base, opcode.mnemonic().name());
        assertEquals(opcode.has(Opcode.VSIB), insn.index != Insn.NONE);
        assertTrue(insn.disp >= 0 && insn.disp < 256, opcode.mnemonic().name());
        memory++;
      }
    }
    assertTrue(memory > 600, "only " + memory + " with memory");
  }

  private static byte @Nullable [] withMemoryAt(Opcode opcode, Random random, int base) {
    return InsnGenerator.withMemoryAt(opcode, random, base, 256);
  }

  @Test
  void theSameSeedGivesTheSameBytes() {
    for (Opcode opcode : OpcodeMap.opcodes()) {
      assertArrayEquals(
          InsnGenerator.random(opcode, 32, new Random(5)),
          InsnGenerator.random(opcode, 32, new Random(5)));
    }
  }

  @Test
  void aRowThatIsNotInAModeHasNoEncodingThere() {
    Opcode daa = row(Mnemonic.DAA);
    Opcode swapgs = row(Mnemonic.SWAPGS);
    assertNull(InsnGenerator.random(daa, new Random(1)));
    assertNull(InsnGenerator.random(swapgs, 32, new Random(1)));
    assertNotNull(InsnGenerator.random(swapgs, new Random(1)));
  }

  private static Opcode row(Mnemonic mnemonic) {
    return OpcodeMap.opcodes().stream()
        .filter(opcode -> opcode.mnemonic() == mnemonic)
        .findFirst()
        .orElseThrow();
  }
}
