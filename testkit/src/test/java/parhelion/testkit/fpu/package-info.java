/** x87, MMX and SSE compared with the host's processor, instruction by instruction. */
@NullMarked
package parhelion.testkit.fpu;

import org.jspecify.annotations.NullMarked;
