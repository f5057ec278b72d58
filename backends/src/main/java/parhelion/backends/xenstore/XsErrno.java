package parhelion.backends.xenstore;

/**
 * The errors that can cross the wire, by name ({@code xsd_errors} in {@code public/io/xs_wire.h}).
 */
public enum XsErrno {
  EINVAL("invalid path or argument"),
  EACCES("permission denied"),
  EEXIST("exists already"),
  EISDIR("is a directory"),
  ENOENT("no such node"),
  ENOMEM("out of memory or over the memory quota"),
  ENOSPC("quota exceeded"),
  EIO("the connection is not usable"),
  ENOTEMPTY("not empty"),
  ENOSYS("unknown request"),
  EROFS("read-only"),
  EBUSY("busy"),
  EAGAIN("a concurrent change conflicts with the transaction"),
  EISCONN("connected already"),
  E2BIG("the answer does not fit into a message"),
  EPERM("operation not permitted");

  private final String meaning;

  XsErrno(String meaning) {
    this.meaning = meaning;
  }

  /** What the error means, for people. */
  public String meaning() {
    return meaning;
  }
}
