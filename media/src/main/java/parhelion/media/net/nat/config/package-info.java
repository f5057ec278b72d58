/** What a user says of a NAT, as values and as text. */
@NullMarked
package parhelion.media.net.nat.config;

import org.jspecify.annotations.NullMarked;
