/** x87, MMX and SSE: state, semantics, ops. */
@NullMarked
package parhelion.cpu.fpu;

import org.jspecify.annotations.NullMarked;
