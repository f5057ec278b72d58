/** Numbers, addresses and checksums as they stand in packets. */
@NullMarked
package parhelion.media.net.nat.wire;

import org.jspecify.annotations.NullMarked;
