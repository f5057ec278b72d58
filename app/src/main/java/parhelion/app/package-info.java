/**
 * The {@code parhelion} command: options, terminal, messages and exit statuses. {@link
 * parhelion.app.Main} is where a launch begins.
 */
@NullMarked
package parhelion.app;

import org.jspecify.annotations.NullMarked;
