/**
 * The host's half of block devices ({@code vbd}, Xen's {@code io/blkif.h}).
 *
 * <p>{@link parhelion.backends.block.BlockDriver} follows the device's life. Each of its rings has
 * a {@code BlockQueue}, which takes requests out of a {@code BlockRing}, checks them ({@code
 * BlockRequest}), maps what they name ({@code GrantPool}), and has a {@link
 * parhelion.media.disk.Disk} move the bytes between the host's file and the guest's own frames,
 * with no copy between ({@code BlockJob}).
 *
 * <p>Threads: all but the disk's calls is for the scheduler's thread. What may take long, a worker
 * of the device does; its end is posted to the scheduler's thread, where responses are made,
 * together for all that ended meanwhile.
 */
@NullMarked
package parhelion.backends.block;

import org.jspecify.annotations.NullMarked;
