/**
 * Commands and files in running Linux guests: the host's half of the steward, a small program in
 * the guest ({@code guests/steward} in the source tree) that is reached by a console of its own.
 *
 * <p>{@link parhelion.toolstack.steward.Steward} is the line to it and starts commands, {@link
 * parhelion.toolstack.steward.GuestShell} is the convenient way in. All that comes from the guest
 * is bounded and checked; a guest that breaks the protocol loses its commands and nothing else.
 */
@NullMarked
package parhelion.toolstack.steward;

import org.jspecify.annotations.NullMarked;
