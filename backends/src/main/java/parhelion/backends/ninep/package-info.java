/**
 * Shared directories by Xen's 9pfs transport ({@code io/9pfs.h}): 9P messages over rings of granted
 * pages. What the messages mean is {@link parhelion.media.share}'s business.
 *
 * <p>Threads: the scheduler's thread moves messages between rings and server; the server's own
 * threads do the work.
 */
@NullMarked
package parhelion.backends.ninep;

import org.jspecify.annotations.NullMarked;
