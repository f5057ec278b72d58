/**
 * What every backend shares: the narrow view of the hypervisor that a backend needs (a page shared
 * with a guest, an event channel) and the way its work is run (an {@link parhelion.backends.Agent},
 * on a thread of its own or by the caller).
 *
 * <p>The interfaces are written from the backends' side: the hypervisor adapts to them, and a
 * backend can be tested without one.
 *
 * <p>Threads: an agent's {@code runPending} is the only place where rings are read and written and
 * where guests are notified. {@code signal} methods only note that there is work, so the hypervisor
 * may call them from any thread and under any lock.
 */
@NullMarked
package parhelion.backends;

import org.jspecify.annotations.NullMarked;
