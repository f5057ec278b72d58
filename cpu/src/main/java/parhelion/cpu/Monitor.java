package parhelion.cpu;

import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;
import parhelion.cpu.decode.Insn;
import parhelion.cpu.decode.Mnemonic;
import parhelion.cpu.rewrite.Gates;
import parhelion.cpu.rewrite.HostTsc;

/**
 * Who answers for all that the CPU cannot do by itself. Which monitor answers IS the virtualisation
 * technique: Xen's hypercalls (paravirtualisation), an emulated PC (full virtualisation) or a
 * process's system calls (partial virtualisation). The CPU knows none of them.
 *
 * <p>All methods are called on the thread that runs the CPU, between instructions or inside one, as
 * each says. "Inside" means: the instruction can still fault ({@link Cpu#fault}) and RIP is that of
 * the instruction's block; "after" means: RIP is that of the next instruction and the method may
 * change any register.
 */
public interface Monitor {
  /**
   * Translates the page of {@code va} for an access by {@code cpu} in its current mode (inside):
   * READ, WRITE or EXECUTE; for the processor's own accesses to descriptor tables and task-state
   * segments at CPL 3, READ or WRITE with {@link Access#IMPLICIT}. Returns the page's machine
   * address with {@link Access} bits, or {@link Access#pageFault}, or throws another fault. The
   * default walks the guest's page tables as they stand.
   */
  default long translate(Cpu cpu, long va, int access) {
    return PageWalker.translate(cpu, va, access);
  }

  /**
   * Machine address of the four-level page tables by which generated code may translate accesses of
   * the current mode by itself, with write protection, no-execute and, as CR4 says, SMAP; -1 where
   * all translations are the monitor's. What the walk does not find plain, or of memory that is
   * special, still comes to {@link #translate}.
   */
  default long walkRoot(Cpu cpu) {
    return -1;
  }

  /**
   * Whether code at {@code va} can be written by the mode that runs it. Generated code keeps flags
   * more carefully there; see docs/quirks.md.
   */
  default boolean mayModifyItself(Cpu cpu, long va) {
    return PageWalker.isWritable(cpu, cpu.get64(CpuState.CR3), va);
  }

  /**
   * A range that is not in the guest's page tables: addresses from {@code start}, a multiple of
   * 2^43, to {@code start + 2^43} are the monitor's, and the first {@code bytes} of it can be read
   * at machine address {@code pa}.
   */
  record ReadWindow(long start, long bytes, long pa) {}

  /** The range that {@link #walkRoot}'s tables do not serve, if there is one. */
  default @Nullable ReadWindow readWindow() {
    return null;
  }

  /**
   * Which of the CPU's two TLBs serves its current mode. The default keeps supervisor (0) and user
   * mode (1) apart; a monitor with a page-table base for each of its guest's modes chooses by
   * those.
   */
  default int tlbIndex(Cpu cpu) {
    return cpu.cpl() == 3 ? 1 : 0;
  }

  /**
   * Whether TLB 0 is a supervisor's, and all that a supervisor may access: then what the processor
   * accesses by implication at CPL 3 is found and kept there. A monitor with a {@link #tlbIndex} of
   * its own says no.
   */
  default boolean tlbsFollowPrivilege() {
    return true;
  }

  /**
   * A load of 1, 2, 4 or 8 bytes from a page whose translation said HOOKED (inside); absent memory
   * reads as ones.
   */
  default long load(Cpu cpu, long va, long pa, int size) {
    return -1L;
  }

  /** A store of 1, 2, 4 or 8 bytes to such a page (inside). */
  default void store(Cpu cpu, long va, long pa, int size, long value) {}

  /**
   * An exception with RIP at the faulting instruction (for traps: at the next one) and nothing of
   * it committed. The default delivers it through the guest's own descriptor tables.
   */
  default void exception(Cpu cpu, int vector, int errorCode, long cr2) {
    Exceptions.deliver(cpu, vector, errorCode, cr2);
  }

  /** INT n, INT3, INTO (after; {@code insnLength} bytes back is the instruction itself). */
  default void softwareInterrupt(Cpu cpu, int vector, int insnLength) {
    Exceptions.softwareInterrupt(cpu, vector, insnLength);
  }

  /** SYSCALL (after). */
  default void syscall(Cpu cpu) {
    SystemCalls.syscall(cpu);
  }

  /**
   * Code of the monitor's own for some instructions, for engines that generate code; null if there
   * is none.
   */
  default @Nullable Gates gates() {
    return null;
  }

  /** SYSENTER (after). */
  default void sysenter(Cpu cpu) {
    SystemCalls.sysenter(cpu);
  }

  /**
   * An instruction was executed by the interpreter at a level that may, to which a processor
   * without assistance would want its hypervisor: nothing is to be done. Those are CLI, STI, POPF,
   * SWAPGS, IRET, SYSRET, SYSEXIT, LGDT, LIDT, LLDT, LTR, INVD, WBINVD, and MOV from control
   * registers and to and from debug registers; what has a method of its own here is not among them.
   * Generated code executes some by itself where {@link #showsInterrupts}, and those of {@link
   * #gates}.
   */
  default void sensitive(Cpu cpu, Mnemonic by) {}

  /**
   * A privileged or IOPL-sensitive instruction that the current privilege level does not allow
   * (inside; RIP has been set to the instruction). Return true when it has been emulated, registers
   * included and RIP moved on; false for #GP(0).
   */
  default boolean privileged(Cpu cpu, Insn insn) {
    return false;
  }

  /**
   * UD2 or an undefined encoding (RIP at it). Return true when emulated and RIP moved on; false for
   * #UD.
   */
  default boolean undefined(Cpu cpu) {
    return false;
  }

  /** Input from port; size 1, 2 or 4 (inside). Ports that nobody owns read as all ones. */
  default int in(Cpu cpu, int port, int size) {
    return -1;
  }

  /** Output to port (inside). */
  default void out(Cpu cpu, int port, int size, int value) {}

  /** CPUID: fills EAX..EDX (after). */
  default void cpuid(Cpu cpu) {
    int leaf = (int) cpu.get64(CpuState.RAX);
    int[] r = Cpuid.query(cpu, leaf, (int) cpu.get64(CpuState.RCX));
    cpu.put32(CpuState.RAX, r[0]);
    cpu.put32(CpuState.RBX, r[1]);
    cpu.put32(CpuState.RCX, r[2]);
    cpu.put32(CpuState.RDX, r[3]);
  }

  /** RDMSR of a register that the CPU itself does not hold; default #GP(0) (inside). */
  default long rdmsr(Cpu cpu, int msr) {
    throw cpu.fault(GuestFault.GP, 0);
  }

  /** WRMSR likewise. */
  default void wrmsr(Cpu cpu, int msr, long value) {
    throw cpu.fault(GuestFault.GP, 0);
  }

  /**
   * WRMSR of IA32_APIC_BASE, whose reserved bits have been checked (inside): puts what is to be
   * read back into the state block. The default knows no x2APIC mode.
   */
  default void apicBase(Cpu cpu, long value) {
    if ((value & 0x400) != 0) {
      throw cpu.fault(GuestFault.GP, 0);
    }
    cpu.put64(CpuState.APIC_BASE, value);
  }

  /** A control register was written at CPL 0 (inside, and done): 0, 2, 3, 4 or 8. */
  default void controlWritten(Cpu cpu, int register) {}

  /** INVLPG or INVPCID at CPL 0 (inside, and done). */
  default void pageInvalidated(Cpu cpu, long va) {}

  /** Time-stamp counter. */
  default long tsc(Cpu cpu) {
    return System.nanoTime();
  }

  /**
   * What generated code, where it reads the guest's time-stamp counter by itself, adds to the
   * nanoseconds of {@link HostTsc}; empty if only {@link #tsc} knows.
   */
  default OptionalLong hostTscOffset() {
    return OptionalLong.empty();
  }

  /** 64 bits for RDRAND and RDSEED; the default asks the host. */
  default long random(Cpu cpu) {
    return HostEntropy.SOURCE.nextLong();
  }

  /** A triple fault: the processor is in shutdown. The default stops it for good. */
  default void shutdown(Cpu cpu) {
    cpu.stop();
  }

  /**
   * PAUSE (after): a loop waits for another processor. Generated code tells only of those at CPL 0,
   * and only monitors that {@link #showsInterrupts}.
   */
  default void pause(Cpu cpu) {}

  /** HLT at CPL 0 (after). */
  default void halt(Cpu cpu) {
    cpu.stop();
  }

  /**
   * Whether {@link CpuState#INTERRUPT_WAITS} always tells if something is to be attended to once IF
   * is set: then generated code at CPL 0 sets and clears IF by itself.
   */
  default boolean showsInterrupts() {
    return false;
  }

  /**
   * Called between instructions while {@link Cpu#requestAttention} is pending: deliver interrupts,
   * or {@link Cpu#stop}. The request has been cleared before the call. Also called after the guest
   * has set IF, as an interrupt may have waited for that, so a call need not mean that there is
   * something to do.
   */
  default void attend(Cpu cpu) {}
}
