/** The interrupt controllers: 8259s, I/O APIC, local APICs, and the wires between them. */
@NullMarked
package parhelion.pc.interrupt;

import org.jspecify.annotations.NullMarked;
