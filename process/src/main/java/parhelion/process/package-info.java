/**
 * Partial virtualisation: a static Linux program in an address space of its own, with the system
 * calls that ordinary programs use and no kernel beneath it.
 */
@NullMarked
package parhelion.process;

import org.jspecify.annotations.NullMarked;
