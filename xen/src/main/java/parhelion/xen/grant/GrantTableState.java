package parhelion.xen.grant;

import org.jspecify.annotations.Nullable;

/**
 * All that a grant table keeps, ready to be saved. The entries themselves are in frames that the
 * guest shares; here are the frames' numbers and what must not depend on the guest.
 */
final class GrantTableState {
  /** Form of the entries: 1 or 2. */
  int version = 1;

  /** Frames with the entries, and for version 2 those with the status words. */
  long[] sharedMfns = {};

  long[] statusMfns = {};

  /** By grant reference; null where nobody has used the entry yet. */
  @Nullable ActiveGrant[] active = {};

  /** What the domain itself has mapped of others, by handle. */
  final Maptrack maptrack = new Maptrack();
}
