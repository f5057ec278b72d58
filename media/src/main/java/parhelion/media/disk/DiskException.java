package parhelion.media.disk;

import java.io.IOException;

/**
 * What is wrong with a disk image or cannot be done with it. The message is one line that names the
 * file and, where there is one, the remedy, without a final full stop: it can be shown to the user
 * as it is.
 */
public class DiskException extends IOException {
  private static final long serialVersionUID = 1L;

  public DiskException(String message) {
    super(message);
  }

  /** With what is behind it. */
  public DiskException(String message, Throwable cause) {
    super(message, cause);
  }
}
