package parhelion.pc.intercept;

import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Which interceptions real hardware of a kind would take as exits to its hypervisor, so that counts
 * mean something outside of this program. What only a hypervisor without assistance has to see, or
 * one that shadows page tables, is there where it is counted ({@link Intercepts#countUnassisted});
 * PUSHF, which does not trap and shows the wrong flag, never is.
 */
public enum TrapModel {
  /**
   * A processor without assistance, as of 2003: the guest's kernel has lost its privilege, so all
   * that is privileged traps, and so do exceptions and system calls, which come to the hypervisor
   * first.
   */
  CLASSIC("classic", true, true),

  /**
   * The same processor, with the guest's kernel translated to other code instead (VMware's, 2006):
   * what is privileged is a call of the translation, CPUID too.
   */
  TRANSLATION("translation", true, true),

  /**
   * A guest kernel that knows that it runs in user mode and is entered through a switcher (PVM,
   * 2023): nothing is an exit of the processor, all that is privileged one to software, CPUID too.
   */
  PVM("pvm", true, true),

  /**
   * VT-x with shadow page tables (SDM volume 3, 26.1): the hypervisor follows CR3, INVLPG and page
   * faults; descriptor tables, system calls and most exceptions are the guest's own.
   */
  VMX("vmx", false, true),

  /**
   * VT-x with nested paging: page tables are the guest's own, registers in memory are violations.
   */
  EPT("ept", false, false);

  private static final String PAGE_FAULT = "vector 14";

  /** Its name on the command line. */
  public final String label;

  /** Whether the guest's kernel has lost its privilege. */
  private final boolean deprivileged;

  /**
   * Whether the hypervisor follows each change of the guest's page tables, as it keeps tables of
   * its own beside them ({@link ShadowPaging}).
   */
  public final boolean followsPageTables;

  TrapModel(String label, boolean deprivileged, boolean followsPageTables) {
    this.label = label;
    this.deprivileged = deprivileged;
    this.followsPageTables = followsPageTables;
  }

  /** The model of that name, or null. */
  public static @Nullable TrapModel of(String label) {
    for (TrapModel model : values()) {
      if (model.label.equals(label)) {
        return model;
      }
    }
    return null;
  }

  /** Whether such hardware exits for what a row counts. */
  public boolean exits(Intercepts.Row row) {
    return switch (row.cause()) {
      case PORT_READ, PORT_WRITE, MEMORY_READ, MEMORY_WRITE, MSR_READ, MSR_WRITE, HALT, HYPERCALL ->
          true;
      // CPUID does not trap on a processor without assistance: a hole of that architecture.
      case CPUID -> this != CLASSIC;
      case CONTROL_WRITE -> {
        if (row.register().equals("CR3")) {
          yield followsPageTables;
        }
        // CR2 is the guest's; CR8 is shadowed by the virtual APIC page.
        yield deprivileged || row.register().equals("CR0") || row.register().equals("CR4");
      }
      case INVALIDATION -> followsPageTables;
      case EXCEPTION -> deprivileged || followsPageTables && row.register().equals(PAGE_FAULT);
      case SYSTEM_CALL, RETURN -> deprivileged;
      case PRIVILEGED -> deprivileged;
      case PAGE_TABLE_UPDATE, HIDDEN_FAULT -> followsPageTables;
      // POPF does not trap, but a monitor has to see to it all the same; PVM's guest has a flag in
      // memory.
      case INTERRUPT_FLAG -> this == CLASSIC || this == TRANSLATION;
      // An injection goes with the entry that ends the exit by which the interrupt came.
      case INJECTION -> true;
    };
  }

  /** Exits by cause, of those causes that have any. */
  public Map<Cause, Long> count(List<Intercepts.Row> rows) {
    Map<Cause, Long> counts = new EnumMap<>(Cause.class);
    for (Intercepts.Row row : rows) {
      if (exits(row)) {
        counts.merge(row.cause(), row.count(), Long::sum);
      }
    }
    return counts;
  }
}
