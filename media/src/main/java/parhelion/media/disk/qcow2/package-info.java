/**
 * QEMU's copy-on-write image format, after its specification (QEMU's docs/interop/qcow2.txt):
 * reading and writing, checking and repairing.
 */
@NullMarked
package parhelion.media.disk.qcow2;

import org.jspecify.annotations.NullMarked;
