package parhelion.toolstack.image;

import java.io.IOException;

/**
 * What a decoder found wrong, before anyone has said which file it was in; whoever opened the file
 * turns it into an {@link ImageException}.
 */
final class CorruptDataException extends IOException {
  private static final long serialVersionUID = 1L;

  CorruptDataException(String what) {
    super(what);
  }
}
