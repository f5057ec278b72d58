/** Tests of fetching packages, with a stand-in for apt and with the real one. */
@NullMarked
package parhelion.toolstack.debian;

import org.jspecify.annotations.NullMarked;
