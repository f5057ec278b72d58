/** Networks: what a network device is plugged into, whatever device it is. */
@NullMarked
package parhelion.media.net;

import org.jspecify.annotations.NullMarked;
