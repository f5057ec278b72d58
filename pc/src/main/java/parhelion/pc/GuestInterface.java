package parhelion.pc;

/**
 * The paravirtual interface that a hypervisor offers to software on a PC, beside the hardware:
 * CPUID leaves from 0x40000000, model-specific registers, calls, and interrupts that no controller
 * raises. All on the thread that runs the machine.
 */
public interface GuestInterface {
  /** Bare hardware. */
  GuestInterface NONE =
      new GuestInterface() {
        @Override
        public boolean isOffered() {
          return false;
        }
      };

  /** Where CPUID leaves of hypervisors begin, and how many there may be. */
  int FIRST_LEAF = 0x4000_0000;

  int LEAVES = 0x1_0000;

  /** Whether CPUID says that there is a hypervisor. */
  default boolean isOffered() {
    return true;
  }

  /** EAX, EBX, ECX, EDX of one of its leaves; those that it does not know are zero. */
  default void cpuid(PcVcpu vcpu, int leaf, int subleaf, int[] registers) {}

  /** Whether a model-specific register is its own. */
  default boolean hasMsr(int msr) {
    return false;
  }

  /** Reads such a register. */
  default long rdmsr(PcVcpu vcpu, int msr) {
    return 0;
  }

  /** Writes one; false for #GP. */
  default boolean wrmsr(PcVcpu vcpu, int msr, long value) {
    return false;
  }

  /**
   * VMCALL or VMMCALL, at any privilege level, with RIP at it.
   *
   * @param length of the instruction, for moving RIP on
   * @return false for #UD
   */
  default boolean call(PcVcpu vcpu, int length) {
    return false;
  }

  /** The vector with which a processor is to be interrupted once IF is set; -1 for none. */
  default int waitingVector(PcVcpu vcpu) {
    return -1;
  }

  /**
   * Looks whether software has ended an interrupt without the local APIC's register, or has seen
   * what an interrupt line of the interface's tells of.
   */
  default void noticeEnds(PcVcpu vcpu) {}

  /**
   * A level-triggered interrupt ends: lines of the interface's that ask no more are lowered now.
   */
  default void levelEnds() {}

  /** The local APIC's interrupt has been delivered. */
  default void delivered(PcVcpu vcpu) {}

  /** Software has switched a processor's local APIC on. */
  default void apicEnabled(PcVcpu vcpu) {}

  /** A processor is about to run a slice. */
  default void entering(PcVcpu vcpu) {}

  /** It has stopped running. */
  default void left(PcVcpu vcpu) {}

  /** HLT; a processor that masks interrupts will not come back. */
  default void halted(PcVcpu vcpu) {}

  /** No processor can run: does what waited for that; whether there was something. */
  default boolean idle() {
    return false;
  }
}
