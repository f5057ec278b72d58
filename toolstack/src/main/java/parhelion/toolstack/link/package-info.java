/**
 * How the backends are tied to the hypervisor: a guest's ring page as a {@link
 * parhelion.backends.RingMemory}, an event channel as a {@link parhelion.backends.Port}, and the
 * backends' work run between the scheduler's slices.
 *
 * <p>Threads: everything here is for the scheduler's thread, or for any thread while the scheduler
 * does not run, except where a method says otherwise.
 */
@NullMarked
package parhelion.toolstack.link;

import org.jspecify.annotations.NullMarked;
