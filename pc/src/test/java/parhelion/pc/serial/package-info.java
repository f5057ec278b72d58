@NullMarked
package parhelion.pc.serial;

import org.jspecify.annotations.NullMarked;
