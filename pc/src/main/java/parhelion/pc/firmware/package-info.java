/** What firmware is told. */
@NullMarked
package parhelion.pc.firmware;

import org.jspecify.annotations.NullMarked;
