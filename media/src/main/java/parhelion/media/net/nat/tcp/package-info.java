/** TCP towards the guest, relayed to the host's sockets. */
@NullMarked
package parhelion.media.net.nat.tcp;

import org.jspecify.annotations.NullMarked;
