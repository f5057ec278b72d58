package parhelion.xen;

/**
 * One hypercall: called with the caller in guest-kernel mode and its argument registers; returns
 * {@code rax} or throws {@link XenError}. A handler that has more to do than fits in one go throws
 * {@link Vcpu#continueHypercall}.
 */
@FunctionalInterface
public interface HypercallHandler {
  long call(Vcpu v, long a1, long a2, long a3, long a4, long a5);
}
