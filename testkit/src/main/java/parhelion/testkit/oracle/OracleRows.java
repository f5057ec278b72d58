package parhelion.testkit.oracle;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import parhelion.cpu.CpuModel;
import parhelion.cpu.decode.Feature;
import parhelion.cpu.decode.Mnemonic;
import parhelion.cpu.decode.Opcode;
import parhelion.cpu.decode.OpcodeMap;
import parhelion.cpu.decode.Operand;

/** The rows of the opcode map that user-mode programs can execute and two processors agree on. */
final class OracleRows {
  /** /proc/cpuinfo's name of features that hosts of the x86-64-v2 level need not have. */
  private static final Map<Feature, String> HOST_FLAGS =
      new EnumMap<>(
          Map.ofEntries(
              Map.entry(Feature.LAHF, "lahf_lm"),
              Map.entry(Feature.FSGSBASE, "fsgsbase"),
              Map.entry(Feature.CLFLUSHOPT, "clflushopt"),
              Map.entry(Feature.CLWB, "clwb"),
              Map.entry(Feature.PREFETCHW, "3dnowprefetch"),
              Map.entry(Feature.ABM, "abm"),
              Map.entry(Feature.BMI1, "bmi1"),
              Map.entry(Feature.BMI2, "bmi2"),
              Map.entry(Feature.MOVBE, "movbe"),
              Map.entry(Feature.ADX, "adx"),
              Map.entry(Feature.AVX, "avx"),
              Map.entry(Feature.AVX2, "avx2"),
              Map.entry(Feature.FMA, "fma"),
              Map.entry(Feature.F16C, "f16c"),
              Map.entry(Feature.AES, "aes"),
              Map.entry(Feature.PCLMULQDQ, "pclmulqdq"),
              Map.entry(Feature.SHA, "sha_ni")));

  private static final Set<Mnemonic> ESTIMATES =
      EnumSet.of(
          Mnemonic.RCPPS,
          Mnemonic.RCPSS,
          Mnemonic.RSQRTPS,
          Mnemonic.RSQRTSS,
          Mnemonic.VRCPPS,
          Mnemonic.VRCPSS,
          Mnemonic.VRSQRTPS,
          Mnemonic.VRSQRTSS);

  private static final Set<Mnemonic> TRANSCENDENTAL =
      EnumSet.of(
          Mnemonic.F2XM1,
          Mnemonic.FYL2X,
          Mnemonic.FYL2XP1,
          Mnemonic.FSIN,
          Mnemonic.FCOS,
          Mnemonic.FSINCOS,
          Mnemonic.FPTAN,
          Mnemonic.FPATAN);

  private static final Set<Mnemonic> OF_THE_MACHINE =
      EnumSet.of(
          Mnemonic.SLDT,
          Mnemonic.STR,
          Mnemonic.SGDT,
          Mnemonic.SIDT,
          Mnemonic.SMSW,
          Mnemonic.CPUID,
          Mnemonic.RDTSC,
          Mnemonic.RDTSCP,
          Mnemonic.RDPMC,
          Mnemonic.RDRAND,
          Mnemonic.RDSEED,
          Mnemonic.XGETBV,
          Mnemonic.RDFSBASE,
          Mnemonic.WRFSBASE,
          Mnemonic.XSAVE,
          Mnemonic.XSAVEOPT,
          Mnemonic.XSAVEC,
          Mnemonic.XRSTOR);

  private static final Set<Mnemonic> DESCRIPTORS =
      EnumSet.of(
          Mnemonic.VERR,
          Mnemonic.VERW,
          Mnemonic.LAR,
          Mnemonic.LSL,
          Mnemonic.LSS,
          Mnemonic.LFS,
          Mnemonic.LGS,
          Mnemonic.LES,
          Mnemonic.LDS,
          Mnemonic.CALLF,
          Mnemonic.JMPF,
          Mnemonic.RETF,
          Mnemonic.IRET);

  private static final Set<Mnemonic> ALWAYS_TRAP =
      EnumSet.of(
          Mnemonic.INT,
          Mnemonic.INT1,
          Mnemonic.INT3,
          Mnemonic.INTO,
          Mnemonic.SYSCALL,
          Mnemonic.SYSENTER,
          Mnemonic.UD0,
          Mnemonic.UD1,
          Mnemonic.UD2);

  private static final Set<Mnemonic> BRANCHES =
      EnumSet.of(
          Mnemonic.JCC,
          Mnemonic.JMP,
          Mnemonic.CALL,
          Mnemonic.RET,
          Mnemonic.LOOP,
          Mnemonic.LOOPE,
          Mnemonic.LOOPNE,
          Mnemonic.JRCXZ);

  private OracleRows() {}

  /** Why {@code row} is not compared with the host; null if it is. */
  static @Nullable String excluded(Opcode row) {
    return excluded(row, 64);
  }

  /** The same for 32-bit code. */
  static @Nullable String excluded(Opcode row, int codeBits) {
    Mnemonic m = row.mnemonic();
    if (row.has(codeBits == 64 ? Opcode.NOT64 : Opcode.ONLY64)) {
      return "not in this mode";
    }
    if (codeBits == 32 && row.has(Opcode.W1) && !ignoresW(row)) {
      return "not in this mode";
    }
    if (!CpuModel.MAX.has(row.feature())) {
      return "not offered by CPUID";
    }
    if (row.has(Opcode.PRIVILEGED | Opcode.IOPL)) {
      return "privileged";
    }
    if (ESTIMATES.contains(m) || TRANSCENDENTAL.contains(m)) {
      return "approximation";
    }
    if (OF_THE_MACHINE.contains(m)) {
      return "its result is the machine's";
    }
    if (DESCRIPTORS.contains(m) || loadsSegment(row)) {
      return "needs descriptor tables";
    }
    if (ALWAYS_TRAP.contains(m)) {
      return "traps";
    }
    if (m == Mnemonic.PUSH && row.operands()[0].kind() == Operand.Kind.S && codeBits == 32) {
      return "writes two or four bytes";
    }
    if (row.map() == 1 && row.code() == 0x0d && row.modForm() == 3) {
      return "#UD on some vendors' processors";
    }
    return null;
  }

  /** VEX.W is part of the opcode, not an operand size that 32-bit code does not have. */
  private static boolean ignoresW(Opcode row) {
    return row.has(Opcode.VEX) && !Arrays.asList(row.operands()).contains(Operand.Eq);
  }

  private static boolean loadsSegment(Opcode row) {
    return (row.mnemonic() == Mnemonic.MOV || row.mnemonic() == Mnemonic.POP)
        && row.operands().length > 0
        && row.operands()[0].kind() == Operand.Kind.S;
  }

  static boolean isBranch(Opcode row) {
    return BRANCHES.contains(row.mnemonic());
  }

  /** Whether this host has it, beyond what every x86-64-v2 host has. */
  static boolean hostHas(Opcode row) {
    String flag = HOST_FLAGS.get(row.feature());
    boolean vector = row.has(Opcode.VEX) && row.has(Opcode.SSE);
    return (flag == null || NativeArena.hostOffers(flag))
        && (!vector || NativeArena.hostOffers("avx"));
  }

  /** All rows that are compared, branches included. */
  static List<Opcode> all() {
    return all(64);
  }

  static List<Opcode> all(int codeBits) {
    List<Opcode> rows = new ArrayList<>();
    for (Opcode row : OpcodeMap.opcodes()) {
      if (excluded(row, codeBits) == null) {
        rows.add(row);
      }
    }
    return rows;
  }

  /** Reasons and how many rows each keeps out. */
  static Map<String, Integer> exclusions() {
    Map<String, Integer> counts = new java.util.TreeMap<>();
    for (Opcode row : OpcodeMap.opcodes()) {
      String reason = excluded(row);
      if (reason != null) {
        counts.merge(reason, 1, Integer::sum);
      }
    }
    return counts;
  }
}
