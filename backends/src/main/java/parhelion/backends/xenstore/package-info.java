/**
 * xenstored: the tree of small values through which the toolstack, the backends and the guests find
 * each other.
 *
 * <p>The protocol is Xen's {@code docs/misc/xenstore.txt}, {@code docs/misc/xenstore-ring.txt} and
 * {@code public/io/xs_wire.h}; where those are silent, the behaviour of Xen's C daemon.
 *
 * <p>Reading order: {@link parhelion.backends.xenstore.StoreNode} (an immutable node), {@link
 * parhelion.backends.xenstore.StoreTree} (the tree and who pays for it), {@link
 * parhelion.backends.xenstore.StoreTransaction}, {@link parhelion.backends.xenstore.StoreOps} (what
 * the operations mean), {@link parhelion.backends.xenstore.XsOp} (the roster of requests), {@link
 * parhelion.backends.xenstore.XenstoreRing} (a guest's connection), {@link
 * parhelion.backends.xenstore.XenstoreDaemon} (all of it together) and {@link
 * parhelion.backends.xenstore.XenstoreClient} (how Java code uses it as dom0).
 *
 * <p>Where it differs from Xen's C daemon: a transaction sees the store as it was at its start (as
 * the protocol says) instead of as each node was when first looked at; there is no write rate limit
 * and no time-out for events that a guest does not take (they are dropped once it is over its
 * memory quota); a quota of N allows N; permissions name domains in plain decimal only; soft quotas
 * do not exist; CONTROL knows {@code check} and {@code help}; ring reconnection is offered, as by
 * Xen's OCaml daemon.
 *
 * <p>Locks: one, the daemon's. It guards the tree, the watches and the connections' queues. It is
 * never held while a guest is notified or a watch callback runs, so code that holds the
 * hypervisor's locks may call into this package.
 */
@NullMarked
package parhelion.backends.xenstore;

import org.jspecify.annotations.NullMarked;
