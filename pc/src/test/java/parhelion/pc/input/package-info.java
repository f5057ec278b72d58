@NullMarked
package parhelion.pc.input;

import org.jspecify.annotations.NullMarked;
