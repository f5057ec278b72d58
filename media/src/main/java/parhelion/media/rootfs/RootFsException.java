package parhelion.media.rootfs;

import java.io.IOException;

/**
 * What keeps a root file system from being run, as a phrase for the user without the file's name.
 */
public final class RootFsException extends IOException {
  private static final long serialVersionUID = 1;

  RootFsException(String message) {
    super(message);
  }
}
