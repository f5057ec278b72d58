/** UDP of the guest, relayed to the host's sockets. */
@NullMarked
package parhelion.media.net.nat.udp;

import org.jspecify.annotations.NullMarked;
