/** What a guest's second and later consoles can be connected to on the host. */
@NullMarked
package parhelion.toolstack.console;

import org.jspecify.annotations.NullMarked;
