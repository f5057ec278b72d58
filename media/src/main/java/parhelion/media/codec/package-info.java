/** Decoders of compressed data that the JDK has none for, safe against whatever they are fed. */
@NullMarked
package parhelion.media.codec;

import org.jspecify.annotations.NullMarked;
