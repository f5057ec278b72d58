package parhelion.toolstack.guest;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import parhelion.cpu.EngineStats;
import parhelion.pc.PcMachine;
import parhelion.pc.PcVcpu;
import parhelion.pc.intercept.Cause;
import parhelion.pc.intercept.Intercepts;
import parhelion.pc.intercept.TrapModel;
import parhelion.toolstack.EngineNotes;
import parhelion.toolstack.hvm.XenUnderPc;

/**
 * What a guest of full virtualisation asked of its machine, for {@code --stats}: interceptions by
 * cause, device and register.
 *
 * @param instructions retired, over all vcpus
 * @param runSeconds host time in which vcpus ran
 * @param blockedSeconds the rest of the machine's time
 * @param engine what executed the guest's code
 * @param trapModel the hardware whose exits are to be shown, or null
 * @param rewriter what the rewriter did; null where that is the interpreter
 * @param devices what each device of a split driver did: counts by name
 */
public record PcStats(
    long instructions,
    double runSeconds,
    double blockedSeconds,
    List<Intercepts.Row> rows,
    @Nullable TrapModel trapModel,
    String engine,
    @Nullable EngineStats rewriter,
    Map<String, Map<String, Long>> devices)
    implements Guest.Stats {
  static PcStats of(PcMachine machine, @Nullable XenUnderPc xen, @Nullable TrapModel trapModel) {
    long instructions = 0;
    for (PcVcpu vcpu : machine.vcpus()) {
      instructions += vcpu.cpu().retired;
    }
    double run = machine.runNanos() / 1e9;
    return new PcStats(
        instructions,
        run,
        Math.max(0, machine.clock().nanos() / 1e9 - run),
        xen == null ? machine.intercepts().rows() : withHypercalls(machine, xen),
        trapModel,
        machine.code().engine().label,
        machine.code().engineStats(),
        xen == null ? Map.of() : xen.services().counts());
  }

  /** Hypercalls are counted by their roster: a row for each, by sub-op where it has those. */
  private static List<Intercepts.Row> withHypercalls(PcMachine machine, XenUnderPc xen) {
    List<Intercepts.Row> rows = new ArrayList<>(machine.intercepts().rows());
    List<GuestStats.Row> calls = GuestStats.rows(xen.hypervisor().hypercalls().stats());
    for (int i = 0; i < calls.size(); i++) {
      GuestStats.Row call = calls.get(i);
      boolean hasSubOps = !call.isSubOp() && i + 1 < calls.size() && calls.get(i + 1).isSubOp();
      if (!hasSubOps) {
        rows.add(
            new Intercepts.Row(
                Cause.HYPERCALL, "xen", call.name(), call.count(), call.hostNanos()));
      }
    }
    rows.sort(Intercepts.Row.ORDER);
    return rows;
  }

  private double mips() {
    return runSeconds == 0 ? 0 : instructions / runSeconds / 1e6;
  }

  @Override
  public Map<String, Object> asMap() {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("instructions", instructions);
    map.put("runSeconds", runSeconds);
    map.put("mips", mips());
    map.put("blockedSeconds", blockedSeconds);
    List<Map<String, Object>> list = new ArrayList<>();
    for (Intercepts.Row row : rows) {
      Map<String, Object> each = new LinkedHashMap<>();
      each.put("cause", row.cause().title);
      each.put("device", row.device());
      each.put("register", row.register());
      each.put("count", row.count());
      each.put("hostNanos", row.hostNanos());
      list.add(each);
    }
    map.put("interceptions", list);
    if (trapModel != null) {
      Map<String, Object> exits = new LinkedHashMap<>();
      trapModel.count(rows).forEach((cause, count) -> exits.put(cause.title, count));
      map.put("trapModel", trapModel.label);
      map.put("exits", exits);
    }
    map.put("engine", engine);
    if (rewriter != null) {
      map.put("rewriter", rewriter);
    }
    if (!devices.isEmpty()) {
      map.put("devices", devices);
    }
    return map;
  }

  @Override
  public String asTable() {
    StringBuilder text = new StringBuilder();
    text.append(
        "%,d instructions in %.2f s of running: %.0f MIPS; %.2f s idle%n"
            .formatted(instructions, runSeconds, mips(), blockedSeconds));
    text.append("%-44s %12s %12s%n".formatted("interception", "count", "host us"));
    for (Cause cause : Cause.values()) {
      List<Intercepts.Row> of = rows.stream().filter(row -> row.cause() == cause).toList();
      if (of.isEmpty()) {
        continue;
      }
      long count = of.stream().mapToLong(Intercepts.Row::count).sum();
      long nanos = of.stream().mapToLong(Intercepts.Row::hostNanos).sum();
      line(text, cause.title, count, nanos);
      of.forEach(
          row ->
              line(text, "  " + row.device() + " " + row.register(), row.count(), row.hostNanos()));
    }
    if (trapModel != null) {
      Map<Cause, Long> exits = trapModel.count(rows);
      long all = exits.values().stream().mapToLong(Long::longValue).sum();
      text.append("%-44s %12d%n".formatted("exits of hardware: " + trapModel.label, all));
      exits.forEach(
          (cause, count) -> text.append("%-44s %12d%n".formatted("  " + cause.title, count)));
    }
    if (rewriter != null) {
      text.append(EngineNotes.table(rewriter));
    }
    text.append(GuestStats.table(devices));
    return text.toString();
  }

  private static void line(StringBuilder text, String name, long count, long nanos) {
    text.append("%-44s %12d %12d%n".formatted(name, count, nanos / 1000));
  }
}
