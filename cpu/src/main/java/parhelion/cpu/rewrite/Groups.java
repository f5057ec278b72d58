package parhelion.cpu.rewrite;

import static parhelion.cpu.rewrite.Routines.HOST;

import java.util.Arrays;
import parhelion.cpu.CpuState;
import parhelion.cpu.decode.Insn;
import parhelion.cpu.decode.Opcode;

/**
 * Memory accesses of a run that one check can serve: they lie at constant distances from one
 * register, or from one sum of a base and an index, and so, nearly always, in one page. A group is
 * opened by the check of the first access, for the range of all that follow until control may come
 * from elsewhere, the interpreter may have changed a mapping, user pages become accessible to a
 * supervisor or cease to be, or the register takes a value that is not its old one plus a constant.
 *
 * <p>A group has a slot: 0 to 15 is the register's number; from {@link #INDEXED} on are the sums.
 */
final class Groups {
  /** Ranges longer than this would cross a page too often. */
  private static final int MAX_BYTES = 256;

  /** The first slot of a sum, and how many sums can be followed at a time. */
  static final int INDEXED = 16;

  static final int SUMS = 8;
  static final int SLOTS = INDEXED + SUMS;
  private static final int UNKNOWN = RegisterEffects.UNKNOWN;

  private final boolean[] open = new boolean[SLOTS];
  private final boolean[] write = new boolean[SLOTS];

  /** Range, from the register's value, or the sum's, when the group was opened. */
  private final int[] low = new int[SLOTS];

  private final int[] high = new int[SLOTS];

  /** What the register or sum has gained since. */
  private final int[] gained = new int[SLOTS];

  /** An offset at which alignment to so many bytes was tested, or 0 bytes. */
  private final int[] alignedAt = new int[SLOTS];

  private final int[] alignedBytes = new int[SLOTS];

  /** The last instruction of the loop for which a group is open; -1 for one that may be closed. */
  private final int[] keptUntil = new int[SLOTS];

  /** Of which registers a slot is; {@link Insn#NONE} for what a sum has not. */
  private final int[] bases = new int[SLOTS];

  private final int[] indexes = new int[SLOTS];
  private final int[] scales = new int[SLOTS];

  // Set by start.
  @SuppressWarnings("NullAway.Init")
  private Scanner run;

  // --- the access that was looked at last ---

  private int slot;
  private int offset;
  private int bytes;
  private boolean writes;

  // --- the range of a group to be opened ---

  int rangeLow;
  int rangeHigh;
  boolean rangeWrites;

  Groups() {
    for (int register = 0; register < INDEXED; register++) {
      bases[register] = register;
      indexes[register] = Insn.NONE;
    }
  }

  /** Begins with another run. */
  void start(Scanner next) {
    run = next;
    Arrays.fill(keptUntil, -1);
    closeAll();
  }

  /** The slot of an operand, one that is free if it is a new sum; -1 if there is none. */
  int slot(int base, int index, int scale) {
    if (index == Insn.NONE) {
      return base;
    }
    int free = -1;
    for (int i = INDEXED; i < SLOTS; i++) {
      if (open[i]) {
        if (bases[i] == base && indexes[i] == index && scales[i] == scale) {
          return i;
        }
      } else {
        free = i;
      }
    }
    if (free >= 0) {
      bases[free] = base;
      indexes[free] = index;
      scales[free] = scale;
    }
    return free;
  }

  void closeAll() {
    Arrays.fill(open, false);
  }

  /** At the label of instruction {@code i}: what was checked before its loop still holds. */
  void closeAllBut(int i) {
    for (int group = 0; group < SLOTS; group++) {
      open[group] &= keptUntil[group] >= i;
    }
  }

  boolean isOpen(int group) {
    return open[group];
  }

  /** The lent register for the addend of a group, or -1. */
  int host(int group, LentRegisters lent) {
    return lent.host(bases[group], indexes[group], scales[group]);
  }

  /** Whether a group is open for the whole of the loop that instruction {@code i} is in. */
  boolean isKept(int group, int i) {
    return open[group] && keptUntil[group] >= i;
  }

  boolean anyOpen() {
    for (boolean one : open) {
      if (one) {
        return true;
      }
    }
    return false;
  }

  /** Whether an access at {@code disp} from the register or sum needs no check of its own. */
  boolean serves(int group, int disp, int size, boolean isWrite, int alignment) {
    int at = gained[group] + disp;
    return open[group]
        && at >= low[group]
        && at + size <= high[group]
        && (write[group] || !isWrite)
        && (alignment == 0
            || alignedBytes[group] >= alignment && (at - alignedAt[group]) % alignment == 0);
  }

  /**
   * Finds the range that a group opened by access {@code i} would have; false if it would be alone.
   */
  boolean plan(int i, int group, int disp, int size, boolean isWrite) {
    rangeLow = disp;
    rangeHigh = disp + size;
    rangeWrites = isWrite;
    boolean found = false;
    int delta = effect(i, group);
    for (int j = i + 1; j < run.count && delta != UNKNOWN && !run.isTarget[j]; j++) {
      Treatment treatment = run.treatments[j];
      if (treatment == Treatment.INTERPRET
          || treatment == Treatment.INTERPRET_LAST
          || treatment == Treatment.STAC
          || treatment == Treatment.CLAC) {
        break;
      }
      if (look(j, group) && slot == group) {
        int from = Math.min(rangeLow, delta + offset);
        int to = Math.max(rangeHigh, delta + offset + bytes);
        if (to - from > MAX_BYTES) {
          break;
        }
        rangeLow = from;
        rangeHigh = to;
        rangeWrites |= writes;
        found = true;
      }
      int effect = effect(j, group);
      delta = effect == UNKNOWN ? UNKNOWN : delta + effect;
    }
    return found;
  }

  /**
   * The registers, a bit each, that a loop leaves as they are and by which every round of it
   * accesses memory, as far as no group is open for a larger loop.
   */
  int keptInLoop(int head, int end) {
    int found = 0;
    for (int i = head; i <= end && (i == head || !run.isTarget[i]); i++) {
      if (look(i, Insn.NONE) && !isKept(slot, i)) {
        found |= 1 << slot;
      }
      if (Scanner.isDirectBranch(run.treatments[i])) {
        break;
      }
    }
    for (int left = found; left != 0; left &= left - 1) {
      int register = Integer.numberOfTrailingZeros(left);
      for (int i = head; i <= end; i++) {
        if (effect(i, register) != 0) {
          found &= ~(1 << register);
          break;
        }
      }
    }
    return found;
  }

  /**
   * Finds the range that a group for all accesses of a loop by a register would have; false if that
   * is too long, or alignment matters.
   */
  boolean planLoop(int head, int end, int register) {
    rangeLow = Integer.MAX_VALUE;
    rangeHigh = Integer.MIN_VALUE;
    rangeWrites = false;
    for (int i = head; i <= end; i++) {
      if (look(i, Insn.NONE) && slot == register) {
        if (run.insns[i].opcode.has(Opcode.ALIGNED)) {
          return false;
        }
        rangeLow = Math.min(rangeLow, offset);
        rangeHigh = Math.max(rangeHigh, offset + bytes);
        rangeWrites |= writes;
      }
    }
    return (long) rangeHigh - rangeLow <= MAX_BYTES;
  }

  /** Keeps a group, just opened, up to the end of a loop. */
  void keep(int group, int end) {
    keptUntil[group] = end;
  }

  /** Opens the planned group; {@code alignment} bytes were tested at {@code disp}, or 0. */
  void open(int group, int disp, int alignment) {
    open[group] = true;
    write[group] = rangeWrites;
    low[group] = rangeLow;
    high[group] = rangeHigh;
    gained[group] = 0;
    alignedAt[group] = disp;
    alignedBytes[group] = alignment;
    keptUntil[group] = -1;
  }

  /** Takes into account what instruction {@code i} did to registers. */
  void executed(int i) {
    for (int group = 0; group < SLOTS; group++) {
      if (open[group]) {
        int effect = effect(i, group);
        if (effect == UNKNOWN) {
          open[group] = false;
        } else {
          gained[group] += effect;
        }
      }
    }
  }

  /** What instruction {@code i} adds to a register or sum; the base of a sum has to stay. */
  private int effect(int i, int group) {
    Insn insn = run.insns[i];
    Treatment treatment = run.treatments[i];
    if (group < INDEXED) {
      return RegisterEffects.of(insn, treatment, group);
    }
    if (bases[group] != Insn.NONE && RegisterEffects.of(insn, treatment, bases[group]) != 0) {
      return UNKNOWN;
    }
    int effect = RegisterEffects.of(insn, treatment, indexes[group]);
    return effect == UNKNOWN || Math.abs(effect) > MAX_BYTES ? UNKNOWN : effect << scales[group];
  }

  /**
   * Describes the access of instruction {@code i} if it is of the kind that groups are made of; of
   * sums, only that of {@code group} is known.
   */
  private boolean look(int i, int group) {
    Insn insn = run.insns[i];
    switch (run.treatments[i]) {
      case EMIT, DIVIDE -> {
        offset = (int) insn.disp;
        if (isPlain(insn)) {
          slot = insn.base;
        } else if (isPlainBy(run.knownIndex[i], insn)) {
          slot = insn.base;
          offset += run.knownIndex[i] << insn.scale;
        } else if (group >= INDEXED
            && isSum(insn, run.treatments[i])
            && insn.base == bases[group]
            && insn.index == indexes[group]
            && insn.scale == scales[group]) {
          slot = group;
        } else {
          return false;
        }
        bytes = Treatment.accessBytes(insn);
        writes = Treatment.writesMemory(insn);
        return true;
      }
      case PUSH -> {
        return !insn.isMemory() && stack(-8, true);
      }
      case PUSHF, CALL -> {
        return stack(-8, true);
      }
      case POP, RET -> {
        return stack(0, false);
      }
      case LEAVE -> {
        slot = 5;
        offset = 0;
        bytes = 8;
        writes = false;
        return true;
      }
      default -> {
        return false;
      }
    }
  }

  private boolean stack(int at, boolean isWrite) {
    slot = 4;
    offset = at;
    bytes = 8;
    writes = isWrite;
    return true;
  }

  /** Whether the memory operand is a host register of the guest's plus a constant. */
  static boolean isPlain(Insn insn) {
    return insn.isMemory()
        && !insn.ripRelative
        && insn.base != Insn.NONE
        && HOST[insn.base] >= 0
        && insn.index == Insn.NONE
        && isFlat(insn);
  }

  /**
   * Whether it is a sum with an index, all in host registers, of an instruction that is re-emitted.
   */
  static boolean isSum(Insn insn, Treatment treatment) {
    return treatment == Treatment.EMIT
        && insn.isMemory()
        && !insn.ripRelative
        && insn.index != Insn.NONE
        && HOST[insn.index] >= 0
        && (insn.base == Insn.NONE || HOST[insn.base] >= 0)
        && isFlat(insn);
  }

  /** Whether a sum, as its index is known, is a register plus a constant. */
  static boolean isPlainBy(int knownIndex, Insn insn) {
    return knownIndex != Constants.UNKNOWN && insn.base != Insn.NONE;
  }

  private static boolean isFlat(Insn insn) {
    return insn.segmentOverride != CpuState.FS && insn.segmentOverride != CpuState.GS;
  }
}
