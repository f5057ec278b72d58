package parhelion.backends.xenstore;

import parhelion.abi.XenstoreWire;

/** The grammar of paths: what may be in one, what is whose parent. */
final class StorePath {
  private StorePath() {}

  static final String ROOT = "/";
  static final String INTRODUCE_DOMAIN = "@introduceDomain";
  static final String RELEASE_DOMAIN = "@releaseDomain";

  /** {@code /local/domain/N}. */
  static String ofDomain(int domid) {
    return "/local/domain/" + domid;
  }

  static boolean isSpecial(String path) {
    return path.startsWith("@");
  }

  static boolean isRelative(String path) {
    return !path.startsWith(ROOT) && !isSpecial(path);
  }

  /**
   * The absolute form of what a client sent, or EINVAL.
   *
   * @param base what a relative path is relative to
   * @param special whether {@code @introduceDomain} and the like are welcome
   * @param maxLength the caller's limit in chars, not counting a leading /local/domain/N/
   */
  static String canonical(String path, String base, boolean special, int maxLength) {
    boolean relative = isRelative(path);
    String absolute = relative ? base + '/' + path : path;
    if ((isSpecial(path) && !special)
        || !legalCharacters(path)
        || absolute.length() > XenstoreWire.ABS_PATH_MAX
        || (relative && path.length() > XenstoreWire.REL_PATH_MAX)
        || (absolute.endsWith("/") && !absolute.equals(ROOT))
        || absolute.contains("//")
        || absolute.length() - domainPrefixLength(absolute) > maxLength) {
      throw new XsException(XsErrno.EINVAL, "path \"" + path + "\"");
    }
    return absolute;
  }

  private static boolean legalCharacters(String path) {
    for (int i = 0; i < path.length(); i++) {
      char c = path.charAt(i);
      boolean legal =
          (c >= 'a' && c <= 'z')
              || (c >= 'A' && c <= 'Z')
              || (c >= '0' && c <= '9')
              || c == '-'
              || c == '/'
              || c == '_'
              || c == '@';
      if (!legal) {
        return false;
      }
    }
    return true;
  }

  /** The length of a leading {@code /local/domain/<digits>/}, which the path quota leaves out. */
  private static int domainPrefixLength(String absolute) {
    String prefix = "/local/domain/";
    if (!absolute.startsWith(prefix)) {
      return 0;
    }
    int slash = absolute.indexOf('/', prefix.length());
    if (slash < 0 || Args.decimal(absolute.substring(prefix.length(), slash)) < 0) {
      return 0;
    }
    return slash + 1;
  }

  /** The parent; that of a top-level node, of a special one and of the root is the root. */
  static String parent(String path) {
    int slash = path.lastIndexOf('/');
    return slash <= 0 ? ROOT : path.substring(0, slash);
  }

  static String name(String path) {
    return path.substring(path.lastIndexOf('/') + 1);
  }

  static String child(String parent, String name) {
    return parent.equals(ROOT) ? ROOT + name : parent + '/' + name;
  }

  /** Levels from {@code ancestor} down to {@code path}: 0 if equal, -1 if it is not below it. */
  static int depthBelow(String path, String ancestor) {
    if (path.equals(ancestor)) {
      return 0;
    }
    boolean below =
        ancestor.equals(ROOT)
            ? path.startsWith(ROOT)
            : path.startsWith(ancestor) && path.charAt(ancestor.length()) == '/';
    if (!below) {
      return -1;
    }
    int levels = ancestor.equals(ROOT) ? 1 : 0;
    for (int i = ancestor.length(); i < path.length(); i++) {
      if (path.charAt(i) == '/') {
        levels++;
      }
    }
    return levels;
  }
}
