package parhelion.toolstack.device;

import java.util.regex.Pattern;
import parhelion.toolstack.UserError;

/**
 * Names of paravirtual disks and their numbers in xenstore (Xen's docs/man/xen-vbd-interface.7):
 * xvda to xvdp have the classic numbers of major 202, those beyond the extended ones.
 */
public final class DiskName {
  private static final Pattern FORM = Pattern.compile("xvd([a-z]{1,2})");
  private static final int XVD_MAJOR = 202;
  private static final int CLASSIC_DISKS = 16;
  private static final int EXTENDED = 1 << 28;
  private static final int LETTERS = 26;

  private DiskName() {}

  /**
   * The number of a disk.
   *
   * @throws UserError if there can be none of that name
   */
  public static int number(String name) {
    var matcher = FORM.matcher(name);
    if (!matcher.matches()) {
      throw new UserError("'" + name + "' is no name of a disk: xvda, xvdb and so on are");
    }
    String letters = matcher.group(1);
    int index = letters.charAt(letters.length() - 1) - 'a';
    if (letters.length() == 2) {
      index += (letters.charAt(0) - 'a' + 1) * LETTERS;
    }
    return index < CLASSIC_DISKS ? XVD_MAJOR << 8 | index << 4 : EXTENDED | index << 8;
  }

  /** The name of disk number {@code index}, from 0. */
  public static String of(int index) {
    String last = String.valueOf((char) ('a' + index % LETTERS));
    return "xvd" + (index < LETTERS ? "" : (char) ('a' + index / LETTERS - 1)) + last;
  }
}
