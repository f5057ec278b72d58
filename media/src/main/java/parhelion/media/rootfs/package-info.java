/**
 * Root file systems that are run as they come: a directory, a tar ball, an image archive. Their
 * names are read into memory once ({@link parhelion.media.rootfs.CowTree}); their files stay where
 * they are, and what a guest writes goes to a file of its own, which is gone afterwards.
 */
@NullMarked
package parhelion.media.rootfs;

import org.jspecify.annotations.NullMarked;
