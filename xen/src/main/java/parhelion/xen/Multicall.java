package parhelion.xen;

import parhelion.abi.Errno;
import parhelion.abi.Hypercall;
import parhelion.abi.MulticallEntry;

/**
 * {@code multicall}: a list of hypercalls in guest memory, each entry's result written back into
 * it.
 */
final class Multicall {
  private static final int ENTRY_BYTES = MulticallEntry.STRUCT.size();

  private final Hypercalls hypercalls;

  /** A multicall in a multicall is EINVAL. */
  private boolean running;

  Multicall(Hypercalls hypercalls) {
    this.hypercalls = hypercalls;
  }

  /** Whether the calls that are made now are those of a list. */
  boolean isRunning() {
    return running;
  }

  long multicall(Vcpu v, long list, long count, long a3, long a4, long a5) {
    if (running) {
      throw new XenError(Errno.EINVAL);
    }
    long entries = count & 0xffff_ffffL;
    GuestAccess.checkRange(list, entries * ENTRY_BYTES);
    running = true;
    try {
      for (long i = 0; i < entries; i++) {
        if (i > 0 && v.shouldYield()) {
          throw v.continueHypercall(list + i * ENTRY_BYTES, entries - i, 0, 0, 0);
        }
        long at = list + i * ENTRY_BYTES;
        MulticallEntry e = MulticallEntry.read(v.guest().in(at, MulticallEntry.STRUCT), 0);
        long result;
        try {
          result = hypercalls.call(v, e.op(), e.arg0(), e.arg1(), e.arg2(), e.arg3(), e.arg4());
        } catch (HypercallContinuation c) {
          storeArguments(v, at);
          throw v.continueHypercall(at, entries - i, 0, 0, 0);
        }
        if (e.op() == Hypercall.IRET.nr()) {
          return result;
        }
        MulticallEntry.RESULT.put(v.guest(), at, result);
      }
      return 0;
    } finally {
      running = false;
    }
  }

  private static void storeArguments(Vcpu v, long at) {
    long first = at + MulticallEntry.ARG0.offset();
    for (int i = 0; i < 5; i++) {
      v.guest().putLong(first + i * 8L, v.continuation[i]);
    }
  }
}
