package parhelion.cpu.rewrite;

import parhelion.cpu.Cpu;

/**
 * What a monitor contributes to generated code: its own ways through instructions that are its own
 * to define, so that the everyday system call, and the everyday return, take no detour through
 * Java. The code is written once for a machine memory and each of the two modes; everything that
 * differs between CPUs it finds relative to GS.
 */
public interface Gates {
  /** An instruction that a gate may execute. */
  enum Gate {
    SYSCALL,

    /** With REX.W, to 64-bit mode. */
    SYSRET,

    /** IRETQ alone. */
    IRET,

    /** IN of a byte from a port that the instruction names: {@link GateCode#loadPort}. */
    IN;

    /** The bit of {@link #open}'s result. */
    public int bit() {
      return 1 << ordinal();
    }
  }

  /**
   * Writes the code that an instruction in the mode that TLB {@code tlbIndex} serves goes to; false
   * if there is none.
   */
  boolean write(GateCode code, Gate gate, int tlbIndex);

  /**
   * Called whenever generated code is about to be entered: what {@link #write} relies on goes into
   * the monitor's fields.
   *
   * @param fields host address of sixteen 8-byte fields, the first of which is {@link
   *     GateCode#FIELDS} in code
   * @return the {@link Gate#bit}s of the gates that may be used; other instructions are the
   *     interpreter's
   */
  int open(Cpu cpu, long fields);

  /**
   * Called whenever generated code was left, so that what the gates have counted in the fields is
   * taken over before anybody looks.
   *
   * @param fields as for {@link #open}
   */
  void left(long fields);

  /** The gates have changed the CPU's mode to that of TLB {@code tlbIndex}. */
  void modeChanged(Cpu cpu, int tlbIndex);
}
