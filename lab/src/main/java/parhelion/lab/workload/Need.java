package parhelion.lab.workload;

/** What a workload needs beyond a processor, memory and Linux's system calls. */
public enum Need {
  NOTHING,

  /** A kernel of its own: it is about booting one, or about what {@code exec} does not have. */
  KERNEL,

  /** {@code /bin/sh}. */
  SHELL,

  /** A shell, and whatever a user's command wants of a system. */
  COMMAND,

  /** A disk whose content may be lost. */
  DISK,

  /** A network with the lab's service. */
  NETWORK
}
