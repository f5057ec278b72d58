/**
 * Reads what a guest is made of: kernel images and their compression, ELF files and Xen's notes,
 * symbols, Debian packages and initramfs archives. Everything here takes files that nobody has
 * vouched for: any defect in one ends as an {@link parhelion.toolstack.image.ImageException}, in
 * bounded time and memory.
 *
 * <p>Reading order: {@link parhelion.toolstack.image.KernelImage}, {@link
 * parhelion.toolstack.image.ElfImage}, {@link parhelion.toolstack.image.XenNotes}, {@link
 * parhelion.toolstack.image.DefaultInitramfs}.
 */
@NullMarked
package parhelion.toolstack.image;

import org.jspecify.annotations.NullMarked;
