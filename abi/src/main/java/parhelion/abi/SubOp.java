package parhelion.abi;

import org.jspecify.annotations.Nullable;

/** A sub-op of a hypercall. */
public interface SubOp extends Numbered {
  /**
   * The structure that the guest's argument pointer points at (the element's, if it points at an
   * array); null where there is none or where it has no structure of its own, such as a bare
   * string.
   */
  @Nullable Struct argument();
}
