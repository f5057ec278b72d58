/** The tie between Xen's hypervisor and the emulated PC: fully virtualised domains. */
@NullMarked
package parhelion.toolstack.hvm;

import org.jspecify.annotations.NullMarked;
