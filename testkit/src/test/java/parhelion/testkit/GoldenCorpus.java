package parhelion.testkit;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import parhelion.cpu.decode.Decoder;
import parhelion.cpu.decode.Disassembler;
import parhelion.cpu.decode.Insn;
import parhelion.cpu.decode.Opcode;
import parhelion.cpu.decode.OpcodeMap;

/**
 * Writes cpu's golden corpus of disassembly: a random encoding for each row of the opcode map, with
 * the text that objdump and we agree on, so that hosts without objdump test too. Each line is code
 * size, bytes, text; the address is 0x1000. Run it after changing the map:
 *
 * <pre>
 * java -cp ... parhelion.testkit.GoldenCorpus cpu/src/test/resources/parhelion/cpu/decode/golden.txt
 * </pre>
 */
final class GoldenCorpus {
  private static final long RIP = 0x1000;

  private GoldenCorpus() {}

  public static void main(String[] arguments) throws IOException {
    List<String> lines = new ArrayList<>();
    for (int codeBits : new int[] {64, 32, 16}) {
      lines.addAll(lines(codeBits, codeBits == 64 ? 1 : 4));
    }
    Files.writeString(Path.of(arguments[0]), String.join("\n", lines) + "\n");
  }

  private static List<String> lines(int codeBits, int everyNth) {
    Random random = new Random(codeBits);
    List<byte[]> instructions = new ArrayList<>();
    int n = 0;
    for (Opcode opcode : OpcodeMap.opcodes()) {
      byte[] bytes = InsnGenerator.random(opcode, codeBits, random);
      if (bytes != null && n++ % everyNth == 0) {
        instructions.add(bytes);
      }
    }
    List<Objdump.Line> theirs = Objdump.instructions(instructions, codeBits);
    Decoder decoder = Decoder.ofEverything();
    Insn insn = new Insn();
    List<String> lines = new ArrayList<>();
    for (int i = 0; i < instructions.size(); i++) {
      byte[] bytes = instructions.get(i);
      decoder.decode(bytes, 0, bytes.length, codeBits, insn);
      long rip = (long) (i % Objdump.PER_IMAGE) * Objdump.SLOT_BYTES;
      String text = Objdump.normal(Disassembler.disassemble(insn, rip, null));
      if (text.equals(theirs.get(i).text())) {
        String atRip = Objdump.normal(Disassembler.disassemble(insn, RIP, null));
        lines.add(codeBits + "\t" + HexFormat.of().formatHex(bytes) + "\t" + atRip);
      }
    }
    return lines;
  }
}
