/**
 * The hypervisor: domains, virtual CPUs, hypercalls, event channels, grant tables, direct paging,
 * traps and time, answered the way Xen answers a 64-bit paravirtual guest.
 */
@NullMarked
package parhelion.xen;

import org.jspecify.annotations.NullMarked;
