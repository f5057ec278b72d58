/**
 * Network cards of the emulated PC.
 *
 * <p>Source: Intel PCI/PCI-X Family of Gigabit Ethernet Controllers Software Developer's Manual
 * (317453).
 */
@NullMarked
package parhelion.pc.net;

import org.jspecify.annotations.NullMarked;
