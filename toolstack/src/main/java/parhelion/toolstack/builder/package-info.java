/** From a kernel, an initrd and a command line to a domain that is ready to run. */
@NullMarked
package parhelion.toolstack.builder;

import org.jspecify.annotations.NullMarked;
