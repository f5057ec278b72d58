package parhelion.media.share;

/** Linux's {@code st_mode}: a type and permission bits. */
public final class FileMode {
  private FileMode() {}

  public static final int TYPE = 0170000;
  public static final int SOCKET = 0140000;
  public static final int SYMLINK = 0120000;
  public static final int REGULAR = 0100000;
  public static final int BLOCK = 0060000;
  public static final int DIRECTORY = 0040000;
  public static final int CHARACTER = 0020000;
  public static final int FIFO = 0010000;

  /** Permissions with set-user-ID, set-group-ID and sticky. */
  public static final int PERMISSIONS = 07777;

  public static final int SET_USER = 04000;
  public static final int SET_GROUP = 02000;

  public static boolean isDirectory(int mode) {
    return (mode & TYPE) == DIRECTORY;
  }

  public static boolean isRegular(int mode) {
    return (mode & TYPE) == REGULAR;
  }

  public static boolean isSymlink(int mode) {
    return (mode & TYPE) == SYMLINK;
  }

  public static boolean isDevice(int mode) {
    return (mode & TYPE) == CHARACTER || (mode & TYPE) == BLOCK;
  }
}
