/** Machine frames, page types and direct paging (mmu_update, mmuext_op, memory_op). */
@NullMarked
package parhelion.xen.memory;

import org.jspecify.annotations.NullMarked;
