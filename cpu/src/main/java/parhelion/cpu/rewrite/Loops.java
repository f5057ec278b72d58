package parhelion.cpu.rewrite;

import java.util.Arrays;

/**
 * The loops of a run: from an instruction that a branch from behind leads to, up to the last such
 * branch.
 */
final class Loops {
  /** Index of the branch that ends the loop with this head; -1 where no loop begins. */
  private final int[] ends = new int[Scanner.MAX_INSTRUCTIONS];

  /** Whether a conditional branch, where it is taken, ends the innermost loop that it is in. */
  private final boolean[] leaves = new boolean[Scanner.MAX_INSTRUCTIONS];

  /** Looks at the branches of {@code run}. */
  void find(Scanner run) {
    Arrays.fill(ends, 0, run.count, -1);
    for (int i = 0; i < run.count; i++) {
      if (run.target[i] >= 0 && run.target[i] <= i) {
        ends[run.target[i]] = i;
      }
    }
    for (int i = 0; i < run.count; i++) {
      int head = i;
      while (head >= 0 && ends[head] < i) {
        head--;
      }
      leaves[i] =
          head >= 0
              && run.treatments[i] == Treatment.JCC
              && (run.target[i] < head || run.target[i] > ends[head]);
    }
  }

  boolean isHead(int i) {
    return ends[i] >= 0;
  }

  int end(int head) {
    return ends[head];
  }

  boolean isInnermost(int head) {
    for (int i = head + 1; i <= ends[head]; i++) {
      if (ends[i] >= 0) {
        return false;
      }
    }
    return true;
  }

  boolean leaves(int i) {
    return leaves[i];
  }

  /**
   * Whether a loop is entered at its head only, and consists of instructions that do not change
   * what memory accesses may do: what is checked before it holds in all of its rounds.
   */
  boolean keepsChecks(Scanner run, int head) {
    int end = ends[head];
    for (int i = head; i <= end; i++) {
      switch (run.treatments[i]) {
        case EMIT, LEA, SKIP, DIVIDE, JCC, JMP -> {}
        default -> {
          return false;
        }
      }
    }
    for (int i = 0; i < run.count; i++) {
      boolean outside = i < head || i > end;
      if (outside && (isInside(run.target[i], head, end) || isInside(run.goesOn[i], head, end))) {
        return false;
      }
    }
    return true;
  }

  /** Whether a branch leads into a loop, but not to its head from in front of it. */
  private static boolean isInside(int target, int head, int end) {
    return target > head && target <= end;
  }
}
