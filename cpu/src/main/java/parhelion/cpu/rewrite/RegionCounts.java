package parhelion.cpu.rewrite;

import static parhelion.cpu.memory.Host.U;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import parhelion.cpu.Cpu;
import parhelion.cpu.EngineStats;
import parhelion.cpu.decode.Mnemonic;

/** What the rewriter has done so far for one machine memory, for statistics. */
final class RegionCounts {
  /** Instructions that statistics list. */
  private static final int LISTED_MNEMONICS = 10;

  long translations;
  long translatedInstructions;

  /** Copying included. */
  long translationNanos;

  long copies;
  long hostBytes;
  long resets;
  long drops;

  /** Exits from generated code, by kind of site. */
  final long[] exits = new long[Region.KIND + 1];

  /** Single instructions that were left to the interpreter. */
  final long[] interpreted = new long[Mnemonic.values().length];

  /** Page walks of CPUs that are gone. */
  long formerWalks;

  EngineStats stats(Iterable<Cpu> cpus, long usedBytes) {
    long walks = formerWalks;
    for (Cpu cpu : cpus) {
      walks += U.getLong(cpu.state + NativeState.WALKS);
    }
    List<EngineStats.Count> byKind = new ArrayList<>();
    for (int i = 0; i < Region.KIND_NAMES.length; i++) {
      byKind.add(new EngineStats.Count(Region.KIND_NAMES[i], exits[i]));
    }
    List<EngineStats.Count> byMnemonic = new ArrayList<>();
    for (Mnemonic mnemonic : Mnemonic.values()) {
      if (interpreted[mnemonic.ordinal()] > 0) {
        byMnemonic.add(new EngineStats.Count(mnemonic.name(), interpreted[mnemonic.ordinal()]));
      }
    }
    byMnemonic.sort(Comparator.comparingLong(EngineStats.Count::count).reversed());
    return new EngineStats(
        translations,
        translatedInstructions,
        hostBytes,
        translationNanos,
        copies,
        usedBytes,
        drops,
        resets,
        walks,
        byKind,
        List.copyOf(byMnemonic.subList(0, Math.min(LISTED_MNEMONICS, byMnemonic.size()))));
  }
}
