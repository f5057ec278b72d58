@NullMarked
package parhelion.pc.firmware;

import org.jspecify.annotations.NullMarked;
