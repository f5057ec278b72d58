/** Tests of what a guest is made of, on small files that the tests make themselves. */
@NullMarked
package parhelion.toolstack.image;

import org.jspecify.annotations.NullMarked;
