@NullMarked
package parhelion.pc;

import org.jspecify.annotations.NullMarked;
