@NullMarked
package parhelion.pc.interrupt;

import org.jspecify.annotations.NullMarked;
