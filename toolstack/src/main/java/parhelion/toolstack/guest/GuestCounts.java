package parhelion.toolstack.guest;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import parhelion.abi.Hypercall;
import parhelion.cpu.EngineStats;
import parhelion.cpu.interp.CodeCache;
import parhelion.pc.PcMachine;
import parhelion.pc.PcVcpu;
import parhelion.pc.intercept.Cause;
import parhelion.pc.intercept.Intercepts;
import parhelion.process.Stats;
import parhelion.toolstack.hvm.XenUnderPc;
import parhelion.xen.Domain;
import parhelion.xen.HypercallStats;
import parhelion.xen.Hypervisor;
import parhelion.xen.TrapStats;
import parhelion.xen.Vcpu;

/**
 * All that a guest has cost so far, in one form for every technique: two of them, taken at two
 * moments, say what lay between.
 *
 * @param instructions retired, over all processors
 * @param interceptions what the guest needed the world around its processor for, by cause, device
 *     and register, as {@code port write:com1:0x3f8} or {@code hypercall:mmu_update}; nothing is in
 *     two of them
 * @param hypercalls by name, those on a multicall's list as well as the multicall; a name with a
 *     colon is a sub-operation, and counted beside its call
 * @param pageTableUpdates entries of page tables that were changed for the guest; a guest that
 *     changes them by itself is not seen to
 * @param tlbFlushes flushes that the guest has asked for, of pages or of everything
 * @param interrupts that were delivered
 * @param bytesMoved between the guest's memory and its devices
 * @param overheadBytes host memory beyond the guest's own: tables, pages, generated code
 */
public record GuestCounts(
    long instructions,
    Map<String, Tally> interceptions,
    Map<String, Long> hypercalls,
    long pageTableUpdates,
    long tlbFlushes,
    long interrupts,
    long bytesMoved,
    long overheadBytes) {
  /** How often something was, and the host's nanoseconds for all of them where they were taken. */
  public record Tally(long times, long hostNanos) {}

  private static final String PREFIX = "__HYPERVISOR_";

  static GuestCounts of(Hypervisor hypervisor, Domain domain, long bytesMoved) {
    Map<String, Tally> interceptions = new TreeMap<>();
    Map<String, Long> hypercalls = new TreeMap<>();
    count(hypervisor.hypercalls().stats(), interceptions, hypercalls);
    TrapStats traps = hypervisor.trapStats();
    traps
        .byCause()
        .forEach(
            (cause, count) ->
                interceptions.put(cause, new Tally(count.count(), count.hostNanos())));
    long instructions = 0;
    for (Vcpu v : domain.vcpus()) {
      instructions += v.cpu().retired;
    }
    long own = domain.maxPages << 12;
    return new GuestCounts(
        instructions,
        interceptions,
        hypercalls,
        hypervisor.paging().entryUpdates(),
        hypervisor.paging().tlbFlushes(),
        traps.upcallCount(),
        bytesMoved,
        Math.max(0, hypervisor.memory().sizeBytes() - own)
            + hypervisor.frames().hostBytes()
            + codeBytes(hypervisor.code()));
  }

  /** Adds the hypercalls that were made, and the interceptions that they were. */
  private static void count(
      HypercallStats stats, Map<String, Tally> interceptions, Map<String, Long> hypercalls) {
    for (Hypercall call : Hypercall.values()) {
      int nr = call.nr();
      if (nr >= HypercallStats.CALLS || stats.count(nr) == 0) {
        continue;
      }
      String name = call.cName().replace(PREFIX, "");
      hypercalls.put(name, stats.count(nr));
      for (int sub = 0; sub < HypercallStats.SUB_OPS; sub++) {
        if (stats.subOpCount(nr, sub) > 0) {
          hypercalls.put(name + ":" + GuestStats.subOpName(call, sub), stats.subOpCount(nr, sub));
        }
      }
      if (stats.entries(nr) > 0) {
        interceptions.put(
            "hypercall:" + name, new Tally(stats.entries(nr), stats.entryHostNanos(nr)));
      }
    }
  }

  static GuestCounts of(PcMachine machine, @Nullable XenUnderPc xen) {
    Map<String, Tally> interceptions = new TreeMap<>();
    Map<String, Long> hypercalls = new TreeMap<>();
    long moved = machine.ram().movedBytes();
    if (xen != null) {
      count(xen.hypervisor().hypercalls().stats(), interceptions, hypercalls);
      moved += xen.services().movedBytes();
    }
    Intercepts intercepts = machine.intercepts();
    for (Intercepts.Row row : intercepts.rows()) {
      StringBuilder key = new StringBuilder(row.cause().title).append(':').append(row.device());
      if (!row.register().isEmpty()) {
        key.append(':').append(row.register());
      }
      interceptions.merge(
          key.toString(),
          new Tally(row.count(), row.hostNanos()),
          (a, b) -> new Tally(a.times + b.times, a.hostNanos + b.hostNanos));
    }
    long instructions = 0;
    for (PcVcpu vcpu : machine.vcpus()) {
      instructions += vcpu.cpu().retired;
    }
    return new GuestCounts(
        instructions,
        interceptions,
        hypercalls,
        0,
        intercepts.count(Cause.CONTROL_WRITE, "CR3") + intercepts.count(Cause.INVALIDATION, null),
        intercepts.count(Cause.INJECTION, null),
        moved,
        codeBytes(machine.code()));
  }

  /** Of a program that needs no kernel of its own. */
  public static GuestCounts of(Stats stats, CodeCache code) {
    Map<String, Tally> interceptions = new LinkedHashMap<>();
    for (Stats.Calls call : stats.calls()) {
      interceptions.put("system call:" + call.name(), new Tally(call.count(), call.nanos()));
    }
    if (stats.exceptions() > 0) {
      interceptions.put("exception", new Tally(stats.exceptions(), 0));
    }
    return new GuestCounts(
        stats.instructions(), interceptions, Map.of(), 0, 0, 0, 0, codeBytes(code));
  }

  private static long codeBytes(CodeCache code) {
    EngineStats engine = code.engineStats();
    return engine == null ? 0 : engine.heldBytes();
  }
}
