package parhelion.media.net.nat.config;

import java.net.BindException;

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

  /** A forward's port of the host cannot be had. */
  public static NatException cannotBind(PortForward forward, Exception why) {
    String where = forward.hostAddress().inUrl() + ":" + forward.hostPort();
    String port = forward.transport() + " port " + forward.hostPort();
    if (forward.hostPort() > 0
        && forward.hostPort() < 1024
        && String.valueOf(why.getMessage()).contains("denied")) {
      return new NatException(
          "--publish: " + port + " is for root only: take one of 1024 or more", why);
    }
    if (why instanceof BindException && String.valueOf(why.getMessage()).contains("in use")) {
      return new NatException(
          "--publish: "
              + port
              + " of "
              + forward.hostAddress()
              + " is taken: stop what uses it, or take another (0 picks one)",
          why);
    }
    return new NatException("--publish: cannot listen at " + where + ": " + why.getMessage(), why);
  }
}
