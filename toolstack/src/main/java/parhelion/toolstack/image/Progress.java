package parhelion.toolstack.image;

/**
 * Told how far a download or an unpacking has come. Called from the thread that does the work, some
 * ten times a second at most, and once at the end with {@code doneBytes == totalBytes}.
 */
@FunctionalInterface
public interface Progress {
  /** Says nothing. */
  Progress NONE = (what, doneBytes, totalBytes) -> {};

  /**
   * So much is done now.
   *
   * @param what a short phrase for the user, such as {@code "unpacking vmlinuz"}
   * @param totalBytes -1 while it is not known
   */
  void update(String what, long doneBytes, long totalBytes);
}
