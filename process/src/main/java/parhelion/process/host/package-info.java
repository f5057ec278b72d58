/** The host's system calls, by the foreign function API. */
@NullMarked
package parhelion.process.host;

import org.jspecify.annotations.NullMarked;
