package parhelion.xen;

import org.jspecify.annotations.Nullable;

/**
 * Who runs the vcpus where that is not {@link Scheduler} itself: a machine with a loop of its own.
 * The scheduler then keeps timers and deferred work only; the machine calls {@link Scheduler#turn}
 * when {@link Scheduler#nextNanos} has come.
 */
public interface VcpuRunner {
  /** Has work run between slices. Any thread. */
  void post(Runnable work);

  /** A vcpu that waited can run. */
  void wake(Vcpu v);

  /** A vcpu waits until {@link #wake}. */
  void block(Vcpu v);

  /** {@link Scheduler#nextNanos} may be sooner than before. */
  void sooner();

  /** The vcpu that runs, or null between slices. */
  @Nullable Vcpu current();
}
