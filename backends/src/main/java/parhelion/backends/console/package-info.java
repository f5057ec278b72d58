/**
 * The console of a paravirtualised guest: two byte queues in a shared page ({@code struct
 * xencons_interface} of {@code public/io/console.h}), and what sits behind them on the host.
 *
 * <p>The protocol carries bytes and nothing else. In particular it has no window size: a host that
 * wants to pass one on writes it to the store, and a guest that cares runs {@code stty} or reads it
 * there (see {@link parhelion.backends.xenstore.DomainDirectory#consoleSize}).
 */
@NullMarked
package parhelion.backends.console;

import org.jspecify.annotations.NullMarked;
