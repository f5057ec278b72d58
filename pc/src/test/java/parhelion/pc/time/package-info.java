@NullMarked
package parhelion.pc.time;

import org.jspecify.annotations.NullMarked;
