/**
 * Grant tables: pages that domains lend each other. Read {@link parhelion.xen.grant.GrantTable}
 * first, then {@link parhelion.xen.grant.GrantEntries} (what the guest sees) and {@link
 * parhelion.xen.grant.ActiveGrant} (what we keep), then the operations: {@link
 * parhelion.xen.grant.GrantOps}, {@link parhelion.xen.grant.GrantMaps}, {@link
 * parhelion.xen.grant.GrantCopies}. Backends in Java have {@link parhelion.xen.grant.HostGrant}.
 */
@NullMarked
package parhelion.xen.grant;

import org.jspecify.annotations.NullMarked;
