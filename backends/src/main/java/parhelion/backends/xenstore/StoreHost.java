package parhelion.backends.xenstore;

import org.jspecify.annotations.Nullable;
import parhelion.backends.Port;
import parhelion.backends.RingMemory;

/** What xenstored asks of the hypervisor. Called with the daemon's lock held: it must not block. */
public interface StoreHost {
  /** A host that believes every domain to exist and connects none by itself. */
  StoreHost PERMISSIVE = domid -> true;

  /** Whether there is such a domain, introduced to the store or not. */
  boolean domainExists(int domid);

  /**
   * Connects to a domain that a client of the wire protocol introduces.
   *
   * @param gfn the frame of the ring page in that domain
   * @param port the unbound event channel of that domain
   * @return null if it cannot be done
   */
  default @Nullable Link connect(int domid, long gfn, int port) {
    return null;
  }

  /** A mapped ring page and a bound event channel. */
  record Link(RingMemory memory, Port port) {}
}
