/**
 * Full virtualisation: an emulated PC around the CPU, in which an unmodified operating system finds
 * the interrupt controllers, timers, buses and devices of a real machine. Nothing of Xen is in it.
 */
@NullMarked
package parhelion.pc;

import org.jspecify.annotations.NullMarked;
