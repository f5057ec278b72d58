/** A server of TFTP, from which machines without a disk load what they start. */
@NullMarked
package parhelion.media.net.nat.tftp;

import org.jspecify.annotations.NullMarked;
