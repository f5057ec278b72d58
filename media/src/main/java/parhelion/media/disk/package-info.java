/** Disk images: what is behind a disk, whatever device shows it to a guest. */
@NullMarked
package parhelion.media.disk;

import org.jspecify.annotations.NullMarked;
