/** Tests that boot guests and talk to them. */
@NullMarked
package parhelion.toolstack.hvm;

import org.jspecify.annotations.NullMarked;
