package parhelion.cpu.rewrite;

import parhelion.cpu.Cpu;

/**
 * What a monitor contributes to generated code: its own way through SYSCALL, so that the everyday
 * system call, and the everyday return from one, take no detour through Java. The code is written
 * once for a machine memory and each of the two modes; everything that differs between CPUs it
 * finds relative to GS.
 */
public interface SyscallGates {
  /** Writes the code that a SYSCALL of the mode that TLB {@code tlbIndex} serves goes to. */
  void write(GateCode code, int tlbIndex);

  /**
   * Called whenever generated code is about to be entered: what {@link #write} relies on goes into
   * the monitor's fields.
   *
   * @param fields host address of sixteen 8-byte fields, the first of which is {@link
   *     GateCode#FIELDS} in code
   * @return whether the gates may be used; otherwise each SYSCALL is the interpreter's
   */
  boolean open(long fields);

  /** The gates have changed the CPU's mode to that of TLB {@code tlbIndex}. */
  void modeChanged(Cpu cpu, int tlbIndex);
}
