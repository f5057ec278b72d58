@NullMarked
package parhelion.pc.intercept;

import org.jspecify.annotations.NullMarked;
