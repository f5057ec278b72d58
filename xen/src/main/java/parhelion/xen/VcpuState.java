package parhelion.xen;

/**
 * All that the hypervisor knows of a vcpu beside the processor's own registers ({@link
 * parhelion.cpu.CpuState}): what a save has to hold. Plain fields; only the thread that runs the
 * scheduler touches them.
 */
public final class VcpuState {
  /** Set once a context has been given (by the builder or VCPUOP_initialise). */
  public boolean initialised;

  /** Offline: not started yet, or VCPUOP_down. */
  public boolean down = true;

  /** SCHEDOP_block: waits for an event. */
  public boolean blocked;

  /** SCHEDOP_poll: the port that it waits for, -1 for any, 0 when it does not poll. */
  public int pollPort;

  /** True in guest-kernel mode, false in guest-user mode; both run at CPL 3. */
  public boolean kernelMode = true;

  /**
   * Machine addresses of the two top-level page tables; {@link #userCr3} is 0 when there is none.
   */
  public long kernelCr3;

  public long userCr3;

  /** Stack that exceptions from user mode switch to. */
  public long kernelSs;

  public long kernelSp;

  /**
   * Trap table: entry point, code selector, flags (DPL, bit 2 masks events) by vector; address 0
   * for none.
   */
  public final long[] trapAddress = new long[256];

  public final int[] trapCs = new int[256];
  public final int[] trapFlags = new int[256];

  public long eventCallback;
  public long failsafeCallback;
  public long syscallCallback;
  public long syscall32Callback;
  public boolean syscall32MasksEvents;
  public long sysenterCallback;
  public boolean sysenterMasksEvents;
  public boolean failsafeMasksEvents;
  public boolean syscallMasksEvents;

  /**
   * NMI callback of {@code nmi_op} and CALLBACKTYPE_nmi: entry 2 of the trap table is used for
   * delivery.
   */
  public boolean nmiPending;

  public boolean nmiMasked;

  /** Guest frames of the GDT, 512 descriptors each; 14 pages, then Xen's own. */
  public final long[] gdtFrames = new long[14];

  public int gdtEntries;

  public long ldtBase;
  public int ldtEntries;

  /**
   * Virtual I/O privilege level, 0..3. (The base of GS that belongs to the mode that is not running
   * is in the processor's KERNEL_GS_BASE.)
   */
  public int iopl;

  /** I/O permission bitmap in guest memory: address, and number of ports that it covers. */
  public long ioBitmapVa;

  public int ioBitmapPorts;

  /**
   * dr0..dr3, dr6, dr7 as the guest sees them are the processor's; here the guest's view of cr0 and
   * cr4.
   */
  public boolean taskSwitched;

  public long cr2;
  public long cr4;

  /**
   * Where vcpu_info is: machine address, or -1 for vcpus from 32 on that have not registered one.
   */
  public long vcpuInfoPa = -1L;

  /** True once VCPUOP_register_vcpu_info has moved it. */
  public boolean vcpuInfoMoved;

  /** Guest virtual addresses of the registered areas, 0 for none. */
  public long runstateVa;

  public long timeVa;

  /** Period of the tick, 0 for none; every vcpu starts with one of 10 ms. */
  public long periodicNanos = 10_000_000;

  /** When the running timers fire, in system time, or -1. */
  public long periodicAtNanos = -1;

  public long singleshotAtNanos = -1;
  public long pollAtNanos = -1;

  /** Current {@link parhelion.abi.Runstate} number, since when, and nanoseconds in each. */
  public int runstate = 3;

  public long runstateSinceNanos;
  public final long[] runstateNanos = new long[4];

  /** System time at which the time info was last written, or -1. */
  public long timeWrittenNanos = -1;
}
