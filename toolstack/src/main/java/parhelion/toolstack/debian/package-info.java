/**
 * Debian's kernels and tools, fetched with the machine's own package manager and kept unpacked in
 * the user's cache. Start at {@link parhelion.toolstack.debian.PackageCache}.
 */
@NullMarked
package parhelion.toolstack.debian;

import org.jspecify.annotations.NullMarked;
