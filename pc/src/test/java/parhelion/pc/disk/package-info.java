@NullMarked
package parhelion.pc.disk;

import org.jspecify.annotations.NullMarked;
