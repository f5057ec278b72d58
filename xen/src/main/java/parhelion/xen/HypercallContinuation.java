package parhelion.xen;

/**
 * Thrown by a handler that wants to be called again with the arguments in {@link Vcpu#continuation}
 * after events, timers and other vcpus have had their turn: {@code throw v.continueHypercall(...)}.
 * To the guest it looks as if the {@code syscall} instruction had not been executed yet.
 */
public final class HypercallContinuation extends RuntimeException {
  private static final long serialVersionUID = 1L;
  static final HypercallContinuation INSTANCE = new HypercallContinuation();

  private HypercallContinuation() {
    super(null, null, false, false);
  }
}
