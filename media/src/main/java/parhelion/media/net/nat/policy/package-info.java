/** Where guests may go. */
@NullMarked
package parhelion.media.net.nat.policy;

import org.jspecify.annotations.NullMarked;
