/**
 * Disks and CD-ROMs of the emulated PC, and the controllers that they are plugged into: IDE with
 * bus-master DMA, and AHCI. What a drive understands ({@link parhelion.pc.disk.Drive}) is one thing
 * for both; a controller is the way in which commands and data reach it.
 *
 * <p>Sources: ATA/ATAPI-7 (T13/1532D), SFF-8020i and MMC-3 for CD-ROMs, Intel 82371SB (PIIX3),
 * Serial ATA AHCI 1.3.1.
 *
 * <p>Everything runs on the machine's thread, but for the host's input and output, which {@link
 * parhelion.pc.disk.DiskIo} has threads for.
 */
@NullMarked
package parhelion.pc.disk;

import org.jspecify.annotations.NullMarked;
