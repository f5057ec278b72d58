/**
 * A guest's life: configuration, boot, console, shutdown. {@link parhelion.toolstack.guest.PvGuest}
 * puts hypervisor, builder and backends together.
 */
@NullMarked
package parhelion.toolstack.guest;

import org.jspecify.annotations.NullMarked;
