/** KVM's paravirtual interface, offered to software on the PC. */
@NullMarked
package parhelion.pc.kvm;

import org.jspecify.annotations.NullMarked;
