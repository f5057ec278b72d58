@NullMarked
package parhelion.pc.kvm;

import org.jspecify.annotations.NullMarked;
