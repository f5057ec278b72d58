/**
 * Network devices: the backend's half of Xen's {@code vif} ({@code io/netif.h}). {@link
 * parhelion.backends.net.VifDriver} is the device's life, {@link parhelion.backends.net.Vif} what
 * runs while it is connected, one {@link parhelion.backends.net.TxRing} and {@link
 * parhelion.backends.net.RxRing} for each of its queues.
 *
 * <p>Threads: rings are touched by the scheduler's thread alone. Packets for the guest arrive by
 * any thread and wait in the receive ring's bounded queue.
 */
@NullMarked
package parhelion.backends.net;

import org.jspecify.annotations.NullMarked;
