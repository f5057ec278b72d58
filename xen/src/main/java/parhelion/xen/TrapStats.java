package parhelion.xen;

import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import parhelion.cpu.decode.Mnemonic;

/**
 * How often guests entered the hypervisor by other ways than hypercalls: what was emulated for
 * them, and what was delivered to their kernels. Written by the scheduler's thread; readers on
 * others see slightly old numbers.
 */
public final class TrapStats {
  private static final String[] EXCEPTIONS = {
    "#DE",
    "#DB",
    "NMI",
    "#BP",
    "#OF",
    "#BR",
    "#UD",
    "#NM",
    "#DF",
    "vector 9",
    "#TS",
    "#NP",
    "#SS",
    "#GP",
    "#PF",
    "vector 15",
    "#MF",
    "#AC",
    "#MC",
    "#XM"
  };

  private static final Mnemonic[] MNEMONICS = Mnemonic.values();

  private static final int VECTORS = 256;
  private static final int UPCALL = VECTORS;
  private static final int USER_SYSCALL = UPCALL + 1;
  private static final int PAGE_TABLE_WRITE = UPCALL + 2;
  private static final int PREFIXED_CPUID = UPCALL + 3;
  private static final int EMULATED = UPCALL + 4;

  private final long[] counts = new long[EMULATED + MNEMONICS.length];
  private final long[] nanos = new long[EMULATED + MNEMONICS.length];
  private @Nullable Listener listener;
  private final Stopwatch stopwatch;

  TrapStats(Stopwatch stopwatch) {
    this.stopwatch = stopwatch;
  }

  /**
   * Times and how long they took.
   *
   * @param hostNanos host time in the hypervisor for all of them
   */
  public record Count(long count, long hostNanos) {}

  /** Told of each entry, for traces. Called on the scheduler's thread. */
  public interface Listener {
    /** {@code what} is as in {@link #all}; RIP is where the guest goes on or was. */
    void trapped(Vcpu v, String what);
  }

  /** Tells {@code listener} of every entry, or nobody. */
  public void setListener(@Nullable Listener listener) {
    this.listener = listener;
  }

  private void add(Vcpu v, int kind, long startNanos) {
    counts[kind]++;
    nanos[kind] += stopwatch.now() - startNanos;
    Listener l = listener;
    if (l != null) {
      l.trapped(v, name(kind));
    }
  }

  boolean isListenedTo() {
    return listener != null;
  }

  /** System calls that generated code has delivered by itself; nobody has measured them. */
  void nativeSyscalls(long count) {
    counts[USER_SYSCALL] += count;
  }

  /** Instructions that generated code has emulated by itself; nobody has measured them. */
  void nativeEmulations(Mnemonic mnemonic, long count) {
    counts[EMULATED + mnemonic.ordinal()] += count;
  }

  private static String name(int kind) {
    return switch (kind) {
      case UPCALL -> "delivered event upcalls";
      case USER_SYSCALL -> "delivered system calls";
      case PAGE_TABLE_WRITE -> "emulated page-table writes";
      case PREFIXED_CPUID -> "emulated CPUID by prefix";
      default ->
          kind >= EMULATED
              ? "emulated " + MNEMONICS[kind - EMULATED]
              : "delivered " + (kind < EXCEPTIONS.length ? EXCEPTIONS[kind] : "vector " + kind);
    };
  }

  // Each is called when it is done, with the stopwatch's time of its beginning.

  void delivered(Vcpu v, int vector, long startNanos) {
    add(v, vector, startNanos);
  }

  void emulated(Vcpu v, Mnemonic mnemonic, long startNanos) {
    add(v, EMULATED + mnemonic.ordinal(), startNanos);
  }

  void upcall(Vcpu v, long startNanos) {
    add(v, UPCALL, startNanos);
  }

  void userSyscall(Vcpu v, long startNanos) {
    add(v, USER_SYSCALL, startNanos);
  }

  void pageTableWrite(Vcpu v, long startNanos) {
    add(v, PAGE_TABLE_WRITE, startNanos);
  }

  void prefixedCpuid(Vcpu v, long startNanos) {
    add(v, PREFIXED_CPUID, startNanos);
  }

  /** Traps and interrupts that the guest's kernel was given through its trap table, by vector. */
  public long deliveredCount(int vector) {
    return counts[vector];
  }

  /** Executions of a privileged instruction that were emulated. */
  public long emulatedCount(Mnemonic mnemonic) {
    return counts[EMULATED + mnemonic.ordinal()];
  }

  /** Stores to page tables that were checked and done for the guest. */
  public long pageTableWriteCount() {
    return counts[PAGE_TABLE_WRITE];
  }

  /** Event upcalls: a paravirtual guest's interrupts. */
  public long upcallCount() {
    return counts[UPCALL];
  }

  /**
   * The same for accounts of all techniques, whose names begin with a cause: {@code exception:#PF},
   * {@code emulated instruction:IN}, {@code interrupt}.
   */
  public Map<String, Count> byCause() {
    Map<String, Count> rows = new LinkedHashMap<>();
    for (int kind = 0; kind < counts.length; kind++) {
      if (counts[kind] != 0) {
        rows.put(cause(kind), new Count(counts[kind], nanos[kind]));
      }
    }
    return rows;
  }

  private static String cause(int kind) {
    return switch (kind) {
      case UPCALL -> "interrupt";
      case USER_SYSCALL -> "system call";
      case PAGE_TABLE_WRITE -> "page-table write";
      case PREFIXED_CPUID -> "CPUID";
      default ->
          kind >= EMULATED
              ? "emulated instruction:" + MNEMONICS[kind - EMULATED]
              : "exception:" + (kind < EXCEPTIONS.length ? EXCEPTIONS[kind] : "vector " + kind);
    };
  }

  /** Everything that has happened at all, by name, for reports. */
  public Map<String, Count> all() {
    Map<String, Count> rows = new LinkedHashMap<>();
    for (int kind = 0; kind < counts.length; kind++) {
      if (counts[kind] != 0) {
        rows.put(name(kind), new Count(counts[kind], nanos[kind]));
      }
    }
    return rows;
  }
}
