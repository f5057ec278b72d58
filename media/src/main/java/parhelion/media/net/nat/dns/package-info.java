/** Names: the forwarder of the guest's queries. */
@NullMarked
package parhelion.media.net.nat.dns;

import org.jspecify.annotations.NullMarked;
