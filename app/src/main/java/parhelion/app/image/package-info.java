/** {@code parhelion image}: what a user does with disk images when no guest runs on them. */
@NullMarked
package parhelion.app.image;

import org.jspecify.annotations.NullMarked;
