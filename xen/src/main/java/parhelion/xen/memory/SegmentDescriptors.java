package parhelion.xen.memory;

import parhelion.abi.FlatSelectors;
import parhelion.abi.ReservedGdt;

/**
 * What a guest may have in a descriptor table: nothing that leads to a privilege above 3. A page of
 * descriptors is checked once, when it comes to be one; from then on it changes only by {@code
 * update_descriptor}.
 */
public final class SegmentDescriptors {
  private static final long P = 1L << 47;
  private static final long DPL = 3L << 45;
  private static final long S = 1L << 44;
  private static final long TYPE = 0xfL << 40;
  private static final long CALL_GATE = 0xcL << 40;

  /**
   * What {@link #checked} answers for a refused descriptor: a present system one, which no accepted
   * one is.
   */
  public static final long REFUSED = P | 1L << 40;

  private SegmentDescriptors() {}

  /**
   * The descriptor as it is to be stored, its privilege level raised to 3, or {@link #REFUSED}. A
   * call gate to a code selector of the guest's own is stored with privilege level 0, so that using
   * it faults; its own level goes into the selector.
   */
  public static long checked(long descriptor) {
    if ((descriptor & P) == 0) {
      return descriptor;
    }
    long dpl = (descriptor & DPL) >>> 45;
    if ((descriptor & S) != 0) {
      return descriptor | DPL;
    }
    if ((descriptor & TYPE) == 0) {
      return descriptor;
    }
    int selector = (int) (descriptor >>> 16) & 0xffff;
    boolean reservedBits = (descriptor & 0xffL << 32) != 0;
    if ((descriptor & TYPE) != CALL_GATE || reservedBits || !isGuestSelector(selector)) {
      return REFUSED;
    }
    long target = (selector & ~3L | dpl) << 16;
    return descriptor & ~DPL & ~0xffff0000L | target;
  }

  /** True unless the selector is in Xen's own part of the GDT. */
  private static boolean isGuestSelector(int selector) {
    return (selector & 4) != 0
        || (selector >>> 3) < ReservedGdt.ENTRY
        || selector == FlatSelectors.KERNEL_CS64;
  }
}
