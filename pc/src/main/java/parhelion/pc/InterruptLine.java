package parhelion.pc;

/**
 * A wire from a device to an interrupt controller. Called on the thread that runs the machine. An
 * edge-triggered input takes note of each change from false to true.
 */
@FunctionalInterface
public interface InterruptLine {
  /** Raises the line or lowers it; raising a raised line does nothing. */
  void set(boolean raised);

  /** Raises and lowers: for what is edge-triggered. */
  default void pulse() {
    set(true);
    set(false);
  }
}
