package parhelion.media.share;

import java.util.concurrent.ConcurrentHashMap;

/**
 * What a file operation fails with: an errno that goes to the guest. Stackless and shared: a guest
 * can cause any number of them.
 */
public final class FileError extends RuntimeException {
  private static final long serialVersionUID = 1;
  private static final ConcurrentHashMap<Integer, FileError> KNOWN = new ConcurrentHashMap<>();

  private final int errno;

  private FileError(int errno) {
    super("errno " + errno, null, /* enableSuppression= */ false, /* writableStackTrace= */ false);
    this.errno = errno;
  }

  /** The error with that number, one of {@link LinuxErrno} or any other of the host's. */
  public static FileError of(int errno) {
    return KNOWN.computeIfAbsent(errno, FileError::new);
  }

  public int errno() {
    return errno;
  }
}
