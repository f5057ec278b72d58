/**
 * The host's system calls, by the foreign function API, for all that Java itself has no API for.
 */
@NullMarked
package parhelion.host;

import org.jspecify.annotations.NullMarked;
