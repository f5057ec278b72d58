package parhelion.media.net.nat.config;

/**
 * Something that the user can put right: an option that cannot be read, a port that is taken. The
 * message is one line without a final full stop that names the thing and the remedy.
 */
public final class NatException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public NatException(String message) {
    super(message);
  }

  public NatException(String message, Throwable cause) {
    super(message, cause);
  }
}
