/**
 * The interpreter: decoded blocks of ops and the loop that runs them. Start at {@link Interpreter}.
 */
@NullMarked
package parhelion.cpu.interp;

import org.jspecify.annotations.NullMarked;
