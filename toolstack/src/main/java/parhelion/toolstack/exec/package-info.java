/** Runs static programs under partial virtualisation: what {@code parhelion exec} does. */
@NullMarked
package parhelion.toolstack.exec;

import org.jspecify.annotations.NullMarked;
