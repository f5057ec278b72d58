/** Tests that boot guests and talk to them. */
@NullMarked
package parhelion.toolstack.guest;

import org.jspecify.annotations.NullMarked;
