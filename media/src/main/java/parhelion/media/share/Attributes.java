package parhelion.media.share;

/**
 * What {@code stat} tells of a file.
 *
 * @param inode number that no other file of the tree has
 * @param mode as in {@link FileMode}
 * @param device of a device node, as glibc's makedev packs it
 * @param sizeBytes of a file or the target of a symbolic link
 * @param blocks of 512 bytes
 */
public record Attributes(
    long inode,
    int mode,
    int uid,
    int gid,
    long links,
    long device,
    long sizeBytes,
    long blockBytes,
    long blocks,
    Time accessed,
    Time modified,
    Time changed) {
  /** A time since 1970. */
  public record Time(long seconds, int nanos) {
    /** Now, by the host's clock. */
    public static Time now() {
      java.time.Instant now = java.time.Instant.now();
      return new Time(now.getEpochSecond(), now.getNano());
    }
  }

  /** Packs a device number as glibc's makedev does, without the bits that Linux has not. */
  public static long device(long major, long minor) {
    return (major & 0xfff) << 8 | minor & 0xff | (minor & 0xfff00) << 12;
  }

  public static int major(long device) {
    return (int) (device >>> 8 & 0xfff);
  }

  public static int minor(long device) {
    return (int) (device & 0xff | device >>> 12 & 0xfff00);
  }
}
