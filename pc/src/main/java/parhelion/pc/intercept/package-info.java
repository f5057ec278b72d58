/** The account of what a guest asked of the machine around its processor. */
@NullMarked
package parhelion.pc.intercept;

import org.jspecify.annotations.NullMarked;
