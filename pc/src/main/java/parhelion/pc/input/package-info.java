/**
 * Keyboard and mouse of the emulated PC, and the controller that they are plugged into.
 *
 * <p>Sources: IBM Personal System/2 Hardware Interface Technical Reference (keyboard, mouse, 8042);
 * Intel 8042AH; scan codes of sets 1 and 2.
 */
@NullMarked
package parhelion.pc.input;

import org.jspecify.annotations.NullMarked;
