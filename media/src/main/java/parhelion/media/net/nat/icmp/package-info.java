/** Echoes and errors. */
@NullMarked
package parhelion.media.net.nat.icmp;

import org.jspecify.annotations.NullMarked;
