package parhelion.lab.result;

import java.util.Map;

/**
 * What a guest needed of its monitor during one sample.
 *
 * @param interceptions by "cause", "cause:device" or "cause:device:register". Under full
 *     virtualisation the words are those of {@code pc.intercept}: a cause's title, a device, a
 *     register ("port write:ide0:command"). Under paravirtualisation they are the PV monitor's
 *     ("emulated page-table writes"). Keys are apart: no row is part of another
 * @param hypercalls calls by name ("mmu_update", "multicall"), those on a multicall's list too,
 *     empty where there are none; a name with a colon ("mmuext_op:MMUEXT_NEW_BASEPTR") is a
 *     sub-operation, counted beside its call
 * @param pageTableUpdates entries of page tables that the monitor wrote or checked for the guest
 * @param tlbFlushes flushes that the guest asked for or caused, of one page or of all
 * @param interrupts interrupts and events delivered
 * @param bytesCopied by devices and backends between guest memory and the host
 * @param overheadBytes memory beyond the guest's own at the end of the sample: the monitor's and
 *     devices' state, generated code
 */
public record Counts(
    Map<String, Count> interceptions,
    Map<String, Long> hypercalls,
    long pageTableUpdates,
    long tlbFlushes,
    long interrupts,
    long bytesCopied,
    long overheadBytes) {
  /** So many kinds are told apart in a sample; monitors bound theirs below that. */
  public static final int MAX_KINDS = 16384;

  public Counts {
    interceptions = Check.sorted("counts.interceptions", interceptions, MAX_KINDS);
    hypercalls = Check.sorted("counts.hypercalls", hypercalls, MAX_KINDS);
    hypercalls.forEach((name, times) -> Check.count("hypercall " + name, times));
    Check.count("counts.pageTableUpdates", pageTableUpdates);
    Check.count("counts.tlbFlushes", tlbFlushes);
    Check.count("counts.interrupts", interrupts);
    Check.count("counts.bytesCopied", bytesCopied);
    Check.count("counts.overheadBytes", overheadBytes);
  }
}
