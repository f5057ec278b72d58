/** Address spaces of guest processes. */
@NullMarked
package parhelion.process.memory;

import org.jspecify.annotations.NullMarked;
