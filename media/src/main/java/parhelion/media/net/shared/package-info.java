/**
 * A switch that several processes of one user share, by a Unix domain socket: the first one has the
 * switch in it, the others connect. Read {@link parhelion.media.net.shared.SharedSwitch} first.
 */
@NullMarked
package parhelion.media.net.shared;

import org.jspecify.annotations.NullMarked;
