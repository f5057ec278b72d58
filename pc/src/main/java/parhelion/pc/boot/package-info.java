/** Ways into a machine without firmware. */
@NullMarked
package parhelion.pc.boot;

import org.jspecify.annotations.NullMarked;
