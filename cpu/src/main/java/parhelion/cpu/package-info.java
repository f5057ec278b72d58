/**
 * The x86-64 CPU: guest memory, paging and TLB, decoder, disassembler and interpreter. It knows
 * nothing of Xen or of any platform; what it cannot do by itself it asks of its monitor.
 */
@NullMarked
package parhelion.cpu;

import org.jspecify.annotations.NullMarked;
