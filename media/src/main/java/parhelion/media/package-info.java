/**
 * What is behind a guest's devices, whatever kind of device shows it: disk images, networks,
 * directories and root file systems of the host. Nothing here knows of Xen or of a PC.
 */
@NullMarked
package parhelion.media;

import org.jspecify.annotations.NullMarked;
