@NullMarked
package parhelion.pc.net;

import org.jspecify.annotations.NullMarked;
