package parhelion.testkit;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashSet;
import java.util.Random;
import java.util.Set;
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
