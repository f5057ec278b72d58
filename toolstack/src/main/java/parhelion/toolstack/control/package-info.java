/**
 * Running guests by name: each has a Unix socket in a directory of the user's own, by which other
 * processes ask things of it. {@link parhelion.toolstack.control.Action} is all that can be asked.
 */
@NullMarked
package parhelion.toolstack.control;

import org.jspecify.annotations.NullMarked;
