package parhelion.media.share;

import org.jspecify.annotations.Nullable;
import parhelion.media.share.Attributes.Time;

/**
 * Attributes to set; null leaves one as it is.
 *
 * @param mode permission bits; a type in it is ignored
 */
public record AttributeChange(
    @Nullable Integer mode,
    @Nullable Integer uid,
    @Nullable Integer gid,
    @Nullable Long sizeBytes,
    @Nullable Time accessed,
    @Nullable Time modified) {}
