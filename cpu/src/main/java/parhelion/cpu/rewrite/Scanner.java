package parhelion.cpu.rewrite;

import java.util.Arrays;
import parhelion.cpu.Cpu;
import parhelion.cpu.CpuModel;
import parhelion.cpu.Rflags;
import parhelion.cpu.decode.Decoder;
import parhelion.cpu.decode.Insn;
import parhelion.cpu.decode.Operand;

/**
 * Finds a run: guest instructions from one address on, in order, past conditional branches, until
 * control cannot fall through, the page ends or there are enough. Branches to instructions of the
 * run stay inside. Then finds which flags are live where.
 *
 * <p>Liveness may look at the bytes of what follows in the same page; those bytes are among {@link
 * #granules}, so that a change of them drops what was concluded from them. Beyond that, all flags
 * are live.
 */
final class Scanner {
  /** Most instructions that are decoded, and most with copies of parts of loops. */
  private static final int MAX_DECODED = 64;

  static final int MAX_INSTRUCTIONS = 160;
  private static final int LOOK_AHEAD = 6;
  static final int ALL_FLAGS = (int) Rflags.ARITHMETIC;

  private final Decoder[] decoders = new Decoder[CpuModel.values().length];
  private final byte[] page = new byte[4096 + 16];
  private final Insn probe = new Insn();
  private final Insn[] decodedInsns = new Insn[MAX_DECODED + 1];
  private final LoopShaper shaper = new LoopShaper();
  private int codeBits;
  private int key;

  /** Of the CPU's model. */
  @SuppressWarnings("NullAway.Init")
  private Decoder decoder;

  // --- the run ---

  final Insn[] insns = new Insn[MAX_INSTRUCTIONS];
  final Treatment[] treatments = new Treatment[MAX_INSTRUCTIONS];

  /** Offset of each instruction from the start. */
  final int[] offsets = new int[MAX_INSTRUCTIONS];

  /** Flags live before each instruction, and after the last. */
  final int[] liveBefore = new int[MAX_INSTRUCTIONS + 1];

  final int[] liveAfter = new int[MAX_INSTRUCTIONS];

  /** Index in the run that a direct branch leads to, or -1. */
  final int[] target = new int[MAX_INSTRUCTIONS];

  /** Whether a conditional branch is taken under the opposite of its condition. */
  final boolean[] inverted = new boolean[MAX_INSTRUCTIONS];

  /** Whether a branch of the run leads here. */
  final boolean[] isTarget = new boolean[MAX_INSTRUCTIONS];

  final Loops loops = new Loops();

  /** What is in the index register of a memory operand, or {@link Constants#UNKNOWN}. */
  final int[] knownIndex = new int[MAX_INSTRUCTIONS];

  /** Where control goes on behind a conditional branch, if not at the next instruction; or -1. */
  final int[] goesOn = new int[MAX_INSTRUCTIONS];

  int count;

  /** Instructions of the guest's, without copies of parts of loops. */
  int decoded;

  /** Where the guest's instructions end, from the start. */
  int endOffset;

  /** Whether control can fall through the end. */
  boolean fallsThrough;

  /** Bit per 64-byte granule of the page whose bytes the run depends on. */
  long granules;

  /** The one instruction reaches into the next page. */
  boolean crosses;

  private int start;

  Scanner() {
    Arrays.setAll(decoders, i -> new Decoder(CpuModel.values()[i].features()));
    Arrays.setAll(decodedInsns, i -> new Insn());
  }

  /**
   * Scans from machine address {@code pa}; false when the first instruction reaches into the next
   * page or cannot be decoded.
   */
  boolean scan(Cpu cpu, long pa, int key) {
    begin(cpu, pa, key);
    cpu.memory.read(pa & -4096L, page, 0, 4096);
    crosses = false;
    decode(4096);
    if (count == 0) {
      return false;
    }
    finish();
    return true;
  }

  /** Scans the one instruction at {@code pa} that goes on at {@code secondPa}. */
  boolean scanCrossing(Cpu cpu, long pa, long secondPa, int key) {
    begin(cpu, pa, key);
    cpu.memory.read(pa, page, start, 4096 - start);
    cpu.memory.read(secondPa, page, 4096, 16);
    crosses = true;
    count = 0;
    granules = 1L << 63;
    if (decoder.decode(page, start, 4096 + 16 - start, codeBits, decodedInsns[0]) != Decoder.OK) {
      return false;
    }
    add(start);
    finish();
    return true;
  }

  private void begin(Cpu cpu, long pa, int key) {
    codeBits = cpu.codeBits;
    decoder = decoders[cpu.model.ordinal()];
    this.key = key;
    start = (int) (pa & 4095);
  }

  private void add(int at) {
    Insn insn = decodedInsns[count];
    insns[count] = insn;
    treatments[count] = Treatment.of(insn, key);
    offsets[count] = at - start;
    inverted[count] = false;
    count++;
    endOffset = at - start + insn.length;
  }

  private void decode(int end) {
    count = 0;
    int at = start;
    while (count < MAX_DECODED && at < end) {
      if (decoder.decode(page, at, end - at, codeBits, decodedInsns[count]) != Decoder.OK) {
        break;
      }
      add(at);
      at += insns[count - 1].length;
      if (treatments[count - 1].endsRun() && !(isJump(count - 1) && isBranchedTo(at - start))) {
        break;
      }
    }
    granules = count == 0 ? 0 : granules(start, at - start);
  }

  private boolean isJump(int i) {
    return treatments[i] == Treatment.JMP;
  }

  /** Whether a branch of the run so far leads to an offset: what comes behind a jump, say. */
  private boolean isBranchedTo(int offset) {
    for (int i = 0; i < count; i++) {
      if (isDirectBranch(treatments[i]) && targetOffset(i) == offset) {
        return true;
      }
    }
    return false;
  }

  private void finish() {
    decoded = count;
    fallsThrough = !treatments[count - 1].endsRun();
    for (int i = 0; i < count; i++) {
      target[i] = isDirectBranch(treatments[i]) ? indexOf(targetOffset(i)) : -1;
      if (target[i] <= i && (key & RegionKey.SINGLE_CHECKS) != 0) {
        target[i] = -1; // the next round has its checks together again
      }
    }
    Arrays.fill(goesOn, 0, count, -1);
    findTargets();
    if ((key & (RegionKey.SINGLE_CHECKS | RegionKey.EXACT_FLAGS)) == 0) {
      shaper.shape(this);
    }
    loops.find(this);
    findConstants();
    liveness();
  }

  void findTargets() {
    Arrays.fill(isTarget, 0, count, false);
    for (int i = 0; i < count; i++) {
      if (target[i] >= 0) {
        isTarget[target[i]] = true;
      }
      if (goesOn[i] >= 0) {
        isTarget[goesOn[i]] = true;
      }
    }
  }

  private void findConstants() {
    for (int i = 0; i < count; i++) {
      boolean sum = !isTarget[i] && Groups.isSum(insns[i], treatments[i]);
      knownIndex[i] = sum ? Constants.before(this, i, insns[i].index) : Constants.UNKNOWN;
    }
  }

  static boolean isDirectBranch(Treatment treatment) {
    return treatment == Treatment.JCC || treatment == Treatment.JMP || treatment == Treatment.LOOP;
  }

  /** Offset behind instruction {@code i}. */
  int end(int i) {
    return offsets[i] + insns[i].length;
  }

  /** Where the direct branch or call {@code i} leads, from the start of the run. */
  long targetOffset(int i) {
    return inverted[i] ? end(i) : end(i) + insns[i].imm;
  }

  private int indexOf(long offset) {
    if (crosses || offset < 0 || offset >= endOffset) {
      return -1;
    }
    int i = Arrays.binarySearch(offsets, 0, count, (int) offset);
    return Math.max(i, -1);
  }

  /**
   * Whether an offset from the start of the run lies in the run's page, and an instruction there
   * does not reach out of it.
   */
  boolean inPage(long offset) {
    long at = start + offset;
    return !crosses && at >= 0 && at <= 4096 - Decoder.MAX_LENGTH;
  }

  // --- liveness ---

  private void liveness() {
    if ((key & RegionKey.EXACT_FLAGS) != 0) {
      Arrays.fill(liveBefore, 0, count + 1, ALL_FLAGS);
      Arrays.fill(liveAfter, 0, count, ALL_FLAGS);
      return;
    }
    int end = fallsThrough ? liveOutside(endOffset) : ALL_FLAGS;
    liveBefore[count] = end;
    int[] outside = new int[count];
    for (int i = 0; i < count; i++) {
      if (isDirectBranch(treatments[i]) && target[i] < 0) {
        outside[i] = liveOutside(targetOffset(i));
      }
    }
    Arrays.fill(liveBefore, 0, count, 0);
    boolean changed = true;
    while (changed) {
      changed = false;
      for (int i = count - 1; i >= 0; i--) {
        int after =
            switch (treatments[i]) {
              case JCC, LOOP -> liveBefore[goesOn[i] < 0 ? i + 1 : goesOn[i]] | branch(i, outside);
              case JMP -> branch(i, outside);
              case CALL, RET, JMP_INDIRECT, CALL_INDIRECT, INTERPRET_LAST -> ALL_FLAGS;
              default -> liveBefore[i + 1];
            };
        liveAfter[i] = after;
        int before = after & ~kills(insns[i]) | reads(insns[i], treatments[i]);
        if (before != liveBefore[i]) {
          liveBefore[i] = before;
          changed = true;
        }
      }
    }
  }

  private int branch(int i, int[] outside) {
    return target[i] >= 0 ? liveBefore[target[i]] : outside[i];
  }

  /** Flags live at an address outside of the run, as far as a short look shows. */
  private int liveOutside(long offset) {
    if (!inPage(offset)) {
      return ALL_FLAGS;
    }
    int at = start + (int) offset;
    int live = 0;
    int open = ALL_FLAGS;
    for (int n = 0; n < LOOK_AHEAD && open != 0; n++) {
      if (decoder.decode(page, at, 4096 - at, codeBits, probe) != Decoder.OK) {
        break;
      }
      granules |= granules(at, probe.length);
      Treatment treatment = Treatment.of(probe, key);
      live |= reads(probe, treatment) & open;
      open &= ~kills(probe);
      at += probe.length;
      if (treatment == Treatment.JMP) {
        at += (int) probe.imm;
        if (at < 0 || at >= 4096) {
          break;
        }
      } else if (treatment.endsRun() || treatment == Treatment.JCC || treatment == Treatment.LOOP) {
        break;
      }
    }
    return live | open;
  }

  static int reads(Insn insn, Treatment treatment) {
    if (treatment == Treatment.SKIP) {
      return 0; // a branch that is known not to be taken, too
    }
    if (treatment == Treatment.INTERPRET_LAST) {
      return ALL_FLAGS;
    }
    switch (insn.mnemonic()) {
      case SYSCALL, PUSHF, IN -> {
        return ALL_FLAGS;
      }
      case ROL, ROR, SHL, SHR, SAR, SHLD, SHRD -> {
        if (hasConstantCount(insn)) {
          return 0;
        }
      }
      case RCL, RCR -> {
        if (hasConstantCount(insn)) {
          return constantCount(insn) == 0 ? 0 : (int) Rflags.CF;
        }
      }
      default -> {}
    }
    return insn.opcode.flagsRead() & ALL_FLAGS;
  }

  /** Flags whose value before the instruction does not matter behind it. */
  static int kills(Insn insn) {
    int written = (insn.opcode.flagsWritten() | insn.opcode.flagsUndefined()) & ALL_FLAGS;
    return switch (insn.mnemonic()) {
      case ROL, ROR, RCL, RCR, SHL, SHR, SAR, SHLD, SHRD ->
          hasConstantCount(insn) && constantCount(insn) != 0 ? written : 0;
      case CMPS, SCAS -> insn.rep || insn.repne ? 0 : written;
      default -> written;
    };
  }

  private static boolean hasConstantCount(Insn insn) {
    Operand[] operands = insn.opcode.operands();
    Operand last = operands[operands.length - 1];
    return last == Operand.Ib || last == Operand.One;
  }

  private static int constantCount(Insn insn) {
    Operand[] operands = insn.opcode.operands();
    if (operands[operands.length - 1] == Operand.One) {
      return 1;
    }
    return (int) insn.imm & (insn.operandSize == 8 && insn.size(0) == 8 ? 63 : 31);
  }

  static long granules(int offset, int length) {
    int first = offset >>> 6;
    int last = Math.min(63, (offset + length - 1) >>> 6);
    long upTo = last == 63 ? -1L : (1L << (last + 1)) - 1;
    return upTo & -(1L << first);
  }
}
