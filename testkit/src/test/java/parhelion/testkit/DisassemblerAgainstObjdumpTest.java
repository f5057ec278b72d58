package parhelion.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import parhelion.cpu.decode.Decoder;
import parhelion.cpu.decode.Disassembler;
import parhelion.cpu.decode.Insn;
import parhelion.cpu.decode.Opcode;
import parhelion.cpu.decode.OpcodeMap;

/**
 * Lengths and text of our disassembly against those of binutils' objdump: over random encodings of
 * every row of the opcode map, and over the code of programs of this host.
 */
final class DisassemblerAgainstObjdumpTest {
  private static final int SHF_EXECINSTR = 4;

  private final Decoder decoder = Decoder.ofEverything();
  private final Insn insn = new Insn();

  @BeforeEach
  void needsObjdump() {
    assumeTrue(Objdump.isPresent(), "no objdump here (Debian: package binutils)");
  }

  @ParameterizedTest
  @ValueSource(ints = {64, 32, 16})
  void randomEncodingsOfEveryRowReadAsObjdumpReadsThem(int codeBits) {
    int perRow = Boolean.getBoolean("parhelion.fast") ? 4 : 24;
    Random random = new Random(Long.getLong("parhelion.seed", 1));
    List<byte[]> instructions = new ArrayList<>();
    for (Opcode opcode : OpcodeMap.opcodes()) {
      for (int i = 0; i < perRow; i++) {
        byte[] bytes = InsnGenerator.random(opcode, codeBits, random);
        if (bytes != null) {
          instructions.add(bytes);
        }
      }
    }
    List<Objdump.Line> lines = Objdump.instructions(instructions, codeBits);
    List<String> differences = new ArrayList<>();
    for (int i = 0; i < instructions.size(); i++) {
      long rip = (long) (i % Objdump.PER_IMAGE) * Objdump.SLOT_BYTES;
      compare(instructions.get(i), 0, rip, codeBits, lines.get(i), differences);
    }
    assertTrue(instructions.size() > 1400 * perRow, "only " + instructions.size() + " encodings");
    assertEquals(List.of(), differences);
  }

  @ParameterizedTest
  @ValueSource(strings = {"/bin/bash", "/bin/busybox", "/usr/lib/x86_64-linux-gnu/libc.so.6"})
  void realCodeReadsAsObjdumpReadsIt(String program) throws IOException {
    Path file = Path.of(program);
    assumeTrue(Files.isReadable(file), program + " is not here");
    byte[] code = text(file);
    List<String> differences = new ArrayList<>();
    int count = 0;
    for (Objdump.Line line : Objdump.image(code, 64)) {
      if (!line.text().contains("(bad)")) {
        compare(code, (int) line.offset(), line.offset(), 64, line, differences);
        count++;
      }
    }
    assertTrue(count > 10_000, "only " + count + " instructions in " + program);
    assertEquals(List.of(), differences);
  }

  @Test
  void aDifferenceWithoutAReasonIsSeen() {
    List<String> differences = new ArrayList<>();
    byte[] addEcx = {0x01, (byte) 0xc8};
    compare(addEcx, 0, 0, 64, new Objdump.Line(0, 2, "add eax,edx"), differences);
    compare(addEcx, 0, 0, 64, new Objdump.Line(0, 3, "add eax,ecx"), differences);
    assertEquals(2, differences.size());
  }

  private void compare(
      byte[] code, int at, long rip, int codeBits, Objdump.Line line, List<String> differences) {
    int result = decoder.decode(code, at, code.length - at, codeBits, insn);
    String ours = Objdump.normal(Disassembler.disassemble(insn, rip, null));
    if (result == Decoder.OK && insn.length == line.length() && ours.equals(line.text())) {
      return;
    }
    if (ObjdumpDifference.isBeyondTheMap(insn.mnemonic(), line.text(), code[at])
        || result == Decoder.OK && ObjdumpDifference.of(insn, ours, line.text()) != null) {
      return;
    }
    int end = Math.min(at + 15, code.length);
    differences.add(
        "%d-bit %s: \"%s\" (%d bytes), objdump \"%s\" (%d bytes)"
            .formatted(
                codeBits,
                HexFormat.of().formatHex(code, at, end),
                ours,
                insn.length,
                line.text(),
                line.length()));
  }

  /** The largest executable section of an ELF64 file. */
  private static byte[] text(Path file) throws IOException {
    ByteBuffer elf = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
    long sections = elf.getLong(40);
    int size = elf.getShort(58) & 0xffff;
    byte[] largest = {};
    for (int i = 0; i < (elf.getShort(60) & 0xffff); i++) {
      int header = (int) sections + i * size;
      int length = (int) elf.getLong(header + 32);
      if ((elf.getLong(header + 8) & SHF_EXECINSTR) != 0 && length > largest.length) {
        largest = new byte[length];
        elf.get((int) elf.getLong(header + 24), largest);
      }
    }
    return largest;
  }
}
