package parhelion.cpu.decode;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.HexFormat;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Any bytes give a result: the fetch may point anywhere. */
final class DecoderFuzzTest {
  private static final int[] CODE_BITS = {64, 32, 16};

  private final Decoder decoder = Decoder.ofEverything();
  private final Insn insn = new Insn();
  private final Insn again = new Insn();

  @Test
  void noBytesThrowAndEveryResultIsConsistent() {
    int cases = Boolean.getBoolean("parhelion.fast") ? 300_000 : 3_000_000;
    Random random = new Random(Long.getLong("parhelion.seed", 1));
    byte[] bytes = new byte[16];
    int[] results = new int[4];
    for (int i = 0; i < cases; i++) {
      fill(bytes, random);
      int codeBits = CODE_BITS[i % 3];
      int available = random.nextInt(8) == 0 ? random.nextInt(17) : 16;
      int result = decoder.decode(bytes, 0, available, codeBits, insn);
      results[result]++;
      check(bytes, available, codeBits, result);
      if (i % 16 == 0) {
        assertTrue(!Disassembler.disassemble(insn, i, null).isEmpty());
      }
    }
    assertTrue(
        results[Decoder.OK] > cases / 2
            && results[Decoder.INVALID] > cases / 50
            && results[Decoder.TRUNCATED] > cases / 100
            && results[Decoder.TOO_LONG] > 0,
        Arrays.toString(results));
  }

  /** Random bytes, with as many prefixes and escapes as real code never has. */
  private static void fill(byte[] bytes, Random random) {
    random.nextBytes(bytes);
    int[] special = {0x0f, 0x66, 0xf2, 0xf3, 0xf0, 0x67, 0x48, 0xc4, 0xc5, 0x2e, 0x65, 0x41};
    int run = random.nextInt(64) == 0 ? 14 : random.nextInt(4);
    for (int i = 0; i < run; i++) {
      bytes[i] = (byte) special[random.nextInt(special.length)];
    }
  }

  private void check(byte[] bytes, int available, int codeBits, int result) {
    String hex = HexFormat.of().formatHex(bytes);
    assertTrue(insn.length <= Math.min(available, Decoder.MAX_LENGTH), hex);
    assertEquals(result == Decoder.OK, insn.opcode != Opcode.INVALID, hex);
    switch (result) {
      case Decoder.OK -> {
        // The same with nothing behind it, and truncated with one byte less.
        byte[] exact = Arrays.copyOf(bytes, insn.length);
        assertEquals(Decoder.OK, decoder.decode(exact, 0, exact.length, codeBits, again), hex);
        assertEquals(insn.length, again.length, hex);
        assertEquals(insn.opcode, again.opcode, hex);
        assertEquals(
            Decoder.TRUNCATED, decoder.decode(bytes, 0, insn.length - 1, codeBits, again), hex);
      }
      case Decoder.TRUNCATED -> assertTrue(available < Decoder.MAX_LENGTH, hex);
      case Decoder.TOO_LONG -> assertTrue(available >= Decoder.MAX_LENGTH, hex);
      default -> assertTrue(insn.length > 0, hex);
    }
  }
}
