@NullMarked
package parhelion.pc.virtio;

import org.jspecify.annotations.NullMarked;
