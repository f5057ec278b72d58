package parhelion.cpu.memory;

import jdk.internal.misc.Unsafe;

/**
 * The one door to raw host memory. Everything that touches guest memory or the off-heap CPU state
 * goes through {@link #U}; the callers' duty is to hand it only addresses that a TLB entry or a
 * checked frame address gave. See docs/decisions.
 */
public final class Host {
  public static final Unsafe U = Unsafe.getUnsafe();

  private Host() {}
}
