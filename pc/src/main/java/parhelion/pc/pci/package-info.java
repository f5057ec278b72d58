/**
 * The PCI bus of the emulated PC: configuration space, base addresses that move, interrupts by wire
 * and by message, and the two bridges of an i440FX board (host and ISA), which every firmware and
 * operating system for PCs knows. Read {@link parhelion.pc.pci.PciFunction} first, then {@link
 * parhelion.pc.pci.PciBus}.
 *
 * <p>Sources: PCI Local Bus Specification 3.0; Intel 82441FX (290549) and 82371SB (290550).
 * Everything runs on the machine's thread.
 */
@NullMarked
package parhelion.pc.pci;

import org.jspecify.annotations.NullMarked;
