package parhelion.toolstack.guest;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import parhelion.abi.CallbackOp;
import parhelion.abi.ConsoleIoOp;
import parhelion.abi.EvtchnOp;
import parhelion.abi.GnttabOp;
import parhelion.abi.HvmOp;
import parhelion.abi.Hypercall;
import parhelion.abi.MemoryOp;
import parhelion.abi.MmuExtCmd;
import parhelion.abi.Numbered;
import parhelion.abi.PhysdevOp;
import parhelion.abi.Runstate;
import parhelion.abi.SchedOp;
import parhelion.abi.SegmentBase;
import parhelion.abi.VcpuOp;
import parhelion.abi.VmAssistCmd;
import parhelion.abi.XenVersionOp;
import parhelion.cpu.EngineStats;
import parhelion.toolstack.EngineNotes;
import parhelion.xen.Domain;
import parhelion.xen.HypercallStats;
import parhelion.xen.Hypervisor;
import parhelion.xen.TrapStats;
import parhelion.xen.Vcpu;

/**
 * What a guest asked of its hypervisor, for {@code --stats}: hypercalls and sub-ops by count and
 * host time, instructions.
 *
 * @param instructions retired, over all vcpus
 * @param runSeconds host time in which vcpus ran
 * @param blockedSeconds time in which vcpus waited for events, over all vcpus
 * @param traps what the hypervisor did for the guest beside hypercalls, by name
 * @param engine what executed the guest's code
 * @param rewriter what the rewriter did; null where that is the interpreter
 * @param devices what each device did: counts by name
 */
public record GuestStats(
    long instructions,
    double runSeconds,
    double blockedSeconds,
    List<Row> rows,
    Map<String, TrapStats.Count> traps,
    String engine,
    @Nullable EngineStats rewriter,
    Map<String, Map<String, Long>> devices)
    implements Guest.Stats {
  /**
   * One hypercall, or one sub-op of the hypercall before it; its time is in the hypercall's too.
   */
  public record Row(String name, boolean isSubOp, long count, long hostNanos) {}

  static GuestStats of(
      Hypervisor hypervisor, Domain domain, Map<String, Map<String, Long>> devices) {
    List<Row> rows = rows(hypervisor.hypercalls().stats());
    long instructions = 0;
    long runNanos = 0;
    long blockedNanos = 0;
    for (Vcpu v : domain.vcpus()) {
      instructions += v.cpu().retired;
      runNanos += v.state.runstateNanos[Runstate.RUNNING.nr()];
      blockedNanos += v.state.runstateNanos[Runstate.BLOCKED.nr()];
    }
    return new GuestStats(
        instructions,
        runNanos / 1e9,
        blockedNanos / 1e9,
        rows,
        hypervisor.trapStats().all(),
        hypervisor.code().engine().label,
        hypervisor.code().engineStats(),
        devices);
  }

  /** The hypercalls that were made, each followed by its sub-ops. */
  static List<Row> rows(HypercallStats stats) {
    List<Row> rows = new ArrayList<>();
    for (Hypercall call : Hypercall.values()) {
      int nr = call.nr();
      if (nr >= 64 || stats.count(nr) == 0) {
        continue;
      }
      rows.add(new Row(call.cName(), false, stats.count(nr), stats.hostNanos(nr)));
      for (int sub = 0; sub < 64; sub++) {
        if (stats.subOpCount(nr, sub) > 0) {
          rows.add(
              new Row(
                  subOpName(call, sub),
                  true,
                  stats.subOpCount(nr, sub),
                  stats.subOpHostNanos(nr, sub)));
        }
      }
    }
    return rows;
  }

  static String subOpName(Hypercall call, int sub) {
    @Nullable Numbered op =
        switch (call) {
          case CALLBACK_OP -> CallbackOp.of(sub);
          case CONSOLE_IO -> ConsoleIoOp.of(sub);
          case EVENT_CHANNEL_OP -> EvtchnOp.of(sub);
          case HVM_OP -> HvmOp.of(sub);
          case GRANT_TABLE_OP -> GnttabOp.of(sub);
          case MEMORY_OP -> MemoryOp.of(sub);
          case MMUEXT_OP -> MmuExtCmd.of(sub);
          case PHYSDEV_OP -> PhysdevOp.of(sub);
          case SCHED_OP -> SchedOp.of(sub);
          case SET_SEGMENT_BASE -> SegmentBase.of(sub);
          case VCPU_OP -> VcpuOp.of(sub);
          case VM_ASSIST -> VmAssistCmd.of(sub);
          case XEN_VERSION -> XenVersionOp.of(sub);
          default -> null;
        };
    return op == null ? "cmd " + sub : op.cName();
  }

  /** Millions of instructions a second of host time in which vcpus ran. */
  public double mips() {
    return runSeconds == 0 ? 0 : instructions / runSeconds / 1e6;
  }

  @Override
  public Map<String, Object> asMap() {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("instructions", instructions);
    map.put("runSeconds", runSeconds);
    map.put("mips", mips());
    map.put("blockedSeconds", blockedSeconds);
    List<Map<String, Object>> calls = new ArrayList<>();
    for (Row row : rows) {
      Map<String, Object> each = new LinkedHashMap<>();
      each.put(row.isSubOp ? "subOp" : "hypercall", row.name);
      each.put("count", row.count);
      each.put("hostNanos", row.hostNanos);
      calls.add(each);
    }
    map.put("hypercalls", calls);
    List<Map<String, Object>> entries = new ArrayList<>();
    traps.forEach(
        (name, count) -> {
          Map<String, Object> each = new LinkedHashMap<>();
          each.put("trap", name);
          each.put("count", count.count());
          each.put("hostNanos", count.hostNanos());
          entries.add(each);
        });
    map.put("traps", entries);
    map.put("engine", engine);
    if (rewriter != null) {
      map.put("rewriter", rewriter);
    }
    map.put("devices", devices);
    return map;
  }

  @Override
  public String asTable() {
    StringBuilder text = new StringBuilder();
    text.append(
        "%,d instructions in %.2f s of running: %.0f MIPS; %.2f s blocked%n"
            .formatted(instructions, runSeconds, mips(), blockedSeconds));
    text.append("%-44s %12s %12s%n".formatted("hypercall", "count", "host us"));
    for (Row row : rows) {
      text.append(
          "%-44s %12d %12d%n"
              .formatted((row.isSubOp ? "  " : "") + row.name, row.count, row.hostNanos / 1000));
    }
    text.append("%-44s %12s %12s%n".formatted("trap", "count", "host us"));
    traps.forEach(
        (name, count) ->
            text.append(
                "%-44s %12d %12d%n".formatted(name, count.count(), count.hostNanos() / 1000)));
    if (rewriter != null) {
      text.append(EngineNotes.table(rewriter));
    }
    text.append(table(devices));
    return text.toString();
  }

  /** What devices did, for people. */
  static String table(Map<String, Map<String, Long>> devices) {
    StringBuilder text = new StringBuilder();
    devices.forEach(
        (device, counts) -> {
          text.append("%-44s %12s%n".formatted(device, "count"));
          counts.forEach((name, count) -> text.append("%-44s %12d%n".formatted(name, count)));
        });
    return text.toString();
  }
}
