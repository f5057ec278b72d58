package parhelion.process.file;

/** What stat tells of a file. Times in nanoseconds since 1970. */
public record FileStat(
    long device,
    long inode,
    int mode,
    long links,
    int uid,
    int gid,
    long specialDevice,
    long sizeBytes,
    int blockBytes,
    long blocks512,
    long accessNanos,
    long modifyNanos,
    long changeNanos) {
  public static final int S_IFMT = 0xf000;
  public static final int S_IFIFO = 0x1000;
  public static final int S_IFCHR = 0x2000;
  public static final int S_IFDIR = 0x4000;
  public static final int S_IFBLK = 0x6000;
  public static final int S_IFREG = 0x8000;
  public static final int S_IFLNK = 0xa000;
  public static final int S_IFSOCK = 0xc000;

  /** Of something that is on no disk. */
  public static FileStat synthetic(int mode, long inode, long sizeBytes, long specialDevice) {
    long now = System.currentTimeMillis() * 1_000_000;
    return new FileStat(5, inode, mode, 1, 0, 0, specialDevice, sizeBytes, 4096, 0, now, now, now);
  }

  public int type() {
    return mode & S_IFMT;
  }

  public boolean isDirectory() {
    return type() == S_IFDIR;
  }

  public boolean isSymlink() {
    return type() == S_IFLNK;
  }

  public boolean isRegular() {
    return type() == S_IFREG;
  }

  /** The type as directory entries have it (DT_). */
  public int directoryType() {
    return type() >>> 12;
  }
}
