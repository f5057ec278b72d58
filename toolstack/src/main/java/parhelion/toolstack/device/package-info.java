/** The devices that a guest can be given, at its start or while it runs. */
@NullMarked
package parhelion.toolstack.device;

import org.jspecify.annotations.NullMarked;
