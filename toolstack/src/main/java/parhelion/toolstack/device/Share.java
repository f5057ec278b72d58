package parhelion.toolstack.device;

import java.nio.file.Path;
import java.util.Locale;
import parhelion.media.share.Ownership;

/**
 * A host directory that a guest is to see, as the user wrote it: {@code
 * DIRECTORY:GUESTPATH[:OPTION[,OPTION]...]}.
 *
 * @param directory on the host
 * @param guestPath where the guest mounts it, absolute
 * @param owners whose the files are
 * @param cache the guest's cache mode: {@code mmap}, {@code none} or {@code loose}
 */
public record Share(
    Path directory, String guestPath, boolean readOnly, Ownership owners, String cache) {
  /** How guests of Xen's reach a share, and those on a PC. */
  public static final String XEN = "xen";

  public static final String VIRTIO = "virtio";

  /** Message size: larger ones gain nothing, and the guest's kernel must find them in one piece. */
  private static final int MESSAGE_BYTES = 256 << 10;

  /**
   * Understands the user's word.
   *
   * @throws IllegalArgumentException with a phrase that says what is wrong
   */
  public static Share parse(String text) {
    int path = text.lastIndexOf(":/");
    if (path <= 0) {
      throw new IllegalArgumentException("'" + text + "' is not DIRECTORY:/GUESTPATH[:OPTIONS]");
    }
    String directory = text.substring(0, path);
    String rest = text.substring(path + 1);
    int colon = rest.indexOf(':');
    String guestPath = colon < 0 ? rest : rest.substring(0, colon);
    if (guestPath.length() < 2 || guestPath.chars().anyMatch(c -> c < ' ')) {
      throw new IllegalArgumentException(
          "'" + guestPath + "' is no place for a directory in the guest");
    }
    boolean readOnly = false;
    Ownership owners = Ownership.USER_IS_ROOT;
    String cache = "mmap";
    if (colon >= 0) {
      for (String option : rest.substring(colon + 1).split(",", -1)) {
        switch (option.toLowerCase(Locale.ROOT)) {
          case "ro" -> readOnly = true;
          case "rw" -> readOnly = false;
          case "mapped" -> owners = Ownership.MAPPED;
          case "passthrough" -> owners = Ownership.PASSTHROUGH;
          case "cache=none", "cache=mmap", "cache=loose" -> cache = option.substring(6);
          default ->
              throw new IllegalArgumentException(
                  "'" + option + "' is not ro, rw, mapped, passthrough or cache=none|mmap|loose");
        }
      }
    }
    return new Share(Path.of(directory), guestPath, readOnly, owners, cache);
  }

  /** The line for the first process: tag, mount options, place. */
  public String mountLine(int number) {
    return mountLine(number, XEN);
  }

  /** The same by another transport, {@link #XEN} or {@link #VIRTIO}. */
  public String mountLine(int number, String transport) {
    return ShareConfig.tag(number) + ' ' + ownOptions(transport) + ' ' + guestPath;
  }

  /** Mount options in a guest of Xen's. */
  String options() {
    return ownOptions(XEN);
  }

  private String ownOptions(String transport) {
    return options(transport, (readOnly ? "ro," : "") + "cache=" + cache);
  }

  /** Mount options for 9P. */
  static String options(String transport, String more) {
    return "trans=" + transport + ",version=9p2000.L,msize=" + MESSAGE_BYTES + ',' + more;
  }
}
