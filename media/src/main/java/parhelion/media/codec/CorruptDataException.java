package parhelion.media.codec;

import java.io.IOException;

/**
 * What a decoder found wrong, before anyone has said which file it was in; whoever opened the file
 * turns it into an error that names it.
 */
public final class CorruptDataException extends IOException {
  private static final long serialVersionUID = 1L;

  public CorruptDataException(String what) {
    super(what);
  }
}
