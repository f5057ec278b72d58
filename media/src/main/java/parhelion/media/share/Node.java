package parhelion.media.share;

/**
 * A reference to one file of a tree: as long as it is held, it means the same file, whatever
 * happens to names. Names are single components, neither empty nor "." nor "..", without slashes;
 * the caller has checked that. Strings hold a byte a character, as names have no encoding.
 *
 * <p>Methods may be called by several threads at once and may block. Failures are {@link
 * FileError}s.
 */
public interface Node extends AutoCloseable {
  /** The file's attributes as they are now. */
  Attributes attributes();

  /** Another reference to the same file. */
  Node again();

  /** A reference to an entry of this directory. */
  Node walk(String name);

  /** The directory by which the file was reached, or the root for the root: a new reference. */
  Node parent();

  void setAttributes(AttributeChange change);

  /**
   * Opens a regular file or a directory; of other kinds the guest's own kernel makes what they are.
   *
   * @param flags Linux's (x86-64's) open flags; O_CREAT is ignored
   */
  OpenFile open(int flags);

  /** Creates a regular file in this directory, or opens it if it is there and O_EXCL is not set. */
  Opened create(String name, int flags, Creation what);

  /** A file that was created and opened. */
  record Opened(Node node, OpenFile file) {}

  Node makeDirectory(String name, Creation what);

  /** Makes a device node, a FIFO or a socket; {@code what.mode} has the type. */
  Node makeNode(String name, long device, Creation what);

  Node makeSymlink(String name, String target, Creation what);

  /** Gives {@code target}, a file of the same tree, another name in this directory. */
  void link(Node target, String name);

  /** Moves an entry of this directory. What has the new name is replaced, as rename(2) does. */
  void rename(String oldName, Node newDirectory, String newName);

  /** Moves the file that this is. */
  void renameSelf(Node newDirectory, String newName);

  /** Removes an entry of this directory: a directory, which must be empty, or anything else. */
  void unlink(String name, boolean directory);

  /** Removes the file that this is. */
  void unlinkSelf();

  String readLink();

  /** An extended attribute's value. */
  byte[] attribute(String name);

  /** The names of all extended attributes, each with a NUL behind it. */
  byte[] attributeNames();

  /**
   * Sets an extended attribute.
   *
   * @param flags XATTR_CREATE 1, XATTR_REPLACE 2
   */
  void setAttribute(String name, byte[] value, int flags);

  void removeAttribute(String name);

  FileSystemStatus fileSystem();

  /** Lets go of the reference; at most once. */
  @Override
  void close();
}
