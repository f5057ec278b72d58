package parhelion.pc.intercept;

import org.jspecify.annotations.Nullable;

/** Why a guest needed the machine around its processor. */
public enum Cause {
  PORT_READ("port read"),
  PORT_WRITE("port write"),
  MEMORY_READ("register read"),
  MEMORY_WRITE("register write"),
  MSR_READ("RDMSR"),
  MSR_WRITE("WRMSR"),
  CONTROL_WRITE("control register"),
  INVALIDATION("INVLPG"),
  CPUID("CPUID"),
  SYSTEM_CALL("system call"),

  /** From the kernel, by IRET, SYSRET or SYSEXIT. */
  RETURN("return"),

  /** This and the next: counted only where {@link Intercepts#countUnassisted} asks for it. */
  INTERRUPT_FLAG("interrupt flag"),

  /** What no other cause names: SWAPGS, MOV from control registers, LGDT and the like. */
  PRIVILEGED("privileged instruction"),

  /** Of {@link ShadowPaging}, as the next. */
  PAGE_TABLE_UPDATE("page-table update"),
  HIDDEN_FAULT("hidden page fault"),
  HALT("HLT"),
  HYPERCALL("hypercall"),
  INJECTION("interrupt"),
  EXCEPTION("exception");

  /** What reports call it. */
  public final String title;

  Cause(String title) {
    this.title = title;
  }

  /** The cause that reports call so, or null. */
  public static @Nullable Cause of(String title) {
    for (Cause cause : values()) {
      if (cause.title.equals(title)) {
        return cause;
      }
    }
    return null;
  }
}
