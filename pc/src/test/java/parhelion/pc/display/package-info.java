@NullMarked
package parhelion.pc.display;

import org.jspecify.annotations.NullMarked;
