package parhelion.cpu.decode;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/**
 * Text of instructions: a corpus that was compared with objdump when it was written, and what
 * objdump has no part in.
 */
final class DisassemblerTest {
  private final Decoder decoder = Decoder.ofEverything();
  private final Insn insn = new Insn();

  @Test
  void theGoldenCorpusReadsAsItDid() throws IOException {
    List<String> differences = new ArrayList<>();
    int count = 0;
    for (String line : corpus()) {
      String[] fields = line.split("\t");
      byte[] bytes = HexFormat.of().parseHex(fields[1]);
      decoder.decode(bytes, 0, bytes.length, Integer.parseInt(fields[0]), insn);
      String text = Disassembler.disassemble(insn, 0x1000, null).replaceAll("\\s+", " ");
      if (!text.equals(fields[2]) || insn.length != bytes.length) {
        differences.add(line + " is now " + text);
      }
      count++;
    }
    assertTrue(count > 2000, "only " + count + " lines");
    assertEquals(List.of(), differences);
  }

  private static List<String> corpus() throws IOException {
    try (InputStream in = DisassemblerTest.class.getResourceAsStream("golden.txt")) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8).lines().toList();
    }
  }

  @Test
  void targetsAndRipRelativeOperandsAreNamed() {
    Disassembler.Symbols symbols = va -> va == 0x1010 ? "schedule+0x4" : null;
    assertEquals("jmp 0x1010 <schedule+0x4>", text("eb0e", symbols));
    assertEquals("jmp 0x100f", text("eb0d", symbols));
    assertEquals(
        "mov rax,QWORD PTR [rip+0x9]        # 0x1010 <schedule+0x4>",
        text("488b0509000000", symbols));
  }

  @Test
  void whatIsNoInstructionReadsBad() {
    assertEquals("(bad)", text("0f04", null));
    assertEquals("(bad)", text("48", null));
  }

  private String text(String hex, Disassembler.@Nullable Symbols symbols) {
    byte[] bytes = HexFormat.of().parseHex(hex);
    decoder.decode(bytes, 0, bytes.length, 64, insn);
    return Disassembler.disassemble(insn, 0x1000, symbols);
  }
}
