package parhelion.xen;

import org.jspecify.annotations.Nullable;

/**
 * How often each hypercall and sub-op was made, and the host's nanoseconds spent in it. Written by
 * the scheduler's thread; readers on other threads see slightly old numbers.
 */
public final class HypercallStats {
  /** Numbers of hypercalls are below this. */
  public static final int CALLS = 64;

  /** Sub-ops counted for each call; larger numbers share the last. */
  public static final int SUB_OPS = 64;

  private final long[] count = new long[CALLS];
  private final long[] nanos = new long[CALLS];
  private final long[] listedCount = new long[CALLS];
  private final long[] listedNanos = new long[CALLS];
  private final long[][] subOps = new long[CALLS][];
  private final long[][] subOpNanos = new long[CALLS][];

  /** Counts a call; {@code listed} is one that a multicall's list has asked for. */
  void add(int nr, long hostNanos, boolean listed) {
    count[nr]++;
    nanos[nr] += hostNanos;
    if (listed) {
      listedCount[nr]++;
      listedNanos[nr] += hostNanos;
    }
  }

  /** Calls that generated code has done by itself; nobody has measured them. */
  void addNative(int nr, long calls) {
    count[nr] += calls;
  }

  /**
   * Counts a sub-op and the host's nanoseconds spent in it; calls whose elements are sub-ops
   * (mmuext_op) count each element.
   */
  public void addSubOp(int nr, long subOp, long hostNanos) {
    if (subOps[nr] == null) {
      subOps[nr] = new long[SUB_OPS];
      subOpNanos[nr] = new long[SUB_OPS];
    }
    int at = (int) Math.min(subOp & 0xffff_ffffL, SUB_OPS - 1);
    subOps[nr][at]++;
    subOpNanos[nr][at] += hostNanos;
  }

  public long count(int nr) {
    return count[nr];
  }

  /**
   * Host nanoseconds spent in hypercall {@code nr}, the calls inside a multicall included in both.
   */
  public long hostNanos(int nr) {
    return nanos[nr];
  }

  /** Calls for which the guest entered the hypervisor: those that no multicall has made. */
  public long entries(int nr) {
    return count[nr] - listedCount[nr];
  }

  /** Host nanoseconds of {@link #entries}; a multicall's has that of its list. */
  public long entryHostNanos(int nr) {
    return nanos[nr] - listedNanos[nr];
  }

  public long subOpCount(int nr, int subOp) {
    long[] row = subOps[nr];
    return row == null ? 0 : row[subOp];
  }

  /** Host nanoseconds spent in a sub-op. */
  public long subOpHostNanos(int nr, int subOp) {
    long[] row = subOpNanos[nr];
    return row == null ? 0 : row[subOp];
  }

  /** Told of each hypercall, for traces. Called on the scheduler's thread. */
  public interface Listener {
    /** {@code result} is {@code rax}, or null if the call is to be continued. */
    void hypercall(Vcpu v, long nr, long a1, long a2, long a3, long a4, @Nullable Long result);
  }
}
