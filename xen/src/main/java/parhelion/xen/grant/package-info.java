/** Grant tables: pages that domains lend each other. */
@NullMarked
package parhelion.xen.grant;

import org.jspecify.annotations.NullMarked;
