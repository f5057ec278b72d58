/**
 * The display of the emulated PC: a VGA with text and graphics modes, a linear frame buffer beyond
 * them, and pictures of what is on it.
 *
 * <p>Sources: IBM PS/2 Hardware Interface Technical Reference (Video Subsystem); Bochs VBE display
 * interface; PCI function 1234:1111 as virtual machines have it.
 */
@NullMarked
package parhelion.pc.display;

import org.jspecify.annotations.NullMarked;
