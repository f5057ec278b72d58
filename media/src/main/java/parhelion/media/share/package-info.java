/** Host directories and root file systems, served to guests. */
@NullMarked
package parhelion.media.share;

import org.jspecify.annotations.NullMarked;
