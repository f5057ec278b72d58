@NullMarked
package parhelion.pc.pci;

import org.jspecify.annotations.NullMarked;
