/**
 * Machine frames, page types and direct paging: the rules that isolate domains from each other.
 *
 * <p>Read {@link parhelion.xen.memory.FrameTable} (who owns a frame, and until when), {@code
 * PageTypes} (what it may be used as), {@link parhelion.xen.memory.Paging} and {@code MmuExtOps}
 * (the hypercalls), {@link parhelion.xen.memory.MemoryOps} (a domain's memory grows and shrinks),
 * in that order. {@link parhelion.xen.memory.Auditor} counts everything again from scratch; {@link
 * parhelion.xen.memory.GrantMappings} is the door for the grant tables.
 *
 * <p>One thread, the scheduler's; only the processors' page walks set accessed and dirty bits
 * meanwhile.
 */
@NullMarked
package parhelion.xen.memory;

import org.jspecify.annotations.NullMarked;
