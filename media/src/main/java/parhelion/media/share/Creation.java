package parhelion.media.share;

/**
 * What a new file is to be.
 *
 * @param mode its permission bits, and for nodes its type
 */
public record Creation(int mode, int uid, int gid) {}
