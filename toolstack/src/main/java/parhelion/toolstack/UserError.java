package parhelion.toolstack;

import org.jspecify.annotations.Nullable;

/**
 * Something that the user can put right: a missing kernel, a corrupt image, a bad value. The
 * message is the one line that the user sees, without a final full stop; it names the file or
 * option and says what to do.
 */
public class UserError extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public UserError(String message) {
    this(message, null);
  }

  /** With the exception behind it, which is shown only when the user asks for details. */
  public UserError(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
