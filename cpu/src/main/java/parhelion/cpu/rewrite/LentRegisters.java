package parhelion.cpu.rewrite;

import static parhelion.cpu.rewrite.Routines.HOST;

import parhelion.cpu.decode.Insn;

/**
 * Host registers that hold addends of {@link Groups} while a loop runs that does not name the
 * guest's registers which they otherwise are: those stay in the state block meanwhile. Without them
 * each access loads its addend, and so many loads fill the host's queue that it cannot look ahead
 * to the next rounds.
 */
final class LentRegisters {
  /** Guest registers that no instruction uses without naming them. */
  private static final int[] GUESTS = {15, 14, 13, 12};

  /** Different addresses of a loop that are looked at. */
  private static final int MAX_ADDRESSES = 16;

  private final int[] addresses = new int[MAX_ADDRESSES];
  private final int[] uses = new int[MAX_ADDRESSES];
  private int found;

  private final int[] lentTo = new int[GUESTS.length];
  private final int[] lent = new int[GUESTS.length];
  private int count;

  /** A bit for each guest register that is lent; 0 outside of such loops. */
  int mask;

  /** The loop. */
  private int head;

  private int end;

  void clear() {
    count = 0;
    mask = 0;
  }

  /**
   * Lends what a loop can do without to the addresses that it uses most, if there are several, or
   * to one by a register of {@code kept}, a bit each, whose check is in front of the loop.
   */
  void lend(Scanner run, int head, int end, int kept) {
    clear();
    this.head = head;
    this.end = end;
    found = 0;
    int free = -1;
    for (int i = head; i <= end; i++) {
      free &= ~named(run.insns[i]);
      if (run.treatments[i] == Treatment.EMIT) {
        use(run, i);
      }
    }
    if (found < 2 && kept == 0) {
      return; // a check leaves the addend of one in a scratch register
    }
    for (int k = 0; k < found; k++) {
      int base = (addresses[k] & 0xff) - 1;
      if (addresses[k] == key(base, Insn.NONE, 0) && (kept >>> base & 1) != 0) {
        uses[k]++;
      }
    }
    for (int guest : GUESTS) {
      int most = mostUsed();
      if ((free >>> guest & 1) != 0 && most >= 0) {
        lentTo[count] = addresses[most];
        lent[count++] = guest;
        mask |= 1 << guest;
        uses[most] = 0;
      }
    }
  }

  private void use(Scanner run, int i) {
    Insn insn = run.insns[i];
    boolean plain = Groups.isPlain(insn) || Groups.isPlainBy(run.knownIndex[i], insn);
    if (!plain && !Groups.isSum(insn, Treatment.EMIT)) {
      return;
    }
    int address = plain ? key(insn.base, Insn.NONE, 0) : key(insn.base, insn.index, insn.scale);
    for (int k = 0; k < found; k++) {
      if (addresses[k] == address) {
        uses[k]++;
        return;
      }
    }
    if (found < MAX_ADDRESSES) {
      addresses[found] = address;
      uses[found++] = 1;
    }
  }

  private int mostUsed() {
    int most = -1;
    for (int k = 0; k < found; k++) {
      if (uses[k] > 1 && (most < 0 || uses[k] > uses[most])) {
        most = k;
      }
    }
    return most;
  }

  /** Registers that an instruction may name, a bit each; some of them may be vector registers. */
  private static int named(Insn insn) {
    return bit(insn.reg)
        | bit(insn.rm)
        | bit(insn.base)
        | bit(insn.index)
        | bit(insn.opcodeReg)
        | bit(insn.vvvv);
  }

  private static int bit(int register) {
    return register < 0 ? 0 : 1 << register;
  }

  private static int key(int base, int index, int scale) {
    return base + 1 | index + 1 << 8 | scale << 16;
  }

  /** The host register for the addend of an address, or -1. */
  int host(int base, int index, int scale) {
    for (int k = 0; k < count; k++) {
      if (lentTo[k] == key(base, index, scale)) {
        return HOST[lent[k]];
      }
    }
    return -1;
  }

  /**
   * Whether control leaves the loop where it goes to an instruction of the run, or out of it (-1).
   */
  boolean endsAt(int target) {
    return mask != 0 && (target < head || target > end);
  }
}
