/**
 * The other ends of the split drivers: the store, the console and, later, block and network
 * devices. They reach a guest only through grants, event channels and shared rings.
 */
@NullMarked
package parhelion.backends;

import org.jspecify.annotations.NullMarked;
