/**
 * User-mode NAT: a network for guests that needs no right on the host but to open sockets. The
 * guest's TCP ends here and goes on by sockets of the host; so does its UDP. Read {@link
 * parhelion.media.net.nat.NatNetwork} first, then {@link parhelion.media.net.nat.NatStack};
 * docs/network.md says what a guest and a user see of it.
 *
 * <p>One thread owns all state of a NAT: there are no locks but around the queue of packets that
 * the device's thread fills.
 */
@NullMarked
package parhelion.media.net.nat;

import org.jspecify.annotations.NullMarked;
