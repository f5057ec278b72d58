/**
 * The meeting of a device's two halves in the store: each has a directory with a {@code state} node
 * ({@code enum xenbus_state} of {@code public/io/xenbus.h}) and watches the other's.
 */
@NullMarked
package parhelion.backends.xenbus;

import org.jspecify.annotations.NullMarked;
