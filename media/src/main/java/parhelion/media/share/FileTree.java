package parhelion.media.share;

/** Files that are served to a guest: a host directory, or a root file system made of archives. */
public interface FileTree extends AutoCloseable {
  /** A new reference to the root directory. */
  Node root();

  boolean isReadOnly();

  /**
   * Whether names and attributes are in memory: requests about them never wait, so that they need
   * no thread of their own.
   */
  default boolean isInMemory() {
    return false;
  }

  /** Lets go of everything; after the last reference to a node. */
  @Override
  void close();
}
