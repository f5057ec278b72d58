package parhelion.xen;

import org.jspecify.annotations.Nullable;
import parhelion.abi.Errno;
import parhelion.abi.Hypercall;

/** The roster of hypercalls: number, name and handler in one place; anything else is ENOSYS. */
public final class Hypercalls {
  /** One row; {@code handler} is null where Xen has no such call for a paravirtual guest. */
  public record Row(Hypercall call, HypercallHandler handler) {}

  private final @Nullable Row[] rows = new Row[64];

  Hypercalls(Hypervisor h) {
    // Paging and memory (parhelion.xen.memory).
    row(Hypercall.MMU_UPDATE, h.paging()::mmuUpdate);
    row(Hypercall.MMUEXT_OP, h.paging()::mmuextOp);
    row(Hypercall.UPDATE_VA_MAPPING, h.paging()::updateVaMapping);
    row(Hypercall.UPDATE_VA_MAPPING_OTHERDOMAIN, h.paging()::updateVaMappingOtherdomain);
    row(Hypercall.MEMORY_OP, h.memoryOps()::memoryOp);
    // Grant tables (parhelion.xen.grant).
    row(Hypercall.GRANT_TABLE_OP, h.grantOps()::grantTableOp);
  }

  private void row(Hypercall call, HypercallHandler handler) {
    if (rows[call.nr()] != null) {
      throw new IllegalStateException(call.cName() + " twice");
    }
    rows[call.nr()] = new Row(call, handler);
  }

  /** The row of that number, or null. */
  public @Nullable Row row(long nr) {
    return nr >= 0 && nr < rows.length ? rows[(int) nr] : null;
  }

  /** Runs a hypercall for {@code v} and returns {@code rax}. */
  public long call(Vcpu v, long nr, long a1, long a2, long a3, long a4, long a5) {
    Row row = row(nr);
    if (row == null) {
      return Errno.ENOSYS.result();
    }
    try {
      return row.handler().call(v, a1, a2, a3, a4, a5);
    } catch (XenError e) {
      return e.result();
    }
  }
}
