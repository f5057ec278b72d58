package parhelion.cpu.rewrite;

import java.util.Arrays;
import parhelion.cpu.decode.Insn;

/**
 * Copies parts of loops, which are then faster.
 *
 * <ul>
 *   <li>The bodies of loops that walk through memory are repeated, so that one check serves several
 *       rounds ({@link Groups}): with a software TLB the check is most of what such a loop costs. A
 *       body that is repeated is straight code with one way back, at its end; each copy but the
 *       last leaves the loop where the condition does not hold, and falls through to the next. A
 *       body whose few rounds are known beforehand is written that often, without branches.
 *   <li>A jump forward to the last few instructions of its loop, as one way of an if has it, is
 *       replaced by a copy of those: the round has a jump less, and the copy is counted together
 *       with what comes before it.
 * </ul>
 */
final class LoopShaper {
  private static final int MAX_COPIES = 4;

  /** Most rounds of a loop that are written one behind the other, without a way back. */
  private static final int MAX_ROUNDS = 8;

  private static final int MAX_BODY = 24;

  /** Most instructions that take the place of a jump. */
  private static final int MAX_END = 8;

  /** Longer steps have each round in a range of its own. */
  private static final int MAX_STEP = 64;

  private final Insn[] insns = new Insn[Scanner.MAX_INSTRUCTIONS];
  private final Treatment[] treatments = new Treatment[Scanner.MAX_INSTRUCTIONS];
  private final int[] offsets = new int[Scanner.MAX_INSTRUCTIONS];
  private final int[] target = new int[Scanner.MAX_INSTRUCTIONS];
  private final boolean[] inverted = new boolean[Scanner.MAX_INSTRUCTIONS];
  private final int[] goesOn = new int[Scanner.MAX_INSTRUCTIONS];

  /** Where each instruction of the run before comes to be first. */
  private final int[] place = new int[Scanner.MAX_INSTRUCTIONS + 1];

  private int count;

  /** How many instructions may still be added. */
  private int room;

  /** Shapes what loops of a run are worth it. */
  void shape(Scanner run) {
    room = Scanner.MAX_INSTRUCTIONS - run.count;
    boolean more = true;
    while (more) { // what one loop leaves in a register may tell the rounds of the next
      more = apply(run, this::straighten);
    }
    apply(run, this::copy);
  }

  /** What is done behind instruction {@code i} of a run, just appended; true if anything was. */
  private interface Step {
    boolean take(Scanner run, int i);
  }

  private boolean apply(Scanner run, Step step) {
    count = 0;
    boolean found = false;
    for (int i = 0; i < run.count; i++) {
      place[i] = count;
      append(run, i);
      found |= Scanner.isDirectBranch(run.treatments[i]) && step.take(run, i);
    }
    if (found) {
      copyTo(run);
      run.findTargets();
    }
    return found;
  }

  private boolean copy(Scanner run, int i) {
    return run.treatments[i] == Treatment.JMP ? copyEnd(run, i) : repeatBody(run, i);
  }

  /** Behind the branch {@code i} to its head. */
  private boolean repeatBody(Scanner run, int i) {
    int head = run.target[i];
    if (!isBody(run, head, i)) {
      return false;
    }
    int length = i + 1 - head;
    int copies = Math.min(MAX_COPIES, room / length + 1);
    room -= (copies - 1) * length;
    for (int copy = 1; copy < copies; copy++) {
      inverted[count - 1] = true;
      target[count - 1] = i + 1 < run.count ? i + 1 : -1;
      for (int j = head; j <= i; j++) {
        append(run, j);
      }
    }
    return copies > 1;
  }

  /** Makes all rounds of a loop one straight way, if the branch {@code end} ends one of a few. */
  private boolean straighten(Scanner run, int end) {
    int head = run.target[end];
    if (!isBody(run, head, end) || !isEnteredOnce(run, head, end)) {
      return false;
    }
    int rounds = Constants.rounds(run, head, end, MAX_ROUNDS);
    int added = (rounds - 1) * (end + 1 - head);
    if (rounds == 0 || added > room) {
      return false;
    }
    room -= added;
    for (int round = 1; ; round++) {
      treatments[count - 1] = Treatment.SKIP;
      target[count - 1] = -1;
      if (round == rounds) {
        return true;
      }
      for (int i = head; i <= end; i++) {
        append(run, i);
      }
    }
  }

  /** Whether no other branch than its last leads to the head of a loop. */
  private static boolean isEnteredOnce(Scanner run, int head, int end) {
    for (int i = 0; i < run.count; i++) {
      if (run.target[i] == head && i != end) {
        return false;
      }
    }
    return true;
  }

  /** Behind the jump {@code i}. */
  private boolean copyEnd(Scanner run, int i) {
    int from = run.target[i];
    if (from <= i) {
      return false;
    }
    int back = from;
    while (back < from + MAX_END && back < run.count && !branchesBack(run, back, i)) {
      boolean inside = run.target[back] >= from && run.target[back] <= back;
      boolean branch = run.treatments[back] == Treatment.JCC && !inside;
      if (!isPlain(run.treatments[back]) && !branch) {
        return false;
      }
      back++;
    }
    int length = back + 1 - from;
    if (length > MAX_END || back + 1 >= run.count || length > room) {
      return false;
    }
    room -= length;
    treatments[count - 1] = Treatment.SKIP;
    target[count - 1] = -1;
    for (int j = from; j <= back; j++) {
      append(run, j);
    }
    goesOn[count - 1] = back + 1;
    return true;
  }

  /** Whether {@code back} ends a loop that instruction {@code i} is in. */
  private static boolean branchesBack(Scanner run, int back, int i) {
    return run.treatments[back] == Treatment.JCC && run.target[back] >= 0 && run.target[back] <= i;
  }

  private void append(Scanner run, int i) {
    insns[count] = run.insns[i];
    treatments[count] = run.treatments[i];
    offsets[count] = run.offsets[i];
    target[count] = run.target[i];
    inverted[count] = false;
    goesOn[count] = -1;
    count++;
  }

  private void copyTo(Scanner run) {
    for (int i = 0; i < count; i++) {
      run.target[i] = target[i] < 0 ? -1 : place[target[i]];
      run.goesOn[i] = goesOn[i] < 0 ? -1 : place[goesOn[i]];
    }
    run.count = count;
    System.arraycopy(insns, 0, run.insns, 0, count);
    System.arraycopy(treatments, 0, run.treatments, 0, count);
    System.arraycopy(offsets, 0, run.offsets, 0, count);
    System.arraycopy(inverted, 0, run.inverted, 0, count);
    Arrays.fill(insns, null);
  }

  private static boolean isBody(Scanner run, int head, int end) {
    return head >= 0 && head <= end && isStraight(run, head, end) && walks(run, head, end);
  }

  /** Whether the loop is one way from its head to the conditional branch at its end. */
  private static boolean isStraight(Scanner run, int head, int end) {
    if (run.treatments[end] != Treatment.JCC || end + 1 - head > MAX_BODY) {
      return false;
    }
    for (int i = head; i <= end; i++) {
      boolean plain =
          run.treatments[i] == Treatment.JCC
              ? i == end || run.target[i] < 0 || run.target[i] > end
              : isPlain(run.treatments[i]);
      if (!plain || i > head && run.isTarget[i]) {
        return false;
      }
    }
    return true;
  }

  private static boolean isPlain(Treatment treatment) {
    return switch (treatment) {
      case EMIT, LEA, SKIP, DIVIDE -> true;
      default -> false;
    };
  }

  /** Whether an access of the loop is a constant few bytes further on in each round. */
  private static boolean walks(Scanner run, int head, int end) {
    for (int i = head; i <= end; i++) {
      Insn insn = run.insns[i];
      int step = 0;
      if (run.treatments[i] != Treatment.EMIT) {
        continue;
      } else if (Groups.isPlain(insn)) {
        step = step(run, head, end, insn.base);
      } else if (Groups.isSum(insn, run.treatments[i])
          && (insn.base == Insn.NONE || step(run, head, end, insn.base) == 0)) {
        step = step(run, head, end, insn.index) << insn.scale;
      }
      if (step != 0 && Math.abs(step) <= MAX_STEP) {
        return true;
      }
    }
    return false;
  }

  /** What a round adds to a register; more than any step where that is not a constant. */
  private static int step(Scanner run, int head, int end, int register) {
    int sum = 0;
    for (int i = head; i <= end; i++) {
      int effect = RegisterEffects.of(run.insns[i], run.treatments[i], register);
      if (effect == RegisterEffects.UNKNOWN || Math.abs(sum + effect) > MAX_STEP) {
        return MAX_STEP + 1;
      }
      sum += effect;
    }
    return sum;
  }
}
