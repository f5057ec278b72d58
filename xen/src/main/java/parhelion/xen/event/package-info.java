/** Event channels in both ABIs: ports, pending and masked bits, upcalls, virtual interrupts. */
@NullMarked
package parhelion.xen.event;

import org.jspecify.annotations.NullMarked;
