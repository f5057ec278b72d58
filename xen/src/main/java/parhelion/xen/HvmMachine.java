package parhelion.xen;

import parhelion.cpu.Cpu;

/**
 * The machine that a fully virtualised domain is: it has the processors, the memory and the local
 * APICs, and Xen's interface is put under it. Called on the thread that runs the machine.
 */
public interface HvmMachine {
  /** The processor of a vcpu. */
  Cpu cpu(int vcpu);

  /** The machine frame of the machine's own memory at a guest frame; -1 where there is none. */
  long memoryFrame(long gfn);

  /**
   * Shows a frame of Xen's own at a guest frame, in the place of what is there.
   *
   * @return false if the machine has no such guest frame
   */
  boolean show(long gfn, long mfn);

  /** Ends {@link #show}: what was there before is there again. */
  void hide(long gfn);

  /** Takes a frame of memory away from the machine: {@link #memoryFrame} knows it no more. */
  void withhold(long gfn);

  /** Gives such a frame back, zeroed; false if it was not withheld. */
  boolean giveBack(long gfn);

  /** The last guest frame that is memory. */
  long lastFrame();

  /** An interrupt for a vcpu's local APIC, edge-triggered. */
  void interrupt(int vcpu, int vector);

  /** The vcpu has events that it is to be told of by the callback's vector. */
  void eventsPending(int vcpu);

  /** Drives a line of the interrupt controllers; a number that there is no line of does nothing. */
  void line(int gsi, boolean raised);

  /** Drives the wire that a PCI device's pin, 0 to 3, is on; a machine without PCI has none. */
  void pciPin(int device, int pin, boolean raised);

  /** A non-maskable interrupt. */
  void nmi(int vcpu);

  /** The registers of a vcpu that is to come up have been set; it has to follow them. */
  void start(int vcpu);
}
