/** The guest's IPv4 address. */
@NullMarked
package parhelion.media.net.nat.dhcp;

import org.jspecify.annotations.NullMarked;
