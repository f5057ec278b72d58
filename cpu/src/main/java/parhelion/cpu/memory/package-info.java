/** Machine memory and the door to raw host memory. */
@NullMarked
package parhelion.cpu.memory;

import org.jspecify.annotations.NullMarked;
