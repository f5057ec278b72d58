package parhelion.media.share;

/** What {@code statfs} tells of a file system; free and available blocks, files and free inodes. */
public record FileSystemStatus(
    int blockBytes, long blocks, long free, long available, long files, long freeFiles) {}
