package parhelion.testkit.oracle;

import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.function.Consumer;
import parhelion.cpu.decode.Decoder;
import parhelion.cpu.decode.Disassembler;
import parhelion.cpu.decode.Insn;

/**
 * Instructions to be executed from their first byte to behind their last.
 *
 * @param arena where it is to run
 * @param code the bytes
 * @param offset where they go, from the start of the code area
 * @param modifiesCode whether they may write to themselves
 * @param undefinedFlags RFLAGS bits without a defined value in the end
 * @param codeBits 32 or 64
 */
record Program(
    Arena arena, byte[] code, int offset, boolean modifiesCode, int undefinedFlags, int codeBits) {
  /** Longest way out that is added to the code. */
  static final int EXIT_BYTES = 7;

  /** A program of 64-bit code. */
  Program(Arena arena, byte[] code, int offset, boolean modifiesCode, int undefinedFlags) {
    this(arena, code, offset, modifiesCode, undefinedFlags, 64);
  }

  long entryVa() {
    return arena.codeVa() + offset;
  }

  long exitVa() {
    return entryVa() + code.length;
  }

  /** Gives its instructions one after the other, as they stand in memory. */
  void insns(Consumer<Insn> to) {
    Decoder decoder = Decoder.ofEverything();
    Insn insn = new Insn();
    int at = 0;
    while (at < code.length
        && decoder.decode(code, at, code.length - at, codeBits, insn) == Decoder.OK) {
      to.accept(insn);
      at += insn.length;
    }
  }

  /** Its instructions in Intel's syntax, one a line, with addresses and bytes. */
  List<String> listing() {
    return listing(code, entryVa(), codeBits);
  }

  static List<String> listing(byte[] code, long va, int codeBits) {
    Decoder decoder = Decoder.ofEverything();
    List<String> lines = new ArrayList<>();
    int at = 0;
    while (at < code.length) {
      Insn insn = new Insn();
      int status = decoder.decode(code, at, code.length - at, codeBits, insn);
      int length = status == Decoder.OK ? insn.length : 1;
      lines.add(
          String.format(
              "%x: %-30s %s",
              va + at,
              HexFormat.of().formatHex(code, at, at + length),
              status == Decoder.OK ? Disassembler.disassemble(insn, va + at, null) : "(bad)"));
      at += length;
    }
    return lines;
  }
}
