/** Time and sockets: what makes the NAT's one thread run. */
@NullMarked
package parhelion.media.net.nat.loop;

import org.jspecify.annotations.NullMarked;
