/**
 * Xen's public ABI as data: constants, argument structures, shared-page layouts and the rosters of
 * hypercalls. Nothing here runs a guest; the names are those of Xen's public headers in Java's
 * case.
 */
@NullMarked
package parhelion.abi;

import org.jspecify.annotations.NullMarked;
