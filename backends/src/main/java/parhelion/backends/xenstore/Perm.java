package parhelion.backends.xenstore;

/**
 * What one domain may do with a node: {@code <letter><domid>} on the wire.
 *
 * @param domid the domain; in a node's first entry the owner
 * @param access {@link #NONE}, {@link #READ}, {@link #WRITE} or both; in a node's first entry what
 *     domains without an entry of their own may do
 * @param ignored the domain did not exist when the entry was written: it must not be inherited by a
 *     later domain of that number
 */
public record Perm(int domid, int access, boolean ignored) {
  public static final int NONE = 0;
  public static final int READ = 1;
  public static final int WRITE = 2;
  static final int OWNER = 4;
  static final int ALL = READ | WRITE | OWNER;

  private static final String LETTERS = "nrwb";

  public Perm {
    if (domid < 0 || domid > Args.DOMID_MAX || access < NONE || access > (READ | WRITE)) {
      throw new XsException(XsErrno.EINVAL, "permission of domain " + domid);
    }
  }

  /** Neither read nor write; as the first entry: {@code domid} owns, no other may. */
  public static Perm none(int domid) {
    return new Perm(domid, NONE, false);
  }

  public static Perm read(int domid) {
    return new Perm(domid, READ, false);
  }

  public static Perm write(int domid) {
    return new Perm(domid, WRITE, false);
  }

  public static Perm both(int domid) {
    return new Perm(domid, READ | WRITE, false);
  }

  /** Reads the wire form. */
  static Perm parse(String text) {
    int access = text.isEmpty() ? -1 : LETTERS.indexOf(text.charAt(0));
    if (access < 0) {
      throw new XsException(XsErrno.EINVAL, "permission \"" + text + "\"");
    }
    return new Perm(Args.domid(text.substring(1)), access, false);
  }

  Perm withIgnored(boolean now) {
    return now == ignored ? this : new Perm(domid, access, now);
  }

  /** The wire form: a letter of {@code nrwb} and the decimal domid. */
  @Override
  public String toString() {
    return LETTERS.charAt(access) + Integer.toString(domid);
  }
}
