package parhelion.cpu.decode;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.EnumSet;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The rules of SDM volume 2, chapter 2, one by one. */
final class DecoderTest {
  private final Decoder decoder = Decoder.ofEverything();
  private final Insn insn = new Insn();

  private int decode(String hex, int codeBits) {
    byte[] bytes = HexFormat.of().parseHex(hex.replace(" ", ""));
    return decoder.decode(bytes, 0, bytes.length, codeBits, insn);
  }

  private Insn ok(String hex, int codeBits) {
    assertEquals(Decoder.OK, decode(hex, codeBits), hex);
    assertEquals(hex.replace(" ", "").length() / 2, insn.length, hex);
    return insn;
  }

  private void undefined(String hex, int codeBits) {
    assertEquals(Decoder.INVALID, decode(hex, codeBits), hex);
    assertSame(Opcode.INVALID, insn.opcode);
  }

  @Test
  void rexCountsOnlyRightBeforeTheOpcode() {
    assertEquals(8, ok("48 89 c8", 64).operandSize);
    assertEquals(2, ok("48 66 89 c8", 64).operandSize);
    assertEquals(0, insn.rex);
    assertEquals(8, ok("66 48 89 c8", 64).operandSize);
    assertEquals(8, ok("41 48 89 c8", 64).operandSize);
    assertEquals(0, insn.rm);
  }

  @Test
  void rexExtendsEveryRegisterField() {
    ok("4f 8b 3c 9f", 64);
    assertEquals(15, insn.reg);
    assertEquals(15, insn.base);
    assertEquals(11, insn.index);
    assertEquals(2, insn.scale);
    assertEquals(15, ok("41 57", 64).opcodeReg);
  }

  @Test
  void rexBytesAreIncAndDecOutside64BitMode() {
    assertEquals(Mnemonic.DEC, ok("48", 32).mnemonic());
    assertEquals(Mnemonic.INC, ok("40", 16).mnemonic());
  }

  @Test
  void theLastOfSeveralRepeatPrefixesCounts() {
    ok("f2 f3 a4", 64);
    assertTrue(insn.rep);
    assertFalse(insn.repne);
    ok("f3 f2 a4", 64);
    assertTrue(insn.repne);
    assertFalse(insn.rep);
    assertEquals(Mnemonic.MOVSD, ok("f3 f2 0f 10 c1", 64).mnemonic());
    assertEquals(Mnemonic.MOVSS, ok("f2 f3 0f 10 c1", 64).mnemonic());
  }

  @Test
  void repeatPrefixesBeat66AsMandatoryPrefix() {
    assertEquals(Mnemonic.MOVSS, ok("66 f3 0f 10 c1", 64).mnemonic());
    assertEquals(Mnemonic.MOVSD, ok("f2 66 0f 10 c1", 64).mnemonic());
    assertEquals(Mnemonic.MOVUPD, ok("66 0f 10 c1", 64).mnemonic());
    assertEquals(Mnemonic.MOVUPS, ok("0f 10 c1", 64).mnemonic());
    assertFalse(ok("f3 0f 10 c1", 64).rep, "a mandatory prefix does not repeat");
  }

  @Test
  void operandSize66KeepsItsMeaningBesideAMandatoryPrefix() {
    assertEquals(Mnemonic.CRC32, ok("66 f2 0f 38 f1 c1", 64).mnemonic());
    assertEquals(2, insn.size(1));
    assertEquals(2, ok("66 f3 0f b8 c1", 64).operandSize);
    assertEquals(Mnemonic.MOVBE, ok("66 0f 38 f0 00", 64).mnemonic());
    assertEquals(2, insn.operandSize);
    undefined("f3 0f 38 f0 00", 64);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "f0 89 c8", // register destination
        "f0 8b 00", // memory is the source
        "f0 39 00", // CMP writes nothing
        "f0 0f a3 00", // BT
        "f0 90",
        "f0 c3",
        "f0 a4",
        "f0 0f ba 20 01",
        "f0 84 00",
        "f0 88 00"
      })
  void lockIsUndefinedWithoutALockableMemoryDestination(String hex) {
    undefined(hex, 64);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "f0 01 00",
        "f0 83 00 01",
        "f0 87 00",
        "f0 0f b1 00",
        "f0 0f c1 00",
        "f0 ff 00",
        "f0 f7 10",
        "f0 0f ba 28 01",
        "f0 0f ab 00",
        "f0 0f c7 08",
        "f0 48 0f c7 08"
      })
  void lockIsAllowedOnReadModifyWriteOfMemory(String hex) {
    assertTrue(ok(hex, 64).lock);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "06",
        "0e",
        "27",
        "2f",
        "37",
        "3f",
        "60",
        "61",
        "62 00",
        "9a 00 00 00 00 00 00",
        "c4 00",
        "c5 00",
        "ce",
        "d4 0a",
        "d5 0a",
        "ea 00 00 00 00 00 00",
        "82 c0 01"
      })
  void undefinedIn64BitModeOnly(String hex) {
    assertEquals(Decoder.OK, decode(hex, 32), hex);
    assertEquals(Decoder.INVALID, decoder.decode(padded(hex), 0, 16, 64, insn), hex);
  }

  private static byte[] padded(String hex) {
    byte[] bytes = HexFormat.of().parseHex(hex.replace(" ", ""));
    return java.util.Arrays.copyOf(bytes, 16);
  }

  @Test
  void stackAndNearBranchesAre64BitWideIn64BitMode() {
    assertEquals(8, ok("50", 64).operandSize);
    assertEquals(2, ok("66 50", 64).operandSize);
    assertEquals(8, ok("ff 30", 64).operandSize);
    assertEquals(8, ok("ff e0", 64).operandSize);
    assertEquals(8, ok("c3", 64).operandSize);
    assertEquals(4, ok("cf", 64).operandSize);
    assertEquals(4, ok("50", 32).operandSize);
  }

  @Test
  void nearBranchesIgnore66In64BitModeAsIntelDoes() {
    assertEquals(0x12345678, ok("66 e8 78 56 34 12", 64).imm);
    assertEquals(8, insn.operandSize);
    assertEquals(0x1234, ok("66 e8 34 12", 32).imm);
    assertEquals(-2, ok("eb fe", 64).imm);
  }

  @Test
  void sibWithIndex4HasNoIndexUnlessRexX() {
    ok("8b 04 24", 64);
    assertEquals(4, insn.base);
    assertEquals(Insn.NONE, insn.index);
    assertEquals(2, insn.segment());
    ok("42 8b 04 24", 64);
    assertEquals(12, insn.index);
  }

  @Test
  void sibBase5WithMod0IsDisplacementOnly() {
    ok("8b 04 25 10 00 00 00", 64);
    assertEquals(Insn.NONE, insn.base);
    assertFalse(insn.ripRelative);
    assertEquals(0x10, insn.disp);
    ok("41 8b 04 25 f0 ff ff ff", 64);
    assertEquals(Insn.NONE, insn.base);
    assertEquals(-16, insn.disp);
    ok("8b 44 25 10", 64);
    assertEquals(5, insn.base);
  }

  @Test
  void mod0Rm5IsRipRelativeIn64BitModeOnly() {
    assertTrue(ok("8b 05 10 00 00 00", 64).ripRelative);
    assertTrue(ok("41 8b 05 10 00 00 00", 64).ripRelative);
    assertTrue(ok("67 8b 05 10 00 00 00", 64).ripRelative);
    assertEquals(4, insn.addressSize);
    assertFalse(ok("8b 05 10 00 00 00", 32).ripRelative);
    assertEquals(Insn.NONE, insn.base);
    assertFalse(ok("67 8b 05", 32).ripRelative);
    assertEquals(7, insn.base);
  }

  @ParameterizedTest
  @CsvSource({
    "8b 00, 3, 6",
    "8b 01, 3, 7",
    "8b 02, 5, 6",
    "8b 03, 5, 7",
    "8b 04, 6, -1",
    "8b 05, 7, -1",
    "8b 07, 3, -1",
    "8b 46 00, 5, -1",
    "8b 06 34 12, -1, -1"
  })
  void sixteenBitAddressing(String hex, int base, int index) {
    ok(hex, 16);
    assertEquals(base, insn.base);
    assertEquals(index, insn.index);
    assertEquals(2, insn.addressSize);
  }

  @Test
  void sixtySevenSwitchesAddressSize() {
    assertEquals(4, ok("67 8b 04 24", 16).addressSize);
    assertEquals(2, ok("67 8b 00", 32).addressSize);
    assertEquals(4, ok("67 8b 00", 64).addressSize);
  }

  @Test
  void only64BitModeIgnoresTheOldSegmentOverrides() {
    assertEquals(0, ok("26 8b 00", 32).segmentOverride);
    assertEquals(Insn.NONE, ok("26 8b 00", 64).segmentOverride);
    assertEquals(5, ok("65 8b 00", 64).segment());
    assertEquals(4, ok("64 2e 8b 00", 64).segmentOverride);
    assertEquals(3, ok("8b 00", 64).segment());
    assertEquals(2, ok("8b 45 00", 64).segment());
    assertEquals(3, ok("41 8b 45 00", 64).segment());
  }

  @Test
  void movesWithAbsoluteOffsetsTakeTheAddressSize() {
    assertEquals(0x1122334455667788L, ok("a1 88 77 66 55 44 33 22 11", 64).disp);
    assertEquals(0xfffffff0L, ok("67 a1 f0 ff ff ff", 64).disp);
    assertEquals(0xfff0L, ok("a1 f0 ff", 16).disp);
    assertEquals(0x1122334455667788L, ok("48 b8 88 77 66 55 44 33 22 11", 64).imm);
  }

  @Test
  void immediatesAreExtendedAsTheirRowsSay() {
    assertEquals(-1, ok("48 83 c0 ff", 64).imm);
    assertEquals(0xff, ok("80 c0 ff", 64).imm);
    assertEquals(-1, ok("48 05 ff ff ff ff", 64).imm);
    assertEquals(0xfff0, ok("c8 f0 ff 1f", 64).imm);
    assertEquals(0x1f, insn.imm2);
    assertEquals(0x1234, ok("9a 78 56 34 12 34 12", 32).imm2);
    assertEquals(0x12345678, insn.imm);
    assertEquals(0xffff, ok("c2 ff ff", 64).imm);
  }

  @Test
  void registersThatDoNotExistAreUndefined() {
    ok("0f 20 c0", 64);
    ok("44 0f 20 c0", 64);
    assertEquals(8, insn.reg);
    undefined("0f 20 c8", 64);
    undefined("0f 20 e8", 64);
    undefined("44 0f 20 c8", 64);
    undefined("44 0f 21 c0", 64);
    undefined("8e c8", 64);
    undefined("8e f0", 64);
    undefined("8c f8", 64);
    assertEquals(3, ok("44 8e d8", 64).reg);
  }

  @Test
  void modIsIgnoredByMovesOfControlRegisters() {
    ok("0f 20 00", 64);
    assertEquals(3, insn.mod);
    assertFalse(insn.isMemory());
    ok("0f 22 44", 64);
    assertEquals(4, insn.rm);
  }

  @Test
  void nopIsNotExchangeUnlessRexB() {
    assertEquals(Mnemonic.NOP, ok("90", 64).mnemonic());
    assertEquals(Mnemonic.NOP, ok("48 90", 64).mnemonic());
    assertEquals(Mnemonic.XCHG, ok("49 90", 64).mnemonic());
    assertEquals(8, insn.opcodeReg);
    assertEquals(Mnemonic.PAUSE, ok("f3 90", 64).mnemonic());
    assertEquals(Mnemonic.XCHG, ok("91", 64).mnemonic());
  }

  @Test
  void hintNopsAndEndbr() {
    assertEquals(Mnemonic.ENDBR64, ok("f3 0f 1e fa", 64).mnemonic());
    assertEquals(Mnemonic.NOP, ok("0f 1e fa", 64).mnemonic());
    assertEquals(Mnemonic.NOP, ok("66 2e 0f 1f 84 00 00 00 00 00", 64).mnemonic());
    for (int code = 0x19; code <= 0x1f; code++) {
      assertEquals(Mnemonic.NOP, ok("0f %02x 40 00".formatted(code), 64).mnemonic());
    }
    assertEquals(Mnemonic.PREFETCHT0, ok("0f 18 08", 64).mnemonic());
    assertEquals(Mnemonic.NOP, ok("0f 18 c8", 64).mnemonic());
  }

  @Test
  void vexIsUndefinedAfterRexOrALegacyPrefix() {
    assertEquals(Mnemonic.VADDPS, ok("c5 f0 58 c2", 64).mnemonic());
    undefined("48 c5 f0 58 c2", 64);
    undefined("66 c5 f0 58 c2", 64);
    undefined("f3 c5 f0 58 c2", 64);
    undefined("f0 c5 f0 58 c2", 64);
    assertEquals(5, ok("65 c5 f0 58 00", 64).segment());
  }

  @Test
  void vexFieldsAreInverted() {
    ok("c4 41 24 58 d4", 64);
    assertEquals(10, insn.reg);
    assertEquals(12, insn.rm);
    assertEquals(11, insn.vvvv);
    assertEquals(32, insn.vectorLength);
    assertEquals(32, insn.size(0));
  }

  @Test
  void vexNeedsAllOnesInAnUnusedSource() {
    ok("c5 f8 28 c1", 64);
    assertEquals(Insn.NONE, insn.vvvv);
    undefined("c5 f0 28 c1", 64);
  }

  @Test
  void vexIsLesAndLdsWithMemoryOutside64BitMode() {
    assertEquals(Mnemonic.LES, ok("c4 00", 32).mnemonic());
    assertEquals(Mnemonic.LDS, ok("c5 00", 16).mnemonic());
    assertEquals(Mnemonic.VADDPS, ok("c5 f0 58 c2", 32).mnemonic());
  }

  @Test
  void gathersNeedSibAndThreeDifferentRegisters() {
    assertEquals(Mnemonic.VPGATHERDD, ok("c4 e2 69 90 04 08", 64).mnemonic());
    assertEquals(1, insn.index);
    undefined("c4 e2 69 90 00", 64);
    undefined("c4 e2 69 90 04 10", 64);
    undefined("c4 e2 71 90 04 08", 64);
  }

  @Test
  void anInstructionOfMoreThan15BytesIsTooLong() {
    ok("66 66 66 66 66 66 66 66 66 66 66 66 66 66 90", 64);
    assertEquals(Decoder.TOO_LONG, decode("66".repeat(15) + "90", 64));
    assertEquals(Decoder.TOO_LONG, decode("66".repeat(20), 64));
    ok("64 64 64 64 48 c7 84 24 00 01 00 00 ff ff ff".replaceFirst("64 ", "") + "ff", 64);
    assertEquals(Decoder.TOO_LONG, decode("64646464 48c78424 00010000 ffffffff", 64));
  }

  @Test
  void bytesThatEndTooEarlyAreTruncatedAtEveryLength() {
    byte[] bytes = HexFormat.of().parseHex("f06548818424001000000000ffff");
    assertEquals(Decoder.OK, decoder.decode(bytes, 0, bytes.length, 64, insn));
    int length = insn.length;
    for (int available = 0; available < length; available++) {
      assertEquals(Decoder.TRUNCATED, decoder.decode(bytes, 0, available, 64, insn));
      assertSame(Opcode.INVALID, insn.opcode);
    }
  }

  @Test
  void noMoreThanTheArrayIsRead() {
    byte[] bytes = {0x48, (byte) 0x8b};
    assertEquals(Decoder.TRUNCATED, decoder.decode(bytes, 0, 100, 64, insn));
    assertEquals(Decoder.TRUNCATED, decoder.decode(bytes, 2, 100, 64, insn));
  }

  @Test
  void anInsnIsBlankBeforeItIsFilledAgain() {
    ok("f0 65 48 81 84 24 00 10 00 00 11 11 11 11", 64);
    ok("90", 32);
    assertFalse(insn.lock);
    assertEquals(0, insn.rex);
    assertEquals(Insn.NONE, insn.segmentOverride);
    assertEquals(Insn.NONE, insn.modrm);
    assertEquals(Insn.NONE, insn.base);
    assertEquals(0, insn.disp);
    assertEquals(0, insn.imm);
    assertEquals(0, insn.prefixes);
  }

  @Test
  void featuresThatAreNotOfferedAreUndefinedOrWhatTheyWereBefore() {
    Decoder v2 =
        new Decoder(
            EnumSet.complementOf(EnumSet.of(Feature.AVX, Feature.BMI1, Feature.ABM, Feature.AES)));
    byte[] tzcnt = HexFormat.of().parseHex("f30fbcc1");
    assertEquals(Decoder.OK, v2.decode(tzcnt, 0, 4, 64, insn));
    assertEquals(Mnemonic.BSF, insn.mnemonic());
    assertTrue(insn.rep);
    assertEquals(Mnemonic.TZCNT, ok("f3 0f bc c1", 64).mnemonic());
    byte[] lzcnt = HexFormat.of().parseHex("f30fbdc1");
    assertEquals(Decoder.OK, v2.decode(lzcnt, 0, 4, 64, insn));
    assertEquals(Mnemonic.BSR, insn.mnemonic());
    byte[] vaddps = HexFormat.of().parseHex("c5f058c2");
    assertEquals(Decoder.INVALID, v2.decode(vaddps, 0, 4, 64, insn));
    byte[] aesenc = HexFormat.of().parseHex("660f38dcc1");
    assertEquals(Decoder.INVALID, v2.decode(aesenc, 0, 5, 64, insn));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "0f 04 c0",
        "0f 0a c0",
        "0f 24 c0",
        "0f a6 c0",
        "0f 36 c0",
        "d6",
        "0f 01 c1",
        "0f 01 d9",
        "0f aa",
        "0f c7 c8",
        "0f c7 c0",
        "0f 71 c0 01",
        "0f 78 c0",
        "c6 c8 00",
        "c7 f8 00",
        "8f c8 00",
        "ff f8",
        "fe d0",
        "d9 d1",
        "da f0",
        "db e5",
        "dd f0",
        "df e1",
        "62 f1 7c 48 58 c1",
        "0f c3 c0",
        "0f e7 c0",
        "0f 38 ff c0",
        "0f 3a ff c0",
        "f3 0f 28 c1",
        "0f b8 c1"
      })
  void whatNoRowSaysIsUndefined(String hex) {
    undefined(hex + "00 00 00 00 00 00 00 00", 64);
  }

  @ParameterizedTest
  @ValueSource(strings = {"0f 0b", "0f b9 c0", "0f ff c0"})
  void theUndefinedInstructionsHaveNamesAndEndABlock(String hex) {
    assertTrue(ok(hex, 64).opcode.has(Opcode.ENDS_BLOCK));
    assertTrue(insn.mnemonic().name().startsWith("UD"));
  }

  @Test
  void cmpxchg16bIsCmpxchg8bWithRexW() {
    assertEquals(Mnemonic.CMPXCHG8B, ok("0f c7 08", 64).mnemonic());
    assertEquals(Mnemonic.CMPXCHG16B, ok("48 0f c7 08", 64).mnemonic());
    assertEquals(Mnemonic.RDRAND, ok("0f c7 f0", 64).mnemonic());
    assertEquals(Mnemonic.RDSEED, ok("48 0f c7 f8", 64).mnemonic());
  }

  @Test
  void conditionsAreInTheOpcodeByte() {
    assertEquals(5, ok("75 00", 64).opcode.code() & 15);
    assertEquals(Mnemonic.JCC, insn.mnemonic());
    assertEquals(0xf, ok("0f 8f 00 00 00 00", 64).opcode.code() & 15);
    assertEquals(0x40, ok("74 00", 64).opcode.flagsRead());
    assertEquals(4, ok("0f 44 c1", 64).opcode.code() & 15);
  }
}
