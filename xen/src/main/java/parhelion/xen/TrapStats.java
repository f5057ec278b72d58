package parhelion.xen;

import java.util.LinkedHashMap;
import java.util.Map;
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

  private final long[] delivered = new long[256];
  private final long[] emulated = new long[MNEMONICS.length];
  private long upcalls;
  private long userSyscalls;
  private long pageTableWrites;
  private long prefixedCpuids;

  void delivered(int vector) {
    delivered[vector]++;
  }

  void emulated(Mnemonic mnemonic) {
    emulated[mnemonic.ordinal()]++;
  }

  void upcall() {
    upcalls++;
  }

  void userSyscall() {
    userSyscalls++;
  }

  void pageTableWrite() {
    pageTableWrites++;
  }

  void prefixedCpuid() {
    prefixedCpuids++;
  }

  /** Traps and interrupts that the guest's kernel was given through its trap table, by vector. */
  public long deliveredCount(int vector) {
    return delivered[vector];
  }

  /** Executions of a privileged instruction that were emulated. */
  public long emulatedCount(Mnemonic mnemonic) {
    return emulated[mnemonic.ordinal()];
  }

  /** Stores to page tables that were checked and done for the guest. */
  public long pageTableWriteCount() {
    return pageTableWrites;
  }

  /** Everything that has happened at all, by name, for reports. */
  public Map<String, Long> all() {
    Map<String, Long> rows = new LinkedHashMap<>();
    for (int i = 0; i < delivered.length; i++) {
      put(
          rows,
          "delivered " + (i < EXCEPTIONS.length ? EXCEPTIONS[i] : "vector " + i),
          delivered[i]);
    }
    put(rows, "delivered event upcalls", upcalls);
    put(rows, "delivered system calls", userSyscalls);
    put(rows, "emulated page-table writes", pageTableWrites);
    put(rows, "emulated CPUID by prefix", prefixedCpuids);
    for (int i = 0; i < emulated.length; i++) {
      put(rows, "emulated " + MNEMONICS[i], emulated[i]);
    }
    return rows;
  }

  private static void put(Map<String, Long> rows, String name, long count) {
    if (count != 0) {
      rows.put(name, count);
    }
  }
}
